"""Live figures for every reader: by keyboard, by screen reader, on a phone, in the dark, on paper, with no script."""

import re

import pytest
from browser_fixtures import FAINT, TOO_WIDE
from live_fixtures import FIGURES, html, opened, write_page

from compecon.live.controls import Choice, Slider
from compecon.live.markup import shown, spoken

WIDTHS = (360, 1600)
NO_TEXT = "script, style, option"


@pytest.fixture(scope="module", params=FIGURES, ids=lambda kind: kind.__name__)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def page(browser, kind, tmp_path_factory):
    """The figure's page, which these tests do not change."""
    page = opened(browser, tmp_path_factory.mktemp("readers"), kind)
    yield page
    page.context.close()


# Keyboard and screen reader


# What has the focus: its control or button, and whether that can be seen.
FOCUSED = """() => {
  const {dataset} = document.activeElement, {outlineStyle, outlineWidth} = getComputedStyle(document.activeElement);
  return [dataset.control ?? dataset.button ?? null, outlineStyle !== "none" && parseFloat(outlineWidth) >= 2];
}"""


def test_the_tab_key_reaches_everything_in_order_and_shows_where_it_is(page, kind):
    expected = [*kind.controls(), *(button.key for button in kind.buttons)]
    page.evaluate("document.activeElement.blur()")
    found = []
    for _ in expected:
        page.keyboard.press("Tab")
        found.append(page.evaluate(FOCUSED))
    assert found == [[name, True] for name in expected]
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)[0] is None
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(FOCUSED) == [expected[-1], True]


def test_every_control_has_a_name_and_a_role(page, kind):
    roles = {Slider: "slider", Choice: "combobox"}
    for name, control in kind.controls().items():
        role = roles.get(type(control), "checkbox")
        found = page.get_by_role(role, name=control.label, exact=True)
        assert found.count() == 1 and found.get_attribute("data-control") == name
        if role == "slider":
            assert found.get_attribute("aria-valuetext") == shown(control, control.default_value)
    for button in kind.buttons:
        assert page.get_by_role("button", name=button.label, exact=True).count() == 1
    labels = [*(c.label for c in kind.controls().values()), *(button.label for button in kind.buttons)]
    assert len(set(labels)) == len(labels)


def test_pictures_messages_and_the_figure_are_announced(page, kind):
    assert page.get_by_role("figure", name=kind.title).count() == 1
    boxes = page.get_by_role("img").and_(page.locator(".live-box"))
    assert boxes.count() == len(kind.panels)
    assert all(len(boxes.nth(k).get_attribute("aria-label")) > 20 for k in range(boxes.count()))
    message = page.locator(".live-message")
    assert message.get_attribute("role") == "status" and message.is_visible()
    outputs = kind().outputs()
    said = [f"{readout.label} {spoken(readout, outputs)}" for readout in kind.readouts]
    assert [text.replace("\n", " ") for text in page.locator(".live-readouts p").all_inner_texts()] == said


# Colours and widths


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_curves_stand_out(page, theme):
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == {
        "light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 30)"}[theme]
    page.evaluate("""() => {
      const box = document.createElement("div");
      box.id = "tones";
      box.innerHTML = [1, 2, 3, 4].map((k) => `<i class="live-tone-${k}"></i>`).join("");
      document.querySelector("[data-live-figure]").append(box);
    }""")
    assert page.evaluate(FAINT, ["main", NO_TEXT, "#tones i, .live-swatch"]) == []
    page.evaluate("document.getElementById('tones').remove()")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_of_any_width_fits_and_does_not_jump(browser, kind, tmp_path, width):
    page = opened(browser, tmp_path, kind, width=width)
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate("shift") < 0.01
    outside = page.evaluate("""() => [...document.querySelectorAll(".live-box svg text")].filter((text) => {
      const [a, b] = [text, text.closest(".live-box")].map((e) => e.getBoundingClientRect());
      return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
    }).map((text) => text.textContent)""")
    assert outside == [], "text of a picture is cut off"
    assert page.problems == []
    page.context.close()


def test_a_picture_follows_the_width_of_the_window(browser, kind, tmp_path):
    page = opened(browser, tmp_path, kind, width=1280)
    page.set_viewport_size({"width": 420, "height": 900})
    page.wait_for_function("""[...document.querySelectorAll(".live-box")].every(
      (box) => Math.abs(box.picture.viewBox.baseVal.width - box.clientWidth) <= 1)""")
    assert page.evaluate(TOO_WIDE) == [] and page.problems == []
    page.context.close()


# Without JavaScript, and on paper


def visible(page, what):
    """How many of the elements that match can be seen."""
    return sum(element.is_visible() for element in page.locator(what).all())


def test_without_javascript_there_are_pictures_and_numbers_but_nothing_to_move(browser, kind, tmp_path):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 900})
    page, figure = context.new_page(), kind()
    page.goto(write_page(tmp_path, kind))
    assert visible(page, ".live-box svg") == len(kind.panels)
    assert visible(page, "input[type=range], button, .live-message") == 0
    outputs = figure.outputs()
    assert page.locator("[data-readout]").all_inner_texts() == [spoken(r, outputs) for r in kind.readouts]
    assert visible(page, "[data-readout]") == len(kind.readouts)
    sliders = [(name, c) for name, c in kind.controls().items() if isinstance(c, Slider)]
    assert page.locator(".live-value").all_inner_texts() == [shown(c, getattr(figure, n)) for n, c in sliders]
    assert page.locator("select:enabled, input:enabled").count() == 0
    boxes = [(box.bounding_box(), box.locator("svg").bounding_box()) for box in page.locator(".live-box").all()]
    assert all(box["width"] == svg["width"] <= 360 and box["height"] == svg["height"] for box, svg in boxes)
    context.close()


def test_on_paper_there_are_pictures_but_nothing_to_move(page, kind):
    page.emulate_media(media="print")
    assert visible(page, ".live-box svg") == len(kind.panels)
    assert visible(page, "[data-readout]") == len(kind.readouts)
    assert visible(page, "input[type=range], button, .live-message") == 0
    page.emulate_media(media="screen")
    assert visible(page, "input[type=range]") > 0


def test_the_still_pictures_follow_the_theme(kind):
    text = html(kind)
    pictures = re.findall("<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(pictures) == len(kind.panels)
    for picture in pictures:
        assert re.search(r"var\(--live-[1234]\)", picture) and "currentColor" in picture
        assert not re.search(r"(?<!url\()#[0-9a-f]{3,6}\b|rgb\(", re.sub('href="#[^"]*"', "", picture))
