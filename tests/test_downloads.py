"""The book as one page for print: every page is in it, every link inside the book has its place, nothing computes."""

import re

import pytest
from browser_fixtures import HTML, PAGES, unless_present
from build_pdf import moved, pages_of_the_book, whole_book

PLACES = {"book/intro": "page0", "book/chapters/09-nfxp": "page1"}


@pytest.mark.parametrize(("address", "page", "expected"), [
    ("#x", "book/intro", "#page0-x"),
    ("chapters/09-nfxp.html", "book/intro", "#page1"),
    ("../intro.html#y", "book/chapters/09-nfxp", "#page0-y"),
    ("../../_images/a.png", "book/chapters/09-nfxp", "_images/a.png"),
    ("https://example.org/a#b", "book/intro", "https://example.org/a#b"),
])
def test_an_address_on_a_page_is_one_in_the_whole_book(address, page, expected):
    assert moved(address, page, PLACES) == expected


@pytest.mark.browser
def test_the_whole_book_holds_every_page_and_its_links_lead_somewhere():
    unless_present("the built book (make book)", PAGES)
    text = whole_book()
    assert text.count('<section class="page"') == len(pages_of_the_book()) == len(PAGES)
    ids = set(re.findall(r'\bid="([^"]+)"', text))
    links = set(re.findall(r'href="#([^"]+)"', text))
    assert links and not {link for link in links if link.startswith("page")} - ids
    assert "data-live-figure" in text and '<script type="application/json">' not in text
    images = set(re.findall(r'<img[^>]* src="([^":]+)"', text))
    assert images and all((HTML / image).exists() for image in images)
