"""The live figures in the built book, served as static files: there at once, alone, still in place, and right.

Run as `make check-book`, after `make book`. That each figure is right in every state is tested without the book
(test_live_*.py); here one move of each must arrive.
"""

import pytest
from browser_fixtures import HTML, PAGES, new_page
from live_fixtures import FIGURES, TOOLS, after_a_move, differences

pytestmark = pytest.mark.browser

CHAPTERS = [path.relative_to(HTML).as_posix() for path in PAGES if path.parent.name == "chapters"]
FIRST = 1000  # milliseconds after the page itself is there

MOUNTED = """() => [...document.querySelectorAll("[data-live-figure]")].map((root) => root.dataset.state ?? "none")"""
FOCUS = """(k) => { window.live = () => document.querySelectorAll("[data-live-figure]")[k]; return rested(); }"""
# When each figure has first said its state, from when on its controls answer, and where its parts stood then: under the
# still pictures, before anything was drawn.
FIGURE_TIMES = """
window.times = {};
window.stood = {};
window.standing = (root) => [root, ...root.querySelectorAll(".live-panels, .live-box, .live-readouts, figcaption")]
  .map((part) => [part.offsetTop - root.offsetTop, part.offsetLeft - root.offsetLeft, part.offsetHeight]);
new MutationObserver((changes) => changes.forEach(({target}) => {
  times[target.dataset.liveFigure] ??= performance.now();
  stood[target.dataset.liveFigure] ??= standing(target);
})).observe(document, {subtree: true, attributeFilter: ["data-state"]});
"""
STANDING = """() => Object.fromEntries([...document.querySelectorAll("[data-live-figure]")]
  .map((root) => [root.dataset.liveFigure, standing(root)]))"""


@pytest.fixture
def open_figures(book_browser, book_server):
    """A function that opens a page of the served book, with the tests' tools in it."""
    pages = []

    def opened(path, width=1280):
        page = new_page(book_browser, book_server, width)
        pages.append(page)
        page.add_init_script(TOOLS + FIGURE_TIMES)
        page.goto(f"{book_server}/{path}")
        page.wait_for_function(f"({MOUNTED})().every((state) => state !== 'none')")
        return page

    yield opened
    for page in pages:
        page.context.close()


def test_every_figure_of_the_gallery_answers_within_a_second(open_figures):
    latest = []
    for _ in range(4):
        page = open_figures("book/gallery.html")
        times = page.evaluate("times")
        there = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventStart")
        assert set(times) == {kind.name for kind in FIGURES} and page.problems == []
        latest.append(max(times.values()) - there)
        if latest[-1] < FIRST:
            break
    assert min(latest) < FIRST, times


@pytest.mark.parametrize("width", [360, 1280, 1600])
@pytest.mark.parametrize("path", ["book/gallery.html", "book/intro.html", "book/chapters/09-nfxp.html"])
def test_nothing_in_a_figure_moves_when_it_is_first_drawn(open_figures, path, width):
    page = open_figures(path, width)
    page.wait_for_function("[...document.querySelectorAll('[data-live-figure]')].every((root) => root.figure?.drawn)")
    before, after = page.evaluate("stood"), page.evaluate(STANDING)
    for name, parts in after.items():
        # Positions come rounded to whole pixels.
        assert parts == [pytest.approx(part, abs=1) for part in before[name]], name


def test_a_move_of_each_figure_in_the_gallery_shows_what_python_shows(open_figures):
    page = open_figures("book/gallery.html")
    for place in range(len(FIGURES)):
        page.evaluate(FOCUS, place)
        assert after_a_move(page) == []
    assert page.problems == []


@pytest.mark.parametrize("path", CHAPTERS)
def test_a_move_of_each_chapters_figure_shows_what_python_shows(open_figures, path):
    page = open_figures(path)
    page.evaluate(FOCUS, 0)
    assert after_a_move(page) == [] and page.problems == []


@pytest.mark.parametrize("path", ["book/intro.html", "book/chapters/09-nfxp.html"])
def test_rusts_data_are_estimated_in_the_page(open_figures, path):
    page = open_figures(path)
    page.evaluate(FOCUS, 0)
    figure = next(kind for kind in FIGURES if kind.name == "nfxp-by-hand")()
    assert page.evaluate("live().dataset.liveFigure") == figure.name
    page.evaluate("(key) => { live().querySelector(`[data-button=${key}]`).click(); return rested(); }", "climb")
    figure.press("climb")
    assert differences(page, figure) == [] and page.problems == []


def test_the_landing_page_opens_with_a_figure(open_figures):
    page = open_figures("book/intro.html")
    assert page.evaluate("document.querySelector('[data-live-figure]').getBoundingClientRect().top") < 450


def test_a_page_tells_how_long_the_readers_browser_took(open_figures):
    page = open_figures("book/how-it-computes.html")
    page.evaluate(FOCUS, 0)
    page.evaluate("() => { move({RC: 5}); return rested(); }")
    assert float(page.locator("#redraw").inner_text()) > 0


def test_a_page_without_figures_loads_no_figures(open_figures):
    sources = open_figures("book/references.html").evaluate("[...document.scripts].map((script) => script.src)")
    assert not any("compecon-live" in source for source in sources)
    assert (HTML / "_static" / "compecon-live.js").exists()
