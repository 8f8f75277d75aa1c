"""Every page of the built book in a browser: it asks for nothing outside, logs no error, and can be read.

Run as `make check-book`, after `make book`. The pages are opened from the disk, as by a double-click, which is
the strictest case. Where CI is set, a missing book or a missing Chromium is a failure; elsewhere the tests are skipped.
"""

import importlib
import re
from pathlib import Path

import pytest
from browser_fixtures import CHROMIUM, FAINT, HTML, PAGES, TOO_WIDE, new_page, unless_present
from bs4 import BeautifulSoup

# What is no text of the page, or lies on more than a plain colour.
NO_TEXT = "svg, script, style, .headerlink, button, mjx-assistive-mml, .visually-hidden"

pytestmark = pytest.mark.browser

# Text that MathJax should have set: TeX delimiters or commands outside code and formulas; and formulas that it could
# not set.
RAW_TEX = r"""() => {
  const found = [];
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest("pre, code, script, style, mjx-container")) continue;
    const raw = /\\\(|\\\[|\$\$|\\begin\{|\\(frac|theta|beta|sum|text)\b/.test(node.data);
    if (raw) found.push(node.data.trim().slice(0, 80));
  }
  for (const bad of document.querySelectorAll("mjx-merror, [data-mjx-error]"))
    found.push("MathJax: " + bad.textContent.slice(0, 80));
  return found;
}"""

@pytest.fixture
def open_page(book_browser):
    """A function that opens an address; every request it makes and everything it logs is held against `allowed`."""
    pages = []

    def opened(address, width=1280, scheme="light", allowed="file:"):
        page = new_page(book_browser, allowed, width, color_scheme=scheme)
        pages.append(page)
        page.goto(address, wait_until="load")
        page.evaluate("() => window.MathJax?.startup?.promise")
        return page

    yield opened
    for page in pages:
        page.context.close()


def test_the_book_has_been_built():
    unless_present("the built book (make book)", PAGES)
    unless_present("chromium", CHROMIUM)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_loads_alone_and_without_errors(open_page, path):
    page = open_page(path.as_uri())
    assert page.problems == []
    assert page.evaluate(RAW_TEX) == []
    assert page.locator("article h1").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_fits_a_phone_and_can_be_read(open_page, path, scheme):
    page = open_page(path.as_uri(), width=360, scheme=scheme)
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate("() => document.documentElement.dataset.theme") == scheme
    assert page.evaluate(FAINT, ["article", NO_TEXT, None]) == []
    assert page.problems == []


def test_search_finds_a_page_without_the_network(open_page, book_server):
    page = open_page(f"{book_server}/search.html?q=Zurcher", allowed=book_server)
    page.wait_for_selector("#search-results a[href*='intro.html']")
    assert page.locator("#search-results li").count() > 5
    assert page.problems == []


def test_the_theme_button_changes_the_theme(open_page):
    page = open_page(PAGES[0].as_uri())
    seen = set()
    for _ in range(3):
        page.locator("button.theme-switch-button:visible").first.click()
        seen.add(page.evaluate("() => document.documentElement.dataset.theme"))
    assert seen == {"light", "dark"} and page.problems == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_launch_buttons_open_the_notebook(open_page, path):
    page = open_page(path.as_uri())
    notebook = Path(__file__).resolve().parents[1] / "notebooks" / f"{path.stem}.ipynb"
    for service, end in (("colab.research", f"/blob/main/notebooks/{path.stem}.ipynb"),
                         ("mybinder", f"/main?urlpath=lab/tree/notebooks/{path.stem}.ipynb")):
        links = page.evaluate(f"() => [...document.querySelectorAll('a[href*=\"{service}\"]')].map((a) => a.href)")
        assert bool(links) == notebook.exists()
        assert all(link.endswith(end) for link in links)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_figure_that_a_cell_draws_is_on_its_page(path):
    source = Path(__file__).resolve().parents[1] / path.relative_to(HTML).with_suffix(".md")
    names = re.findall(r"^    name: (fig-[\w-]+)$", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    for name in names:
        images = page.select(f"figure#{name} img")
        assert len(images) == 1 and (path.parent / images[0]["src"]).exists(), name


PARTS = ["likelihood", "zurcher", "blp", "live", "exercises", "datasets", "plotting", "errors"]


@pytest.mark.parametrize("part", PARTS)
def test_the_api_reference_holds_every_public_function_and_class(part):
    module = importlib.import_module(f"compecon.{part}")
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    public = [name for name in getattr(module, "__all__", own)
              if name[0] != "_" and callable(getattr(module, name))]
    text = (HTML / f"book/api/{part}.html").read_text(encoding="utf-8")
    assert public and [name for name in public if f'id="compecon.{part}.{name}"' not in text] == []
