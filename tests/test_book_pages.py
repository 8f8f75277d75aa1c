"""Every page of the built book in a browser: it asks for nothing outside, logs no error, and can be read.

Run as `make check-book`, after `make book`. The pages are opened from the disk, as by a double-click, which is
the strictest case. Where CI is set, a missing book or a missing Chromium is a failure; elsewhere the tests are skipped.
"""

import os
import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

HTML = Path(__file__).resolve().parents[1] / "_build" / "html"
SPECIAL = {"index.html", "search.html", "genindex.html"}
PAGES = sorted(path for path in HTML.rglob("*.html") if "_static" not in path.parts and path.name not in SPECIAL)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]

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

# Elements that reach over the right edge, but for those inside a box that scrolls by itself.
TOO_WIDE = r"""() => {
  const boxed = (e) => ["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX);
  const scrolls = (e) => e && (boxed(e) || scrolls(e.parentElement));
  const wide = [...document.querySelectorAll("main *")].filter(
    (e) => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement));
  const page = document.scrollingElement.scrollWidth;
  if (page <= innerWidth) return [];
  return [`the page is ${page} px wide`, ...wide.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))];
}"""

# Contrast of text against the colour behind it (WCAG), where both are plain colours.
FAINT = r"""() => {
  document.getAnimations().forEach((animation) => animation.finish());
  const rgb = (c) => (c.match(/[\d.]+/g) || []).map(Number);
  const light = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0.9) return c;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, e = node.parentElement;
    if (!node.data.trim() || !e.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    if (e.closest("svg, script, style, .headerlink, button, mjx-assistive-mml, .visually-hidden")) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)}: ${node.data.trim().slice(0, 60)}`);
  }
  return faint;
}"""


def unless_present(what, present):
    """Skip where something is missing, but fail in CI."""
    if not present:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is missing")


@pytest.fixture(scope="module")
def browser():
    unless_present("the built book (make book)", PAGES)
    unless_present("chromium", CHROMIUM)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """A function that opens an address; every request it makes and everything it logs is held against `allowed`."""
    contexts = []

    def opened(address, width=1280, scheme="light", allowed="file:"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.problems = []

        def route(route):
            if route.request.url.startswith((allowed, "data:", "blob:")):
                return route.continue_()
            page.problems.append(f"asks for {route.request.url}")
            return route.abort()

        page.route("**/*", route)
        page.on("console", lambda message: message.type == "error" and page.problems.append(message.text))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("requestfailed", lambda request: page.problems.append(f"could not load {request.url}"))
        page.goto(address, wait_until="load")
        page.evaluate("() => window.MathJax?.startup?.promise")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def server():
    """The built book at an address of this machine."""
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=HTML))
    Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


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
    assert page.evaluate(FAINT) == []
    assert page.problems == []


def test_search_finds_a_page_without_the_network(open_page, server):
    page = open_page(f"{server}/search.html?q=Zurcher", allowed=server)
    page.wait_for_selector("#search-results li")
    assert page.locator("#search-results a[href*='intro.html']").count() >= 1
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
    links = page.evaluate("() => [...document.querySelectorAll('a[href*=\"colab.research\"]')].map((a) => a.href)")
    notebook = Path(__file__).resolve().parents[1] / "notebooks" / f"{path.stem}.ipynb"
    assert bool(links) == notebook.exists()
    assert all(link.endswith(f"/blob/main/notebooks/{path.stem}.ipynb") for link in links)
