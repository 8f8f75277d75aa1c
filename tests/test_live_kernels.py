"""The shipped kernels.wasm is up to date, and in Chromium its numbers are numba's."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from types import ModuleType

import numba
import numpy as np
import pytest
from live_fixtures import FIGURES, ONE_PASS, decoded, distance, opened, references, settings, size

from compecon.live import bundle
from compecon.live.engine import Engine
from compecon.live.exports import EXPORTS
from compecon.live.parts import look_up

# So many combinations of the controls' ends and middles are tried, beside each control alone; fewer of a figure that
# computes for a second at some of them.
MOST, FEWER = 96, {"FixedPoint": 12, "NFXPByHand": 32}
# An array whose entries are all smaller than this share of its largest ones elsewhere is measured by those.
SMALL = 1e-3
# Where the two differ by more than one pass of a kernel explains, the reason must lie in the problem: a change of data
# and controls in their last bits then moves Python's numbers too, and the two may differ so many times as much.
NUDGE, SENSITIVE, SEEDS = 2.0**-50, 25, 8
MANIFEST = json.loads(bundle.MANIFEST.read_text(encoding="utf-8"))
BUILD = [sys.executable, "-W", "ignore"]

# The build, without writing anything.
REBUILT = """
import sys
sys.path.insert(0, "tools")
import build_kernels
sys.stdout.buffer.write(build_kernels.built())
"""


@pytest.fixture(scope="module", params=FIGURES, ids=lambda kind: kind.__name__)
def kind(request):
    return request.param


# What is shipped


def test_the_shipped_kernels_are_those_of_the_present_sources():
    assert MANIFEST["sources"] == bundle.source_hash(), "kernels.wasm is stale: run make kernels"


def test_the_manifest_lists_the_exports():
    listed = {name: [tuple(argument) for argument in arguments] for name, arguments in MANIFEST["kernels"].items()}
    assert listed == {export.name: export.arguments for export in EXPORTS}


def test_every_kernel_of_every_figure_is_exported():
    names = {export.name for export in EXPORTS}
    for figure in FIGURES:
        assert {part.kernel for part in (*figure.runs, *figure.buttons)} <= names


def test_every_argument_of_a_kernel_is_an_array_or_a_control_of_its_figure():
    exports = {export.name: export for export in EXPORTS}
    for figure in FIGURES:
        arrays = Engine(figure().arrays()).arrays
        ranks = {"first": 0, **dict.fromkeys(figure.controls(), 0), **{name: a.ndim for name, a in arrays.items()}}
        assert len(ranks) == 1 + len(figure.controls()) + len(arrays), f"{figure.__name__} uses one name twice"
        for part in (*figure.runs, *figure.buttons):
            assert exports[part.kernel].arguments == [(name, ranks[name]) for name, _ in exports[part.kernel].arguments]


@pytest.fixture
def copied(tmp_path):
    """A copy of what the hash is of."""
    package = tmp_path / "compecon"
    shutil.copytree(bundle.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "datasets", "assets"))
    (tmp_path / "tools").mkdir()
    shutil.copy(bundle.PACKAGE.parent / "tools/build_kernels.py", tmp_path / "tools")
    return package


def test_the_hash_is_the_same_on_windows(copied):
    assert bundle.source_hash(copied) == bundle.source_hash()
    for path in (*copied.rglob("*.py"), copied.parent / "tools/build_kernels.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert bundle.source_hash(copied) == bundle.source_hash()


def test_an_edit_of_any_source_changes_the_hash(copied):
    edited = [copied / path.relative_to(bundle.PACKAGE) for path in bundle.kernel_files()]
    assert {"zurcher_kernels.py", "draws_kernels.py", "population_kernels.py"} <= {path.name for path in edited}
    hashes = {bundle.source_hash()}
    for path in (*edited, copied / "live/exports.py", copied.parent / "tools/build_kernels.py"):
        with open(path, "a", encoding="utf-8") as file:
            file.write("# edited\n")
        hashes.add(bundle.source_hash(copied))
    assert len(hashes) == len(edited) + 3


def test_an_edit_elsewhere_does_not_change_the_hash(copied):
    (copied / "live/figure.py").write_text("")
    assert bundle.source_hash(copied) == bundle.source_hash()


def compiled_by(function, seen):
    """Add a kernel and all kernels that it calls, as numba will find them, to `seen`."""
    if function not in seen:
        seen.add(function)
        scope, names = function.py_func.__globals__, function.py_func.__code__.co_names
        modules = [scope[name] for name in names if isinstance(scope.get(name), ModuleType)]
        found = [scope.get(name) for name in names] + [getattr(m, name, None) for m in modules for name in names]
        for other in found:
            if hasattr(other, "py_func"):
                compiled_by(other, seen)
    return seen


def test_the_hash_sees_every_kernel_that_goes_into_the_file():
    seen = set()
    for export in EXPORTS:
        compiled_by(export.kernel, seen)
    files = {function.py_func.__code__.co_filename for function in seen}
    assert len(seen) > len(EXPORTS) and files <= {str(path) for path in bundle.kernel_files()}


# How it is built


def test_without_the_linker_the_build_says_what_is_missing(tmp_path, root):
    before = bundle.KERNELS.read_bytes(), bundle.MANIFEST.read_bytes()
    done = subprocess.run([*BUILD, "tools/build_kernels.py"], cwd=root, env={**os.environ, "PATH": str(tmp_path)},
                          capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "wasm-ld-19 is missing: it links the kernels for the browser. On Debian: apt install lld-19")
    assert (bundle.KERNELS.read_bytes(), bundle.MANIFEST.read_bytes()) == before


@pytest.mark.skipif(shutil.which("wasm-ld-19") is None, reason="the linker is missing")
@pytest.mark.skipif(MANIFEST["compiler"] != f"numba {numba.__version__}", reason="built with another numba")
def test_building_again_gives_the_same_bytes(root):
    done = subprocess.run([*BUILD, "-c", REBUILT], cwd=root, capture_output=True, check=True)
    assert done.stdout == bundle.KERNELS.read_bytes()


# What the browser makes of it


# The module's imports, and what kernels.js lends when it makes an instance.
LENDING = """async (code) => {
  const found = {}, make = WebAssembly.instantiate;
  WebAssembly.instantiate = (module, lent) => {
    found.asked = WebAssembly.Module.imports(module).map(({module, name}) => `${module}.${name}`);
    found.exported = WebAssembly.Module.exports(module).map(({name}) => name);
    found.lent = Object.entries(lent).flatMap(([module, all]) => Object.keys(all).map((name) => `${module}.${name}`));
    return make(module, lent);
  };
  await new Function(`${code}; return Engine`)().create({arrays: {}});
  return found;
}"""


def test_a_page_lends_what_the_kernels_ask_for(browser, root):
    page = browser.new_page()
    found = page.evaluate(LENDING, bundle.script().split("\n", 1)[1].rsplit("whenReady", 1)[0])
    page.close()
    assert set(found["asked"]) <= set(found["lent"])
    assert set(found["exported"]) == {"memory", "__heap_base", *MANIFEST["kernels"]}
    # The linker refuses what the build script does not know to be lent.
    listed = re.search(r"LENT = \((.*)\)", (root / "tools/build_kernels.py").read_text())[1]
    assert {f"env.{name.strip(' ')}" for name in listed.replace('"', "").split(",")} == set(found["lent"])


# Engines of their own, started afresh in page and Python, run through the same settings in the same order.
RUN = """async ([runs, settings, references]) => {
  const {engine, spec} = live().figure, fresh = await engine.constructor.create(spec);
  return settings.map((numbers) => {
    for (const kernel of runs) {
      let status = fresh.call(kernel, numbers, 1);
      while (status === 2) status = fresh.call(kernel, numbers, 0);
    }
    return {status: {...fresh.status}, arrays: arrays(fresh, references, numbers)};
  });
}"""


@pytest.fixture(scope="module")
def page(browser, kind, tmp_path_factory):
    page = opened(browser, tmp_path_factory.mktemp("kernels"), kind)
    yield page
    page.context.close()


def nudged(values, rng):
    """Each number that is no integer, moved up or down in its last bits."""
    values = np.array(values, dtype=np.float64)
    return np.where(values == np.round(values), values, values * (1.0 + rng.choice([-NUDGE, NUDGE], values.shape)))


def in_python(kind, numbers, named, seed=None):
    """(statuses, arrays) at each setting; with a seed, from data and settings that are nudged in the last bit."""
    nudge = (lambda values: values) if seed is None else partial(nudged, rng=np.random.default_rng(seed))
    engine, found = Engine({name: nudge(values) for name, values in kind().arrays().items()}), []
    for values in numbers:
        engine.update(kind.runs, {name: float(nudge(value)) for name, value in values.items()})
        found.append(({**engine.status}, {name: np.copy(look_up(name, engine.arrays)) for name in named}))
    return found


def test_the_browsers_numbers_are_numbas(page, kind):
    named, tried = references(kind), settings(kind, FEWER.get(kind.__name__, MOST))
    numbers = [{name: control.number(values[name]) for name, control in kind.controls().items()} for values in tried]
    there = page.evaluate(RUN, [[run.kernel for run in kind.runs], numbers, named])
    here = in_python(kind, numbers, named)
    assert [found["status"] for found in there] == [status for status, _ in here]
    least = {name: SMALL * max(size(arrays[name]) for _, arrays in here) for name in named}
    every = [(i, name) for i in range(len(tried)) for name in named]

    def gaps(others):
        return {(i, name): distance(others[i][name], here[i][1][name], least[name]) for i, name in every}

    gap = gaps([{name: decoded(text) for name, text in found["arrays"].items()} for found in there])
    worst = max(every, key=gap.get)
    print(f"{kind.__name__}: {worst[1]} differs by {gap[worst]:.1e}, at {tried[worst[0]]}")
    left, own = [place for place in every if gap[place] > ONE_PASS], dict.fromkeys(every, 0.0)
    for seed in range(SEEDS):
        if not left:
            return
        moved = gaps([arrays for _, arrays in in_python(kind, numbers, named, seed)])
        own = {place: max(own[place], moved[place]) for place in every}
        left = [place for place in left if gap[place] > SENSITIVE * own[place]]
    assert [f"{name} differs by {gap[i, name]:.1e}, Python's own by {own[i, name]:.1e}, at {tried[i]}"
            for i, name in left] == []
