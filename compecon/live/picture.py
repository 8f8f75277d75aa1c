"""The still picture of a panel, drawn by matplotlib: for paper, and for a reader without JavaScript."""

import hashlib
import io
import re

import numpy as np

from compecon.live.parts import look_up

# Stand-ins that matplotlib draws with, and the page's own colours, which follow its light or dark theme.
_TONES = {f"#0{tone}0{tone}0{tone}": f"var(--live-{tone})" for tone in (1, 2, 3, 4)}
_INK = "#050505"
_COLOURS = {**_TONES, _INK: "currentColor"}
# The page's panels (live.css): 260 pixels high, and about this much wider.
_SIZE = (4.2, 2.6)


def drawing(panel, outputs):
    """The panel as an SVG element; `outputs` are the figure's arrays and numbers."""
    # Without pyplot: inside rc_context, Jupyter's pyplot would not learn that it shows figures inline.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    ink = {key: _INK for key in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")}
    settings = {**ink, "svg.fonttype": "none", "svg.hashsalt": "compecon", "font.size": 9,
                "font.sans-serif": ["DejaVu Sans"], "axes.spines.top": False, "axes.spines.right": False}
    with rc_context(settings):
        canvas = Figure(figsize=_SIZE, layout="constrained")
        ax = canvas.subplots()
        for mark in panel.marks:
            _DRAW[type(mark).__name__](ax, mark, outputs, list(_TONES)[mark.tone - 1])
        for side, axis in (("x", panel.x), ("y", panel.y)):
            _set_axis(ax, side, axis, outputs)
        target = io.StringIO()
        canvas.savefig(target, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _embedded(target.getvalue())


def _embedded(text):
    """The SVG element alone, in the page's colours, its ids made unlike those of other panels."""
    text = text[text.index("<svg"):]
    # A style inside a page would hold for the whole page.
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    # In tags, hundredths of a point are enough, and half the length; the text between them stays.
    text = re.sub(r"<[^>]*>", lambda tag: re.sub(r"(\.\d\d)\d+", r"\1", tag[0]), re.sub(r"\s+", " ", text))
    text = text.replace("> <", "><")
    own = "p" + hashlib.sha256(text.encode()).hexdigest()[:8]
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', text))
    text = re.sub(r' id="([^"]+)"', lambda m: f' id="{own}{m[1]}"' if m[1] in used else "", text)
    text = re.sub(r'(url\(#|href="#)', rf"\g<1>{own}", text)
    for stand_in, colour in _COLOURS.items():
        text = text.replace(stand_in, colour)
    return text.strip()


def _span(given, outputs):
    """A range as a pair."""
    return look_up(given, outputs) if isinstance(given, str) else given


def _set_axis(ax, side, axis, outputs):
    """Label, scale and range of one axis."""
    getattr(ax, f"set_{side}label")(axis.label, parse_math=False)
    if axis.log:
        getattr(ax, f"set_{side}scale")("log")
    if axis.range is not None:
        getattr(ax, f"set_{side}lim")(*_span(axis.range, outputs))
    if axis.format:
        getattr(ax, f"{side}axis").set_major_formatter(lambda value, place: format(value, axis.format))


def _line(ax, mark, outputs, colour):
    style = {"color": colour, "linestyle": "--" if mark.dashed else "-", "linewidth": 1.6}
    x, y = look_up(mark.x, outputs), look_up(mark.y, outputs)
    ax.plot(x, y, drawstyle="steps-post" if mark.step else "default", **style)


def _dots(ax, mark, outputs, colour):
    size = np.asarray(look_up(mark.sizes, outputs)) if mark.sizes else mark.size
    face = "none" if mark.hollow else colour
    ax.scatter(look_up(mark.x, outputs), look_up(mark.y, outputs), s=np.pi * (0.75 * size) ** 2, facecolors=face,
               edgecolors=colour, zorder=3)


def _bars(ax, mark, outputs, colour):
    ax.bar(look_up(mark.x, outputs) + mark.shift, look_up(mark.y, outputs), width=mark.width, color=colour)


def _spans(ax, mark, outputs, colour):
    x, low, high = (look_up(reference, outputs) for reference in (mark.x, mark.low, mark.high))
    ax.vlines(x, low, high, colors=colour, linewidth=1.4)


def _rule(ax, mark, outputs, colour):
    style = {"color": colour, "linestyle": "--" if mark.dashed else "-", "linewidth": 1.2}
    if mark.x is not None:
        ax.axvline(look_up(mark.x, outputs), **style)
    if mark.y is not None:
        ax.axhline(look_up(mark.y, outputs), **style)


def _contours(ax, mark, outputs, colour):
    values = look_up(mark.values, outputs)
    fall = np.nanmax(values) - values
    grids = (np.linspace(*_span(given, outputs), size) for given, size in zip((mark.x, mark.y), values.shape[::-1]))
    ax.contour(*grids, fall, levels=mark.levels, colors=colour, linewidths=0.8)


_DRAW = {"Line": _line, "Dots": _dots, "Bars": _bars, "Spans": _spans, "Rule": _rule, "Contours": _contours}
