// Settings of MathJax and reveal.js. Slides are not scaled: a live figure's controls need true pixels.

window.MathJax = {
  tex: {inlineMath: [["$", "$"], ["\\(", "\\)"]], displayMath: [["$$", "$$"], ["\\[", "\\]"]]},
  options: {enableMenu: false},
};

function startSlides() {
  Reveal.initialize({
    width: "100%", height: "100%", margin: 0, minScale: 1, maxScale: 1,
    center: false, hash: true, slideNumber: "c/t", transition: "none", plugins: [RevealNotes],
    // The arrow keys belong to a slider while it has the focus.
    keyboardCondition: (event) => !event.target.closest?.(".live, input, select"),
  });
}
