"""Every link of the built book leads to a page that is there, and to a place on it."""

import os
from functools import cache
from urllib.parse import unquote, urldefrag

import pytest
from browser_fixtures import PAGES
from bs4 import BeautifulSoup

pytestmark = pytest.mark.browser

# What other commands put beside the book: make slides, make pdf, make download.
LATER = {"lectures", "downloads"}


@cache
def read(path):
    """The addresses on a page, and its anchors."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    addresses = {part.get("href") or part.get("src") for part in soup.select("a[href], img[src], link[href]")}
    anchors = {part["id"] for part in soup.select("[id]")} | {part["name"] for part in soup.select("a[name]")}
    return addresses, anchors


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_links_of_a_page_lead_somewhere(path):
    broken = []
    for address in read(path)[0]:
        if "://" in address or address.startswith(("mailto:", "data:")):
            continue
        target, anchor = urldefrag(unquote(address))
        file = (path.parent / target.split("?")[0]).resolve() if target else path
        if not file.exists():
            made_later = file.parent.name in LATER and "CI" not in os.environ
            broken += [] if made_later else [address]
        elif anchor and file.suffix == ".html" and anchor not in read(file)[1]:
            broken.append(address)
    assert broken == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_reference_on_a_page_is_left_unresolved(path):
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    text = soup.select_one("article").get_text(" ")
    assert "??" not in text and "{doc}" not in text and "{eq}" not in text and "{cite" not in text
