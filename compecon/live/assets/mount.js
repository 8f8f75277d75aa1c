// Finds the figures of a page, or shows one in a notebook, and starts them.

async function mount(root, model) {
  const spec = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
  try {
    root.figure = new Figure(root, spec, await Engine.create(spec), model);
  } catch (error) {
    root.querySelector(".live-message").textContent = "This browser cannot run the figure; it needs WebAssembly.";
    console.error(error);
  }
  return root.figure;
}

// First all figures answer, over their still pictures; then they draw, one a frame, those that the reader sees first.
async function mountAll(page) {
  const far = (root) => {
    const {top, bottom} = root.getBoundingClientRect();
    return Math.max(0, top - innerHeight, -bottom);
  };
  const roots = [...page.querySelectorAll("[data-live-figure]")];
  const sorted = roots.map((root) => [root, far(root)]).sort((a, b) => a[1] - b[1]);
  const figures = await Promise.all(sorted.map(([root]) => mount(root, null)));
  for (const figure of figures) {
    await new Promise(requestAnimationFrame);
    if (figure && !figure.drawn) figure.show(performance.now(), []);
  }
}

function whenReady(start) {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
}

// The notebook's side: anywidget calls this for each view of the Python object.
async function render({model, el}) {
  el.innerHTML = model.get("_html");
  const figure = await mount(el.querySelector("[data-live-figure]"), model);
  figure?.show(performance.now(), []);
  return () => figure?.close();
}
