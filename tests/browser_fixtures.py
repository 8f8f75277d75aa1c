"""Chromium for the tests: where it is, how a page is opened and watched, and what every page is held to."""

import os
import shutil
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

HTML = Path(__file__).resolve().parents[1] / "_build" / "html"
SPECIAL = {"index.html", "search.html", "genindex.html", "prf-prf.html", "py-modindex.html"}
PAGES = sorted(path for path in HTML.rglob("*.html")
               if not {"_static", "lectures"} & set(path.parts) and path.name not in SPECIAL)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]

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

# Contrast (WCAG) against the colour behind it, where both are plain colours: of text below `root`, at least 4.5 : 1,
# but for what matches `left_out`; and of the colour of elements that match `shapes`, at least 3 : 1.
FAINT = r"""([root, left_out, shapes]) => {
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
  const ink = (e) => getComputedStyle(e)[e.closest("svg") ? "fill" : "color"];
  const ratio = (e, ground) => {
    const [a, b] = [light(rgb(ink(e))), light(behind(ground))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const faint = [];
  const note = (e, ground, least, words) => {
    if (ratio(e, ground) < least) faint.push(`${ratio(e, ground).toFixed(2)}: ${words.trim().slice(0, 60)}`);
  };
  const walker = document.createTreeWalker(document.querySelector(root), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, e = node.parentElement;
    if (!node.data.trim() || !e.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    if (!e.closest(left_out)) note(e, e, 4.5, node.data);
  }
  if (shapes) document.querySelectorAll(shapes).forEach((e) => note(e, e.parentElement, 3, e.outerHTML));
  return faint;
}"""


def unless_present(what, present):
    """Skip where something is missing, but fail in CI."""
    if not present:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is missing")


@contextmanager
def chromium():
    """A running Chromium."""
    unless_present("chromium", CHROMIUM)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def served(folder):
    """The address at which this machine serves a folder."""
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def new_page(browser, allowed="file:", width=1280, height=900, **options):
    """An empty page of its own context. `problems` lists what it logs as an error and asks for outside `allowed`."""
    page = browser.new_context(viewport={"width": width, "height": height}, **options).new_page()
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
    return page
