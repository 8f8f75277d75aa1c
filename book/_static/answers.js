// Checks the answer boxes of the online book against the tables that compecon/exercises/answer_box.py has made.
// The rules, their order and their words are those of compecon/exercises/check.py.

(() => {
  const close = (found, right, rtol, atol = 0) => found.every((value, k) => Math.abs(value - right[k]) <= atol + rtol * Math.abs(right[k]));

  // As Python's format(value, ".6g").
  const general = (value) => {
    const [digits, power] = value.toExponential(5).split("e").map(Number);
    if (power < -4 || power >= 6) return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
    return String(Number(value.toPrecision(6)));
  };

  // "1.5", "-2e3", "33/4292": a number, or NaN.
  const number = (text) => {
    const parts = text.replace(/\u2212/g, "-").split("/");
    const plain = parts.every((part) => /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(part));
    return plain && parts.length <= 2 ? parts.map(Number).reduce((a, b) => a / b) : NaN;
  };

  // Whether a positive number is one of 2 to 12, a hundred or a thousand, or the inverse of one.
  const isCommonFactor = (ratio, rtol) => [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 100, 1000]
    .some((factor) => close([Math.max(ratio, 1 / ratio)], [factor], rtol, 1e-8));

  // What to say to a wrong answer that no known mistake explains.
  const guess = (found, right, rtol) => {
    for (const digits of [3, 2, 1])
      if (close(found, right.map((value) => Number(value.toPrecision(digits))), 1e-9))
        return `That is right to ${digits} digit${digits > 1 ? "s" : ""}. Give at least four.`;
    if (close(found, right.map((value) => -value), rtol)) return "The size is right and the sign is wrong.";
    for (const decimals of [4, 3, 2])
      if (found.every(Boolean) && close(found, right.map((value) => Number(value.toFixed(decimals))), 1e-9))
        return `That is right to ${decimals} decimals. Give four digits that are not leading zeros.`;
    const usable = right.map((value) => value !== 0);
    if (usable.some(Boolean) && usable.every((use, k) => use === (found[k] !== 0))) {
      const ratios = found.map((value, k) => value / right[k]).filter((_, k) => usable[k]);
      // The ratio of two numbers is always there, and would give the answer away; a common factor is a hint.
      const telling = ratios.length > 1 || isCommonFactor(Math.abs(ratios[0]), rtol);
      if (telling && close(ratios, ratios.map(() => ratios[0]), rtol, 1e-8) && Math.abs(ratios[0]) > rtol)
        return `Your answer is ${general(ratios[0])} times the right one. Which factor is missing, or one too many?`;
    }
    return "Not right, and not one of the usual mistakes. Try a case small enough to work out by hand.";
  };

  const wrong = (message) => ({status: "wrong", message});

  const checkValue = ({number: name, right, single, rtol, mistakes}, text) => {
    const words = text.replace(/^[\s[(]+|[\s\])]+$/g, "").split(/[\s,;]+/);
    const found = words.map(number), bad = words.find((_, k) => !Number.isFinite(found[k]));
    if (bad !== undefined) return wrong(`'${bad}' is not a number. Write 0.25, 1e-3 or 1/4.`);
    if (found.length !== right.length) {
      const wanted = single ? "one number" : `${right.length} numbers, separated by blanks`;
      return wrong(`Give ${wanted}; found ${found.length}. Decimals take a point, not a comma.`);
    }
    if (close(found, right, rtol)) return {status: "passed", message: `Exercise ${name} is right.`};
    const mistake = mistakes.find(({values}) => close(found, values, rtol, 1e-12));
    return wrong(mistake ? mistake.message : guess(found, right, rtol));
  };

  const checkChoice = ({right, options}, choice) =>
    ({status: choice === right ? "passed" : "wrong", message: options[choice]});

  const given = (form) => {
    const text = form.querySelector("input[type=text]");
    return text ? text.value.trim() : form.querySelector("input:checked")?.value ?? "";
  };

  const check = (form) => {
    const table = JSON.parse(form.querySelector("script").textContent), answer = given(form);
    const blank = {status: "not yet", message: `Exercise ${table.number} has no answer yet.`};
    const verdict = !answer ? blank : table.kind === "predict" ? checkChoice(table, answer) : checkValue(table, answer);
    form.dataset.status = verdict.status;
    form.querySelector("output").textContent = `${{passed: "✓", wrong: "✗", "not yet": "…"}[verdict.status]} ${verdict.message}`;
  };

  document.addEventListener("submit", (event) => {
    const form = event.target.closest(".answer-box");
    if (!form) return;
    event.preventDefault();
    check(form);
  });
})();
