"""The HTML of a figure: all that a reader sees without JavaScript, and what the script brings to life with it.

The script adds nothing that takes room, so that no page jumps when it starts.
"""

import re
from decimal import ROUND_HALF_UP, Context, Decimal
from html import escape

from compecon._embedding import embedded
from compecon.errors import ConvergenceError
from compecon.live.controls import Choice, Slider
from compecon.live.parts import look_up
from compecon.live.picture import drawing


def page(figure, pictures=False):
    """The figure as HTML; with `pictures` also drawn and read out, for readers without JavaScript and for paper."""
    outputs, message = _results(figure) if pictures else (None, "")
    words = {name: shown(control, getattr(figure, name)) for name, control in figure.controls().items()}
    words |= {r.key: spoken(r, outputs) for r in figure.readouts}
    parts = [
        f'<figure class="live" data-live-figure="{escape(figure.name)}" aria-label="{escape(figure.title)}">',
        f'<p class="live-title">{escape(figure.title)}</p>',
        '<div class="live-controls">', *map(_control_of(figure), figure.controls().items()),
        *(f'<button type="button" data-button="{b.key}" disabled>{escape(b.label)}</button>' for b in figure.buttons),
        "</div>",
        f'<p class="live-message" role="status">{escape(message)}</p>',
        '<div class="live-panels">', *(_panel(panel, outputs, words) for panel in figure.panels), "</div>",
        '<div class="live-readouts">', *(_readout(r, outputs, words[r.key]) for r in figure.readouts), "</div>",
        f"<figcaption>{escape(figure.caption)}</figcaption>",
        f'<script type="application/json">{embedded(figure.spec())}</script>',
        "</figure>",
    ]  # fmt: skip
    return "\n".join(parts)


def _results(figure):
    """The figure's outputs and nothing to say, or none and why."""
    try:
        return figure.outputs(), ""
    except ConvergenceError as error:
        return None, str(error)


def spoken(readout, outputs):
    """A read-out's number as text, with the minus sign that the page writes; a dash where it is not known."""
    if outputs is None:
        return "–"
    number = float(look_up(readout.value, outputs))
    return dict(readout.words).get(number, written(number, readout.format) + readout.unit)


def shown(control, value):
    """A control's value as the page writes it."""
    if isinstance(control, Slider):
        return written(value, control.format) + control.unit
    return str(control.options[value]) if isinstance(control, Choice) else str(value).lower()


def written(number, form):
    """`format` as the page's script does it: halves away from zero, no minus before zero, no zero before an exponent.

    >>> format(-2.5, ".0f"), written(-2.5, ".0f"), written(-0.001, ".2f"), written(1250, ".1e")
    ('-2', '−3', '0.00', '1.2e+3')
    """
    if form[-1] in "f%":
        digits = re.search(r"\.(\d+)", form)
        place = Decimal(1).scaleb(-int(digits[1]) if digits else -6)
        exact = Decimal(100.0 * number if form[-1] == "%" else number)
        rounded = exact.quantize(place, ROUND_HALF_UP, Context(prec=400))
        signed = rounded if rounded or "+" in form else abs(rounded)
        text = format(signed, form[:-1] + "f") + "%" * (form[-1] == "%")
    else:
        text = re.sub(r"(?<=e[+-])0+(?=\d)", "", format(number, form))
    return re.sub("^-", "−", text)


def _control_of(figure):
    """A function from a (name, control) to its HTML at the figure's present value."""

    def html(item):
        name, control = item
        value = getattr(figure, name)
        label = f"<span>{escape(control.label)}</span>"
        if isinstance(control, Slider):
            face = control.face(value)
            stops = control.stops
            at = value if stops is None else min(range(len(stops)), key=lambda i: abs(stops[i] - value))
            limits = f'min="{face["min"]}" max="{face["max"]}" step="{face["step"]}" value="{at}"'
            # No <output>: a label's first output, not its slider, would get the label as its name.
            text, known = escape(shown(control, value)), escape(control.label)
            return (f'<label class="live-control">{label}<span class="live-value">{text}</span>'
                    f'<input type="range" data-control="{name}" aria-label="{known}" {limits} disabled></label>')
        if isinstance(control, Choice):
            options = "".join(f"<option{' selected' if option == value else ''}>{escape(str(text))}</option>"
                              for option, text in control.options.items())
            return (f'<label class="live-control">{label}<select data-control="{name}" disabled>{options}</select>'
                    "</label>")
        checked = " checked" if value else ""
        return (f'<label class="live-control live-switch"><input type="checkbox" data-control="{name}"{checked} '
                f"disabled>{label}</label>")

    return html


def _panel(panel, outputs, words):
    """A panel: title, legend, and the box that holds the picture."""
    picture = "" if outputs is None else drawing(panel, outputs)
    legend = "".join(
        f'<li><span class="live-swatch live-{type(mark).__name__.lower()} live-tone-{mark.tone}'
        f'{" live-dashed" if getattr(mark, "dashed", False) else ""}'
        f'{" live-hollow" if getattr(mark, "hollow", False) else ""}"></span>{escape(mark.label)}</li>'
        for mark in panel.marks if mark.label
    )
    drag = " live-drag" if panel.drag else ""
    return (f'<div class="live-panel"><p>{escape(panel.title)}</p><ul>{legend}</ul>'
            f'<div class="live-box{drag}" role="img" aria-label="{escape(panel.alt.format(**words))}">{picture}</div>'
            "</div>")


def _readout(readout, outputs, text):
    """A read-out with its number in full precision beside the text."""
    full = "" if outputs is None else f' data-value="{float(look_up(readout.value, outputs))!r}"'
    return (f"<p><span>{escape(readout.label)}</span> "
            f'<output data-readout="{readout.key}"{full}>{escape(text)}</output></p>')
