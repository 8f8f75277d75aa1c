"""Print the whole book: one page of HTML from the pages that `make book` has built, then a PDF of it by Chromium.

Run as `make pdf`. Live figures appear as their still pictures, solutions are open, answer boxes are left out. The
result is _build/html/downloads/compecon-book.pdf, so that the published book offers it.
"""

import shutil
import sys
from pathlib import Path, PurePosixPath
from urllib.parse import urldefrag

import yaml
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build/html"
TARGET = HTML / "downloads/compecon-book.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
LIVE_STYLE = "_static/compecon-live.css"
LEFT_OUT = "script, .headerlink, .answer-box, .answer-elsewhere, .live-controls, .live-message, .toctree-wrapper"
PRINT = """
body { margin: 0; padding: 0 !important; }
main { max-width: none; }
section.page { break-before: page; }
.cell, figure, table, .admonition { break-inside: avoid-page; }
h1, h2, h3 { break-after: avoid-page; }
.sd-tab-content { display: block !important; order: 1; }
pre { white-space: pre-wrap; }
details, .toggle-hidden { display: block !important; visibility: visible !important; height: auto !important; }
"""
FOOTER = '<div style="font-size: 8px; width: 100%; text-align: center"><span class="pageNumber"></span></div>'


def pages_of_the_book():
    """Return the book's pages, as paths below _build/html without their ending, in the order of its contents."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *chapters]


def article(page, places):
    """Return one page's text as a section whose anchors and links are those of the whole book."""
    soup = BeautifulSoup((HTML / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    body = soup.select_one("article")
    for part in body.select(LEFT_OUT):
        part.decompose()
    for part in body.select("[id]"):
        part["id"] = f"{places[page]}-{part['id']}"
    for part in body.select("[href], [src]"):
        name = "href" if part.has_attr("href") else "src"
        part[name] = moved(part[name], page, places)
    return f'<section class="page" id="{places[page]}">{body.decode_contents()}</section>'


def moved(address, page, places):
    """Return an address on a page as one in the whole book: an anchor, or a path below _build/html."""
    path, anchor = urldefrag(address)
    if "://" in address or address.startswith(("mailto:", "data:")):
        return address
    parts = PurePosixPath(page).parent.joinpath(path).parts if path else (page,)
    joined = []
    for part in parts:
        joined = joined[:-1] if part == ".." else [*joined, part]
    target = "/".join(joined)
    known = places.get(target.removesuffix(".html"))
    return target if known is None else f"#{known}-{anchor}" if anchor else f"#{known}"


def whole_book():
    """Return the book as one page of HTML."""
    pages = pages_of_the_book()
    places = {page: f"page{number}" for number, page in enumerate(pages)}
    soup = BeautifulSoup((HTML / f"{pages[0]}.html").read_text(encoding="utf-8"), "html.parser")
    up = "../" * pages[0].count("/")
    styles = [link["href"].removeprefix(up) for link in soup.select('link[rel="stylesheet"]')]
    mathjax = [str(script) for script in soup.select("script") if "MathJax" in (script.string or "")]
    source = next(script["src"].removeprefix(up) for script in soup.select("script[src]") if "mathjax" in script["src"])
    links = "".join(f'<link rel="stylesheet" href="{href}">' for href in dict.fromkeys([*styles, LIVE_STYLE]))
    sections = "\n".join(article(page, places) for page in pages)
    return (f'<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{soup.title.string}'
            f'</title>{links}<style>{PRINT}</style>{"".join(mathjax)}<script src="{source}"></script></head>'
            f'<body><main><article class="bd-article">{sections}</article></main></body></html>')


def main():
    """Print the book."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("make pdf prints with Chromium, which was not found. On Debian: apt install chromium")
    if not (HTML / "index.html").exists():
        sys.exit("make pdf prints the book that make book has built; run that first.")
    TARGET.parent.mkdir(exist_ok=True)
    page_file = HTML / "whole-book.html"
    page_file.write_text(whole_book(), encoding="utf-8")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = running.new_page()
        page.goto(page_file.as_uri(), wait_until="load")
        page.evaluate("() => window.MathJax?.startup?.promise")
        page.pdf(path=TARGET, format="A4", scale=0.85, outline=True, tagged=True, print_background=True,
                 display_header_footer=True, header_template="<span></span>", footer_template=FOOTER,
                 margin={"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"})
        running.close()
    page_file.unlink()
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
