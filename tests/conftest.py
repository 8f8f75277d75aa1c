"""What all tests share. Numba's cache folder is named after the kernels' source before numba is imported."""

import os
from pathlib import Path

import pytest
from browser_fixtures import HTML, PAGES, chromium, served, unless_present
from kernel_cache import kernel_cache_dir  # tools/ is on the path (pyproject.toml)

ROOT = Path(__file__).resolve().parents[1]
os.environ["NUMBA_CACHE_DIR"] = str(kernel_cache_dir(ROOT))


@pytest.fixture(scope="session")
def root():
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="module")
def browser():
    """A running Chromium. Not for the whole session: while it runs, nothing else can use asyncio."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def book_browser(browser):
    """A running Chromium, where the book has been built."""
    unless_present("the built book (make book)", PAGES)
    return browser


@pytest.fixture(scope="module")
def book_server():
    """The address of the built book, served as static files."""
    with served(HTML) as address:
        yield address


# Rust's samples and estimates, for the tests of compecon.zurcher (numbers and twins: zurcher_fixtures.py)


@pytest.fixture(scope="session")
def bus_panel():
    """The 162 buses of all groups."""
    from compecon import datasets

    return datasets.load_bus_panel()


@pytest.fixture(scope="session")
def bus_data(bus_panel):
    """bus_data(groups, n_states): that sample in bins, each made once."""
    from compecon import zurcher

    made = {}

    def get(groups=(4,), n_states=90):
        key = (tuple(groups), n_states)
        if key not in made:
            made[key] = zurcher.discretize(bus_panel, groups=list(groups), n_states=n_states)
        return made[key]

    return get


@pytest.fixture(scope="session")
def group_4_fit(bus_data):
    """The joint estimate of group 4, n = 90, discount 0.9999."""
    from compecon import zurcher

    return zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), bus_data((4,), 90))


# Nevo's problem, for the tests of what stands on its estimates


@pytest.fixture(scope="session")
def cereal():
    """The estimates of the cereal problem."""
    from compecon.blp.examples import cereal_results

    return cereal_results()


@pytest.fixture(scope="session")
def cereal_products():
    """The products of the cereal problem."""
    from compecon import datasets

    return datasets.load_cereal().products
