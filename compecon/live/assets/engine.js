// The library's kernels, compiled to WebAssembly: one instance a figure, with the figure's arrays in its memory.

const DONE = 1, MORE = 2, FAILED = 0;

let compiling = null;

// Once for all figures of a page.
function compiledKernels() {
  const packed = () => new Blob([Uint8Array.from(atob(KERNELS), (letter) => letter.charCodeAt(0))]);
  const unpacked = () => new Response(packed().stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  compiling ??= unpacked().then(WebAssembly.compile);
  return compiling;
}

const PAGE = 65536;

class Engine {
  static async create(spec) {
    const lent = {exp: Math.exp, log: Math.log, log1p: Math.log1p, NRT_MemInfo_call_dtor() {}};
    const instance = await WebAssembly.instantiate(await compiledKernels(), {env: lent});
    return new Engine(spec, instance.exports);
  }

  // Every array gets its place for good, before anything runs: growing the memory later would detach the views.
  constructor(spec, wasm) {
    this.spec = spec;
    this.wasm = wasm;
    this.status = {};
    this.arrays = {};
    const size = (shape) => shape.reduce((product, length) => product * length, 1);
    const start = Math.ceil(wasm.__heap_base.value / 8) * 8;
    const total = Object.values(spec.arrays).reduce((sum, {shape}) => sum + size(shape), 0);
    const missing = start + 8 * total - wasm.memory.buffer.byteLength;
    if (missing > 0) wasm.memory.grow(Math.ceil(missing / PAGE));
    let offset = start;
    for (const [name, {shape, values}] of Object.entries(spec.arrays)) {
      const data = new Float64Array(wasm.memory.buffer, offset, size(shape));
      if (values) data.set(values);
      this.arrays[name] = {data, shape};
      offset += data.byteLength;
    }
  }

  // An array becomes its address and dimensions; a number is a control's, or `first`: 1 when a run starts.
  call(name, numbers, first) {
    const values = [];
    for (const argument of this.spec.kernels[name].arguments) {
      const array = this.arrays[argument];
      if (array) values.push(array.data.byteOffset, ...array.shape);
      else values.push(argument === "first" ? first : numbers[argument]);
    }
    this.status[name] = this.wasm[name](...values);
    return this.status[name];
  }

  // What a reference such as "value", "errors[1]" or "theta[0]" stands for: a typed array, or a number.
  lookUp(reference, numbers) {
    const [name, ...places] = reference.split(/[[\]]+/).filter(Boolean);
    const array = this.arrays[name];
    if (!array) return numbers[name];
    if (places.length === array.shape.length)
      return array.data[places.reduce((at, place, axis) => at * array.shape[axis] + Number(place), 0)];
    if (places.length === 0) return array.data;
    const width = array.shape[1];
    return array.data.subarray(places[0] * width, (Number(places[0]) + 1) * width);
  }
}
