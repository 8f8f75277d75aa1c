// Draws a panel: each mark of its declaration becomes marks of Observable Plot, with coordinates read from the engine.

const tone = (mark) => `var(--live-${mark.tone})`;
const rows = (values) => ({length: values.length});
const many = (value) => (typeof value === "number" ? [value] : value);
const span = (range, at) => (typeof range === "string" ? Array.from(at(range)) : range);

const MARKS = {
  line(mark, at) {
    const [x, y] = [at(mark.x), at(mark.y)];
    const curve = mark.step ? "step-after" : "linear";
    return Plot.line(rows(x), {x, y, curve, stroke: tone(mark), strokeWidth: 2, strokeDasharray: mark.dashed ? "5,4" : null});
  },
  dots(mark, at) {
    const [x, y] = [many(at(mark.x)), many(at(mark.y))];
    const r = mark.sizes ? {r: {value: at(mark.sizes), scale: null}} : {r: mark.size};
    const paint = mark.hollow ? {stroke: tone(mark), strokeWidth: 1.5} : {fill: tone(mark)};
    return Plot.dot(rows(x), {x, y, ...r, ...paint});
  },
  bars(mark, at) {
    const [x, y] = [at(mark.x), at(mark.y)];
    const edge = (side) => x.map((value) => value + mark.shift + side * mark.width / 2);
    return Plot.rectY(rows(x), {x1: edge(-1), x2: edge(1), y1: 0, y2: y, fill: tone(mark)});
  },
  spans(mark, at) {
    const [x, y1, y2] = [mark.x, mark.low, mark.high].map((reference) => many(at(reference)));
    return Plot.ruleX(rows(x), {x, y1, y2, stroke: tone(mark), strokeWidth: 1.8});
  },
  rule(mark, at) {
    const options = {stroke: tone(mark), strokeWidth: 1.5, strokeDasharray: mark.dashed ? "5,4" : null};
    return mark.x ? Plot.ruleX(many(at(mark.x)), options) : Plot.ruleY(many(at(mark.y)), options);
  },
  contours(mark, at, engine) {
    const [x, y] = contourLines(mark, at, engine.arrays[mark.values]);
    return Plot.line(rows(x), {x, y, stroke: tone(mark), strokeWidth: 1});
  },
};

// The contours as one broken line, kept until the matrix changes: tracing them takes longer than drawing them.
const traced = new WeakMap();

function contourLines(mark, at, {data, shape}) {
  const known = traced.get(mark);
  const print = data.reduce((sum, value, i) => sum + value * (1 + (i % 97)), 0);
  // A matrix that is still being filled holds NaN.
  if (Number.isNaN(print)) return [[], []];
  if (known && known.print === print) return known.lines;
  const [height, width] = shape;
  const top = data.reduce((largest, value) => Math.max(largest, value), -Infinity);
  const lines = [[], []];
  // d3 puts entry (i, j) at (j + 1/2, i + 1/2), and closes rings along the frame, which is no contour.
  const scale = (range, length) => (v) => range[0] + (range[1] - range[0]) * Math.min(Math.max((v - 0.5) / (length - 1), 0), 1);
  const [toX, toY] = [scale(span(mark.x, at), width), scale(span(mark.y, at), height)];
  const beyond = (a, k) => (a[k] <= 0.5 ? -1 : a[k] >= [width, height][k] - 0.5 ? 1 : 0);
  const framed = (a, b) => [0, 1].some((k) => beyond(a, k) && beyond(a, k) === beyond(b, k));
  const trace = Plot.contours().size([width, height]).thresholds(mark.levels.map((level) => top - level));
  for (const ring of trace(data).flatMap((level) => level.coordinates.flat())) {
    const drawn = ring.map((point, i) => i > 0 && !framed(ring[i - 1], point));
    ring.forEach((point, i) => {
      // A point between two stretches of frame would be drawn as a dot.
      if (drawn[i] || drawn[i + 1]) {
        if (!drawn[i]) lines.forEach((line) => line.push(NaN));
        lines[0].push(toX(point[0]));
        lines[1].push(toY(point[1]));
      }
    });
    lines.forEach((line) => line.push(NaN));
  }
  traced.set(mark, {print, lines});
  return lines;
}

function axisOptions(axis, at) {
  const options = {label: axis.label, type: axis.log ? "log" : "linear", grid: true, nice: !axis.range};
  if (axis.range) options.domain = span(axis.range, at);
  if (axis.format) options.tickFormat = axis.format;
  return options;
}

// The picture of a panel, with `empty` only its axes; its `scale` method tells where a pointer is.
function drawPanel(panel, engine, numbers, width, height, empty) {
  const at = (reference) => engine.lookUp(reference, numbers);
  const marks = empty ? [] : panel.marks.map((mark) => MARKS[mark.kind](mark, at, engine));
  return Plot.plot({
    width, height, marginLeft: 52, marginBottom: 38, clip: true, style: {fontSize: "12px", background: "none"},
    x: {...axisOptions(panel.x, at), ticks: Math.min(8, Math.max(3, Math.floor(width / 70)))},
    y: {...axisOptions(panel.y, at), ticks: 5}, marks,
  });
}
