"""The live figures as Python objects: what they accept, what they say of themselves, and the HTML that pages get."""

import json
import re
import subprocess
import sys
from html import escape
from html.parser import HTMLParser

import pytest
from live_fixtures import FIGURES, html

from compecon.errors import ConvergenceError, ParameterError
from compecon.live import bundle, parts
from compecon.live.controls import Choice, Slider, Switch
from compecon.live.engine import FAILED
from compecon.live.figure import LiveFigure
from compecon.live.markup import page, written

VIEW = "application/vnd.jupyter.widget-view+json"
VOID = {"input", "path", "use", "br"}

every_figure = pytest.mark.parametrize("kind", FIGURES, ids=lambda kind: kind.__name__)


class Elements(HTMLParser):
    """The elements of a page as (tag, attributes); an end tag that closes nothing is an error."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open, self.scripts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)

    def having(self, name):
        """The attributes of the elements that have that one."""
        return [attributes for _, attributes in self.found if name in attributes]


class Hostile(LiveFigure):
    """A figure whose texts try to be markup."""

    name = title = caption = '</script><!-- <script> "A" & \'B\''
    level = Slider(-2.5, "<b>level</b> & more", low=-5, high=5, step=0.5, format=".0f", unit=" </output>")
    where = Choice("a", "</label>", {"a": "<option>", "b": "&amp;"})
    grand = Switch(True, "<input>")
    readouts = (parts.Readout("level_too", "</dl>", "level", ".0f", " <i>"),)
    panels = (parts.Panel("<svg>", parts.Axis("</svg><b>"), parts.Axis("$&lt;$"),
                          (parts.Rule(y="level", label="</ul>"),), '" onload="x {level_too} {where} {grand}'),)


# Controls


def wrong_values(control):
    """Values that a control does not have, and what is said of them."""
    if isinstance(control, Slider):
        low, high = control.limits
        bounds = f"it must lie between {low:g} and {high:g}."
        return [(value, bounds) for value in (low - 1, high + 1, float("nan"), "much", None)]
    if isinstance(control, Choice):
        return [(value, f"choose one of {', '.join(map(repr, control.options))}.") for value in (-1, "no such", None)]
    return [(value, "it is True or False.") for value in (2, "yes", None)]


@every_figure
def test_a_value_that_the_page_cannot_show_is_refused(kind):
    figure = kind()
    start = figure.values()
    for name, control in kind.controls().items():
        for value, bounds in wrong_values(control):
            expected = f"{name} = {value!r}; {bounds}"
            with pytest.raises(ParameterError) as assigned:
                setattr(figure, name, value)
            with pytest.raises(ParameterError) as constructed:
                kind(**{name: value})
            assert str(assigned.value) == str(constructed.value) == expected
    assert figure.values() == start


@every_figure
def test_an_unknown_control_or_button_is_refused_with_the_list_of_those_there_are(kind):
    names = ", ".join(kind.controls())
    with pytest.raises(ParameterError, match=f"{kind.__name__} has no control colour, size; it has {names}."):
        kind(size=1, colour="red")
    keys = ", ".join(button.key for button in kind.buttons)
    with pytest.raises(ParameterError, match=f"{kind.__name__} has no button 'fly'; it has {keys}"):
        kind().press("fly")


@every_figure
def test_repr_is_the_call_that_makes_the_figure_again(kind):
    figure = kind()
    again = eval(repr(figure), {kind.__name__: kind})
    assert repr(figure).startswith(f"{kind.__name__}({next(iter(kind.controls()))}=")
    assert again.values() == figure.values()


@every_figure
def test_a_control_is_passed_to_a_kernel_that_takes_it(kind):
    taken = {argument for part in (*kind.runs, *kind.buttons) for argument in kernel_arguments(part.kernel)}
    assert set(kind.controls()) <= taken
    for run in kind.runs:
        assert set(run.on or ()) <= set(kind.controls())
    for button in kind.buttons:
        assert {control for control, _ in button.moves} <= set(kind.controls())


def kernel_arguments(name):
    return {argument for argument, _ in json.loads(bundle.MANIFEST.read_text())["kernels"][name]}


@every_figure
def test_when_a_kernel_fails_the_figure_says_its_message_until_a_control_moves(kind, monkeypatch):
    figure, run = kind(), next(run for run in kind.runs if run.on != ())
    figure.read()
    monkeypatch.setattr(figure._engine, "finish", lambda name, numbers: figure._engine.status.update({name: FAILED}))
    name, control = next((name, control) for name, control in kind.controls().items() if not run.on or name in run.on)
    setattr(figure, name, other_value(control, getattr(figure, name)))
    message = figure.spec()["kernels"][run.kernel]["message"]
    with pytest.raises(ConvergenceError, match=re.escape(f"{kind.name}: {message}")):
        figure.read()
    shown = figure._repr_mimebundle_()[0]
    assert VIEW in shown and "<svg" not in shown["text/html"] and "data-value" not in shown["text/html"]
    assert escape(message) in shown["text/html"]
    monkeypatch.undo()
    setattr(figure, name, kind.controls()[name].default_value)
    assert figure.read() == kind().read()


@every_figure
def test_when_a_button_fails_it_says_so_once_moves_nothing_and_the_next_move_goes_on(kind, monkeypatch):
    for button in kind.buttons:
        figure = kind()
        start, expected, call = figure.values(), figure.read(), figure._engine.call
        refuse = lambda name, *rest: figure._engine.status.update({name: FAILED}) or FAILED  # noqa: E731
        monkeypatch.setattr(figure._engine, "call", lambda name, *rest: (refuse if name == button.kernel else call)(
            name, *rest))
        with pytest.raises(ConvergenceError, match=f"^{kind.name}: "):
            figure.press(button.key)
        assert figure.values() == start
        monkeypatch.undo()
        name, control = next(iter(kind.controls().items()))
        setattr(figure, name, other_value(control, start[name]))
        setattr(figure, name, start[name])
        assert figure.read() == expected


def other_value(control, value):
    """Another value of a control."""
    if isinstance(control, Slider):
        return control.low if value != control.low else control.high
    return next(option for option in (control.options if isinstance(control, Choice) else (True, False))
                if option != value)


# The page's HTML


@every_figure
def test_a_figure_has_all_that_a_page_needs(kind):
    elements = Elements(html(kind))
    assert [a["data-live-figure"] for a in elements.having("data-live-figure")] == [kind.name]
    assert re.fullmatch("[a-z]+(-[a-z]+)*", kind.name) and kind.title and len(kind.caption) > 40
    tags = [tag for tag, _ in elements.found]
    assert tags.count("figcaption") == 1 and tags.count("figure") == 1
    assert sum(a.get("type") == "range" for _, a in elements.found) >= 1
    assert [a["data-control"] for a in elements.having("data-control")] == list(kind.controls())
    assert [a["data-button"] for a in elements.having("data-button")] == [button.key for button in kind.buttons]
    assert [a["data-readout"] for a in elements.having("data-readout")] == [r.key for r in kind.readouts]
    expected = kind().read()
    assert all(float(a["data-value"]) == expected[a["data-readout"]] for a in elements.having("data-readout"))
    boxes = [a for _, a in elements.found if a.get("role") == "img"]
    assert len(boxes) == len(kind.panels) == tags.count("svg")
    assert all(len(a["aria-label"]) > 20 and not re.search("[{}–]|\bnan\b", a["aria-label"]) for a in boxes)
    assert [a["class"] for _, a in elements.found if a.get("role") == "status"] == ["live-message"]


@every_figure
def test_the_embedded_data_is_strict_json_with_all_that_the_script_reads(kind):
    def refuse(constant):
        raise AssertionError(constant)

    (text,) = Elements(html(kind)).scripts
    spec = json.loads(text, parse_constant=refuse)
    assert spec == json.loads(json.dumps(kind().spec()))
    assert set(spec["kernels"]) == {part.kernel for part in (*kind.runs, *kind.buttons)}
    assert all(len(kernel["message"]) > 20 for kernel in spec["kernels"].values())
    assert "progress" in spec["arrays"]


@every_figure
def test_two_builds_give_the_same_page(kind):
    assert kind()._repr_mimebundle_()[0]["text/html"] == html(kind)


@every_figure
def test_a_notebook_gets_text_html_and_a_widget(kind):
    figure = kind()
    data, metadata = figure._repr_mimebundle_()
    assert {"text/plain", "text/html", VIEW} <= set(data)
    assert data["text/plain"] == repr(figure)
    assert data[VIEW]["model_id"] == figure.model_id


def test_ids_in_a_page_with_all_figures_are_unique_and_found():
    elements = Elements("\n".join(html(kind) for kind in FIGURES))
    ids = [attributes["id"] for attributes in elements.having("id")]
    assert sorted(ids) == sorted(set(ids))
    used = [match for _, a in elements.found for value in a.values() if value
            for match in re.findall(r"url\(#([^)]+)\)|^#(.+)", value)]
    assert {left or right for left, right in used} <= set(ids)
    assert used


def test_text_stays_text_whatever_it_holds():
    figure = Hostile()
    elements = Elements(page(figure))
    assert [tag for tag, _ in elements.found].count("script") == 1
    (text,) = elements.scripts
    assert "<" not in text and json.loads(text)["name"] == Hostile.name
    assert [a["aria-label"] for _, a in elements.found if a.get("role") == "img"] == ['" onload="x – <option> true']
    assert not {"b", "i"} & {tag for tag, _ in elements.found}
    # matplotlib writes the picture's text.
    drawn = Elements(page(figure, pictures=True))
    assert [tag for tag, _ in drawn.found].count("svg") == 1 and not {"b", "i"} & {tag for tag, _ in drawn.found}
    assert "&lt;/svg&gt;&lt;b&gt;" in page(figure, pictures=True) and "$&amp;lt;$" in page(figure, pictures=True)


@pytest.mark.parametrize("number, form, text", [
    (0.5, ".0f", "1"), (2.5, ".0f", "3"), (-0.5, ".0f", "−1"), (0.125, ".2f", "0.13"), (-0.001, ".2f", "0.00"),
    (1.005, ".2f", "1.00"), (1234567.5, ",.0f", "1,234,568"), (-12.34, "+.1f", "−12.3"), (0.045, ".0%", "5%"),
    (1250.0, ".1e", "1.2e+3"), (1e-9, ".0e", "1e-9"), (-1e300, ".0f", f"−{int(1e300)}"),
])  # fmt: skip
def test_numbers_are_written_as_the_page_writes_them(number, form, text):
    assert written(number, form) == text


# What readers download


def test_the_files_of_a_page_are_small():
    assert (bundle.ASSETS / "plot.js").stat().st_size < 300_000
    assert len(bundle.script().encode()) + len(bundle.style().encode()) < 400_000, "the script holds the kernels"


def test_nothing_in_them_names_another_host():
    text = bundle.script() + bundle.style()
    hosts = set(re.findall(r"(?:https?:)?//([a-z][\w.-]*\.[a-z]{2,})/", text))
    assert hosts <= {"www.w3.org"}, "XML namespaces alone"
    assert not re.search(r"\b(fetch|XMLHttpRequest|importScripts)\s*\(|@import|\bimport\s*\(", text)


def test_a_still_picture_leaves_pyplot_alone():
    # Were pyplot loaded inside rc_context, Jupyter would show no picture of matplotlib's after it.
    code = ("import sys; from compecon import live; live.ZurchersChoice()._repr_mimebundle_(); "
            "sys.exit('matplotlib.pyplot' in sys.modules)")
    subprocess.run([sys.executable, "-c", code], check=True)
