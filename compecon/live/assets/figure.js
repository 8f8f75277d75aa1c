// Brings a figure's HTML to life: listens to its controls, runs its kernels, draws its panels, fills in its numbers.

// In milliseconds: what longer work may take of each frame, so that the page stays awake; how often it shows itself.
const SLICE = 7, SHOWING = 200;

// The place of the stop that is nearest to a value.
const nearest = (stops, value) => {
  const apart = stops.map((stop) => Math.abs(stop - value));
  return apart.indexOf(Math.min(...apart));
};

class Figure {
  constructor(root, spec, engine, model) {
    Object.assign(this, {root, spec, engine, model});
    this.values = {};
    this.shown = {};
    this.changed = new Set();
    this.running = new Map();
    this.pressed = null;
    this.frame = null;
    this.message = root.querySelector(".live-message");
    this.boxes = [...root.querySelectorAll(".live-box")];
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    for (const [name, face] of Object.entries(spec.controls)) {
      this.listen(name, face, root.querySelector(`[data-control="${name}"]`));
      this.set(name, model ? model.get(name) : face.value);
    }
    for (const button of spec.buttons) this.listenToButton(button);
    spec.panels.forEach((panel, place) => panel.drag && this.listenToPointer(panel, this.boxes[place]));
    root.querySelectorAll("[disabled]").forEach((element) => { element.disabled = false; });
    this.widths = new ResizeObserver(() => this.redrawIfResized());
    this.boxes.forEach((box) => this.widths.observe(box));
    this.drawn = null;
    this.run(null);
    this.report();
  }

  // Controls

  listen(name, face, element) {
    const read = {
      slider: () => (face.stops ? face.stops[Number(element.value)] : Number(element.value)),
      choice: () => face.values[element.selectedIndex],
      switch: () => element.checked,
    }[face.kind];
    element.addEventListener("input", () => {
      this.stop();
      this.change(name, read());
    });
    this.model?.on(`change:${name}`, () => {
      if (this.model.get(name) !== this.values[name]) this.change(name, this.model.get(name));
    });
  }

  // Show a value, which need not lie on a slider's grid: a kernel's own numbers are kept to their last digit.
  set(name, value) {
    this.values[name] = value;
    const face = this.spec.controls[name];
    const element = this.root.querySelector(`[data-control="${name}"]`);
    this.shown[name] = String(value);
    if (face.kind === "switch") element.checked = value;
    if (face.kind === "choice") {
      element.selectedIndex = face.values.indexOf(value);
      this.shown[name] = element.value;
    }
    if (face.kind !== "slider") return;
    element.value = face.stops ? nearest(face.stops, value) : value;
    this.shown[name] = Plot.format(face.format)(value) + face.unit;
    element.setAttribute("aria-valuetext", this.shown[name]);
    element.parentElement.querySelector(".live-value").textContent = this.shown[name];
  }

  change(name, value) {
    this.set(name, value);
    this.forget();
    this.changed.add(name);
    this.schedule();
  }

  numbers() {
    const number = (face, value) => (face.kind === "choice" ? face.numbers[face.values.indexOf(value)] : Number(value));
    return Object.fromEntries(Object.entries(this.spec.controls).map(([name, face]) => [name, number(face, this.values[name])]));
  }

  listenToPointer(panel, box) {
    const move = (event) => {
      if (!(event.buttons & 1) || !box.picture) return;
      event.preventDefault();
      this.stop();
      const corner = box.picture.getBoundingClientRect();
      const pixels = {x: event.clientX - corner.left, y: event.clientY - corner.top};
      ["x", "y"].forEach((side, k) => {
        const {min, max, step, stops} = this.spec.controls[panel.drag[k]];
        const value = box.picture.scale(side).invert(pixels[side]);
        const inside = Math.min(Math.max(value, min), max);
        const onGrid = () => Number((Math.round(inside / step) * step).toPrecision(12));
        this.change(panel.drag[k], stops ? stops[nearest(stops, value)] : onGrid());
      });
    };
    box.addEventListener("pointerdown", (event) => { box.setPointerCapture(event.pointerId); move(event); });
    box.addEventListener("pointermove", move);
  }

  // Work

  schedule() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.work(); });
  }

  // One frame: what the reader has just asked for, then a slice of what takes longer.
  work() {
    if (this.changed.size) {
      const changed = this.changed;
      this.changed = new Set();
      this.update(changed);
    } else {
      this.continue();
    }
    if (this.running.size || this.pressed || this.changed.size) this.schedule();
  }

  // Call the kernels that a change of controls asks for, and draw.
  update(changed) {
    const start = performance.now();
    this.run(changed);
    this.show(start, changed);
  }

  // The kernels that a change of controls asks for; null is a change of all.
  run(changed) {
    const numbers = this.numbers();
    for (const {kernel, on} of this.spec.runs) {
      if (changed && on && !on.some((name) => changed.has(name))) continue;
      if (this.engine.call(kernel, numbers, 1) === MORE) this.running.set(kernel, numbers);
      else this.running.delete(kernel);
    }
  }

  show(start, changed) {
    const computed = performance.now();
    this.draw();
    if (this.running.size) this.schedule();
    // Forces the layout that the browser would do anyway, so that the time is that of the whole redraw.
    this.root.getBoundingClientRect();
    this.tell("live-drawn", {milliseconds: performance.now() - start, kernels: computed - start});
    this.save(changed);
  }

  continue() {
    const start = performance.now(), end = start + SLICE;
    for (const [kernel, numbers] of this.running) {
      while (this.running.has(kernel) && performance.now() < end)
        if (this.engine.call(kernel, numbers, 0) !== MORE) this.running.delete(kernel);
    }
    if (this.pressed) this.advance(start, end);
    else if (!this.running.size || start - this.drawn > SHOWING) this.draw();
    if (!this.running.size && !this.pressed) this.tell("live-rested", {});
  }

  // Buttons

  listenToButton(button) {
    const element = this.root.querySelector(`[data-button="${button.key}"]`);
    // So that nothing moves when the label becomes "Stop".
    element.style.minWidth = `${element.offsetWidth}px`;
    element.addEventListener("click", () => {
      const again = this.pressed?.button === button;
      this.stop();
      if (again) return;
      this.forget();
      if (!button.once) element.textContent = "Stop";
      this.pressed = {button, element, first: 1};
      this.schedule();
    });
  }

  stop() {
    if (this.pressed) this.pressed.element.textContent = this.pressed.button.label;
    this.pressed = null;
  }

  // That a button has failed holds until the reader does something else.
  forget() {
    for (const {kernel} of this.spec.buttons)
      if (!this.spec.runs.some((run) => run.kernel === kernel)) delete this.engine.status[kernel];
  }

  // One step a frame, so that the reader sees each; as many as a frame has room for where no motion is wanted.
  advance(start, end) {
    const moved = new Set();
    do this.step().forEach((name) => moved.add(name));
    while (this.pressed && this.calm.matches && performance.now() < end);
    this.show(start, moved);
  }

  // One call of the pressed button's kernel, and what follows from it; returns the names of the controls it has moved.
  step() {
    const {button, first} = this.pressed, numbers = this.numbers();
    const status = this.engine.call(button.kernel, numbers, first);
    this.pressed.first = 0;
    if (button.once || status !== MORE) this.stop();
    const moved = new Set();
    for (const [name, reference] of status === FAILED ? [] : button.moves) {
      const value = this.engine.lookUp(reference, numbers);
      if (value !== this.values[name]) moved.add(name);
      this.set(name, value);
    }
    this.run(moved);
    return moved;
  }

  // Pictures and numbers

  failure() {
    const failed = Object.keys(this.engine.status).find((name) => this.engine.status[name] === FAILED);
    return failed ? this.spec.kernels[failed].message : null;
  }

  draw() {
    // All sizes first: a size read between two changes would make the browser lay out the page each time.
    const sizes = this.boxes.map((box) => [box.clientWidth, box.clientHeight]);
    const numbers = this.numbers(), failure = this.failure();
    this.spec.panels.forEach((panel, place) => {
      const box = this.boxes[place], [width, height] = sizes[place];
      box.drawnWidth = width;
      box.picture = drawPanel(panel, this.engine, numbers, Math.max(width, 200), Math.max(height, 100), failure);
      box.replaceChildren(box.picture);
    });
    this.report();
    this.drawn = performance.now();
  }

  // What the figure says: its state, its message, its numbers, and its panels in words.
  report() {
    const numbers = this.numbers(), failure = this.failure();
    const done = this.engine.arrays.progress.data[0];
    this.message.textContent = failure ?? (this.running.size ? `Computing: ${Math.round(100 * done)}%` : "");
    this.root.dataset.state = failure ? "failed" : this.running.size || this.pressed ? "working" : "ready";
    const words = this.readOut(numbers, failure);
    this.spec.panels.forEach((panel, place) => {
      this.boxes[place].setAttribute("aria-label", panel.alt.replace(/\{(\w+)\}/g, (_, key) => words[key]));
    });
  }

  readOut(numbers, failure) {
    const words = {...this.shown};
    for (const {key, value, format, unit, words: instead} of this.spec.readouts) {
      const number = failure ? NaN : this.engine.lookUp(value, numbers);
      words[key] = Number.isNaN(number) ? "–" : new Map(instead).get(number) ?? Plot.format(format)(number) + unit;
      const output = this.root.querySelector(`[data-readout="${key}"]`);
      output.textContent = words[key];
      output.dataset.value = number;
    }
    return words;
  }

  redrawIfResized() {
    if (this.drawn && this.boxes.some((box) => box.clientWidth !== box.drawnWidth)) this.draw();
  }

  // To Python, and to whoever listens on the page

  save(changed) {
    if (!this.model) return;
    for (const name of changed) this.model.set(name, this.values[name]);
    this.model.save_changes();
  }

  tell(name, detail) {
    this.root.dispatchEvent(new CustomEvent(name, {detail, bubbles: true}));
  }

  close() {
    this.widths.disconnect();
    if (this.frame) cancelAnimationFrame(this.frame);
  }
}
