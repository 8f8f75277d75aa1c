"""For the tests of the live figures: a page that shows them, and how its numbers are held against Python's."""

import base64
import random
import re
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
from browser_fixtures import new_page

from compecon import live
from compecon.live.bundle import script, style
from compecon.live.controls import Choice, Slider
from compecon.live.markup import shown, spoken
from compecon.live.parts import look_up

FIGURES = tuple(getattr(live, name) for name in live.__all__)

# How far a browser's numbers may lie from numba's, as a share of their scale: exp and log may differ in the last bit, a
# kernel sums some hundred of them, and a solved fixed point multiplies the differences by up to 1 / (1 - discount).
ONE_PASS, SOLVED = 1e-12, 1e-14
# Read-outs that hang on such differences more than that, by how much, and why.
LOOSE = {
    ("NFXPByHand", "distance"): (1e-4, "a gradient that is zero but for rounding errors, beside 1e-7 that it may be"),
    ("Contraction", "rate"): (1e-2, "a ratio of the last two errors, which are nearly rounding errors"),
    ("Contraction", "plain_error"): (1.0, "nearly a rounding error"),
    ("Contraction", "squarem_error"): (1.0, "nearly a rounding error"),
    ("Contraction", "newton_error"): (1.0, "nearly a rounding error"),
    ("ReplacementDemand", "elasticity"): (1e-6, "a difference of two demands over two thousandths of the price"),
}

# The book's own colours (pydata-sphinx-theme), so that contrast is measured against what readers see.
HEAD = """<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Live</title><link rel="icon" href="data:,">
<style>
body { font-family: sans-serif; margin: 1rem; background: white; color: #222832 }
html[data-theme="dark"] body { background: #14181e; color: #ced6dd }
"""

# What the tests use inside the page. `rested` waits until a figure has no more to do; longer work is done in one go,
# slice by slice but without waiting for the screen.
TOOLS = r"""
window.drawn = [];
window.shift = 0;
addEventListener("live-drawn", (event) => {
  drawn.push(event.detail.milliseconds);
  window.first ??= performance.now();
});
new PerformanceObserver((list) => list.getEntries().forEach((entry) => { shift += entry.value; }))
  .observe({type: "layout-shift", buffered: true});
window.frame = () => new Promise(requestAnimationFrame);
window.live = (k = 0) => document.querySelectorAll("[data-live-figure]")[k];
window.busy = ({figure: f}) => !f?.drawn || f.frame || f.running.size || f.pressed || f.changed.size;
window.rested = async () => {
  do {
    await frame();
    const {figure} = live();
    if (!figure?.running.size || figure.pressed) continue;
    figure.draw = () => {};
    while (figure.running.size) figure.work();
    delete figure.draw;
    figure.draw();
  } while (busy(live()));
};
window.inputOf = (name) => live().querySelector(`[data-control="${name}"]`);
window.move = (values) => {
  for (const [name, value] of Object.entries(values)) {
    const face = live().figure.spec.controls[name], input = inputOf(name);
    if (face.kind === "switch") input.checked = value;
    else if (face.kind === "choice") input.selectedIndex = face.values.indexOf(value);
    else input.value = face.stops ? face.stops.indexOf(value) : value;
    input.dispatchEvent(new Event("input", {bubbles: true}));
  }
};
window.encoded = (values) => {
  const bytes = new Uint8Array(Float64Array.from(typeof values === "number" ? [values] : values).buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};
window.arrays = (engine, references, numbers) =>
  Object.fromEntries(references.map((reference) => [reference, encoded(engine.lookUp(reference, numbers))]));
window.face = () => ({
  values: live().figure.values,
  state: live().dataset.state,
  message: live().querySelector(".live-message").textContent,
  numbers: Object.fromEntries([...live().querySelectorAll("[data-readout]")]
    .map((output) => [output.dataset.readout, [Number(output.dataset.value), output.textContent]])),
  outputs: Object.fromEntries([...live().querySelectorAll("input[type=range]")]
    .map((input) => [input.dataset.control, input.parentElement.querySelector(".live-value").textContent])),
  alts: [...live().querySelectorAll("[role=img]")].map((box) => box.getAttribute("aria-label")),
});
"""


@cache
def html(kind):
    """A figure's HTML, with its still pictures."""
    return kind()._repr_mimebundle_()[0]["text/html"]


def write_page(folder, *kinds):
    """Write a page with these figures, and the script beside it, as the book does; return its address."""
    (folder / "live.js").write_text(script(), encoding="utf-8")
    path = folder / f"{'-'.join(kind.__name__ for kind in kinds)}.html"
    body = "\n".join(html(kind) for kind in kinds)
    page = f'{HEAD}{style()}</style><script src="live.js" defer></script><body><main>{body}</main></body></html>'
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


def opened(browser, folder, kind, **options):
    """That page in a browser, at rest."""
    page = new_page(browser, folder.as_uri(), **options)
    page.add_init_script(TOOLS)
    page.goto(write_page(folder, kind))
    page.evaluate("rested()")
    return page


# Settings of the controls


def places(control):
    """The values of a control that are tried: all options, or the ends and the middle of a slider."""
    if not isinstance(control, Slider):
        return list(control.options) if isinstance(control, Choice) else [False, True]
    if control.stops:
        return [control.stops[0], control.stops[len(control.stops) // 2], control.stops[-1]]
    steps = round((control.high - control.low) / control.step)
    return [float(f"{control.low + k * control.step:.12g}") for k in (0, steps // 2, steps)]


def settings(kind, most):
    """Dicts of controls' values: each control moved alone, then at most `most` of all combinations, always the same."""
    controls = kind.controls()
    tried = {name: places(control) for name, control in controls.items()}
    start = kind().values()
    alone = [start | {name: value} for name, values in tried.items() for value in values]
    together = [dict(zip(tried, values, strict=True)) for values in product(*tried.values())]
    return [start, *alone, *random.Random(kind.__name__).sample(together, min(most, len(together)))]


# What is compared


_FIELDS = ("x", "y", "low", "high", "sizes", "values", "range")


def references(kind):
    """What the figure's parts refer to among its arrays: all that a reader can see, and what its buttons set."""
    marks = [mark for panel in kind.panels for mark in (*panel.marks, panel.x, panel.y)]
    named = [getattr(mark, field, None) for mark in marks for field in _FIELDS]
    named += [readout.value for readout in kind.readouts] + [source for b in kind.buttons for _, source in b.moves]
    named = [name for name in dict.fromkeys(named) if isinstance(name, str)]
    return [name for name in named if name.split("[")[0] not in kind.controls()]


def decoded(text):
    """The numbers that the page's `encoded` has packed."""
    return np.frombuffer(base64.b64decode(text))


def tolerance(figure, key):
    """How far a read-out may lie from Python's, as a share of its scale."""
    solved = SOLVED / (1.0 - figure.discount) if "discount" in figure.controls() else 0.0
    return max(ONE_PASS, solved, LOOSE.get((type(figure).__name__, key), (0.0,))[0])


def size(values):
    """The largest finite entry."""
    values = np.ravel(values)
    return np.abs(values[np.isfinite(values)]).max(initial=0.0)


def distance(found, expected, least):
    """The largest difference as a share of the scale; infinite where only one of the two is finite.

    The scale is the largest entry of `expected`, or `least` if that is more: what is all zeros but for rounding errors
    has no scale of its own.
    """
    found, expected = np.ravel(found), np.ravel(expected)
    finite = np.isfinite(expected)
    if found.shape != expected.shape or not np.array_equal(found[~finite], expected[~finite], equal_nan=True):
        return np.inf
    gap = size(found - expected)
    return gap / max(size(expected), least) if gap else 0.0


def last_digit(readout):
    """What a read-out's last digit stands for."""
    digits = re.search(r"\.(\d+)", readout.format)
    return 10.0 ** -int(digits[1] if digits else 6)


def differences(page, figure):
    """What the page shows otherwise than Python's figure: a list of sentences, empty when all is the same.

    Its numbers must be Python's up to the tolerance, and its texts what Python would write for its numbers.
    """
    face, outputs = page.evaluate("face()"), figure.outputs()
    words = {name: shown(control, getattr(figure, name)) for name, control in figure.controls().items()}
    found = []
    for readout in figure.readouts:
        value, text = face["numbers"][readout.key]
        expected = float(look_up(readout.value, outputs))
        apart, allowed = distance(value, expected, last_digit(readout)), tolerance(figure, readout.key)
        words[readout.key] = spoken(replace(readout, value="it"), {"it": value})
        if apart > allowed:
            found.append(f"{readout.key}: {value!r}, in Python {expected!r}; {apart:.1e} apart, allowed {allowed:.1e}")
        elif text != words[readout.key]:
            found.append(f"{readout.key} reads {text!r}, Python writes {words[readout.key]!r}")
    alts = [panel.alt.format(**words) for panel in figure.panels]
    found += [f"{name} reads {text!r}" for name, text in face["outputs"].items() if text != words[name]]
    found += [f"alt text {a!r}, in Python {b!r}" for a, b in zip(face["alts"], alts, strict=True) if a != b]
    return found


def after_a_move(page):
    """What the page's figure `live()` shows otherwise than Python's, before and after its first slider moves."""
    figure = next(kind for kind in FIGURES if kind.name == page.evaluate("live().dataset.liveFigure"))()
    for key, value in page.evaluate("live().figure.values").items():
        setattr(figure, key, value)
    found = differences(page, figure)
    moved = next(key for key, control in figure.controls().items() if isinstance(control, Slider))
    value = places(figure.controls()[moved])[1]
    setattr(figure, moved, value)
    page.evaluate("(values) => { move(values); return rested(); }", {moved: value})
    return found + [f"after {moved} = {value}: {words}" for words in differences(page, figure)]
