"""The lectures: ten decks of 15 to 25 slides with notes, each with a live figure, that work without a network.

The decks in Chromium need `make slides`; run as part of `make check-book`.
"""

import os
import re
from pathlib import Path

import jupytext
import pytest
from browser_fixtures import CHROMIUM, HTML, new_page, unless_present
from build_notebooks import tags
from build_slides import slides_of
from live_fixtures import TOOLS, after_a_move

DECKS = sorted((Path(__file__).resolve().parents[1] / "book/lectures").glob("*.md"))
BUILT = HTML / "lectures"

OVERFLOW = """(place) => {
  Reveal.slide(place);
  const slide = Reveal.getCurrentSlide();
  return [slide.scrollHeight - slide.clientHeight, slide.scrollWidth - slide.clientWidth];
}"""
RAW_TEX = r"""() => [...document.querySelectorAll("section")].map((section) => section.textContent)
  .filter((text) => /\$\$|\\frac|\\sum/.test(text))"""
SHOW = """(place) => {
  const figure = document.querySelectorAll("[data-live-figure]")[place];
  Reveal.slide([...document.querySelectorAll(".slides > section")].indexOf(figure.closest("section")));
  window.live = () => figure;
  return rested();
}"""


@pytest.fixture(scope="module", params=DECKS, ids=lambda path: path.stem)
def slides(request):
    """The slides of one deck, as lists of cells."""
    return slides_of(jupytext.reads(request.param.read_text(encoding="utf-8"), fmt="md:myst"))


def notes_of(slide):
    return [cell for cell in slide if "notes" in tags(cell)]


def test_there_are_ten_decks():
    assert [path.stem for path in DECKS] == [f"lecture-{week:02d}" for week in range(1, 11)]


def test_a_deck_has_15_to_25_slides_and_a_live_figure(slides):
    assert 15 <= len(slides) <= 25
    assert any(re.search(r"\blive\.[A-Z]\w+\(", cell.source) for slide in slides for cell in slide)


def test_the_speaker_has_notes_on_most_slides(slides):
    assert sum(bool(notes_of(slide)) for slide in slides) >= 0.6 * len(slides)


def test_a_slide_holds_little(slides):
    for slide in slides:
        shown = [cell for cell in slide if not notes_of([cell])]
        words = sum(len(cell.source.split()) for cell in shown if cell.cell_type == "markdown")
        lines = sum(len(cell.source.splitlines()) for cell in shown if cell.cell_type == "code")
        assert words <= 110 and lines <= 16, shown[0].source.splitlines()[0]


def test_the_lecturers_plan_names_each_deck_and_the_exercises_in_it():
    plan = (DECKS[0].parents[1] / "lecturers.md").read_text(encoding="utf-8")
    row = r"^\| \d+ \| <a href=\"../lectures/(.+).html\">(.+?)</a> \| .+? \| (.+?) \|"
    rows = re.findall(row, plan, flags=re.MULTILINE)
    assert [name for name, _, _ in rows] == [path.stem for path in DECKS]
    for path, (_, title, exercises) in zip(DECKS, rows):
        text = path.read_text(encoding="utf-8")
        assert f"# {title}\n" in text
        assert set(exercises.split(", ")) == set(re.findall(r'check\("([\d.]+)"', text)), path.stem


@pytest.fixture
def open_deck(browser):
    """A function that opens a built deck from the disk."""
    pages = []

    def opened(path):
        built = BUILT / f"{path.stem}.html"
        if not built.exists() and "CI" not in os.environ:
            pytest.skip("the lectures are not built (make slides)")
        page = new_page(browser, "file:", 1280)
        page.set_viewport_size({"width": 1280, "height": 720})
        pages.append(page)
        page.add_init_script(TOOLS)
        page.goto(built.as_uri())
        page.wait_for_function("window.Reveal?.isReady()")
        page.evaluate("() => MathJax.startup.promise")
        return page

    unless_present("chromium", CHROMIUM)
    yield opened
    for page in pages:
        page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("path", DECKS, ids=lambda path: path.stem)
def test_a_deck_runs_alone_and_its_slides_fit_the_screen(open_deck, path):
    page = open_deck(path)
    for place in range(page.evaluate("Reveal.getTotalSlides()")):
        assert max(page.evaluate(OVERFLOW, place)) <= 1, f"slide {place + 1}"
    assert page.evaluate(RAW_TEX) == [] and page.locator("mjx-merror").count() == 0
    assert page.problems == []


@pytest.mark.browser
@pytest.mark.parametrize("path", DECKS, ids=lambda path: path.stem)
def test_a_figure_on_a_slide_shows_what_python_shows_after_a_move(open_deck, path):
    page = open_deck(path)
    for place in range(page.locator("[data-live-figure]").count()):
        page.evaluate(SHOW, place)
        assert after_a_move(page) == []
    assert page.problems == []
