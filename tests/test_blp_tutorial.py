"""The field's post-estimation tutorial: its calls give pyblp's arrays, and its cells print the same numbers."""

import ast
import io
import re
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from blp_walkthrough import walk

from compecon import blp

TUTORIAL = Path(__file__).resolve().parents[2] / "shared/reference/tutorial.txt"
# Quantities that are zero at the estimates, up to what rounding makes of them: absolute tolerances.
NOISE = {
    "first.gradient": 1e-7, "second.gradient": 1e-7, "third.gradient": 1e-7,
    "second.objective": 1e-18, "second.moments": 1e-12,
}  # fmt: skip


@pytest.fixture(scope="module")
def walks():
    """The walkthrough with this library and with pyblp."""
    pyblp = pytest.importorskip("pyblp")
    pyblp.options.verbose = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return walk(blp), walk(pyblp)


def test_every_array_of_the_tutorial_is_pyblps_shape_and_numbers(walks):
    ours, theirs = walks
    assert list(ours) == list(theirs)
    for name, array in theirs.items():
        array, mine = np.asarray(array), np.asarray(ours[name])
        assert mine.shape == array.shape, name
        scale = np.nanmax(np.abs(array)) if array.size else 1.0
        atol = NOISE.get(name, 1e-8 * scale)
        np.testing.assert_allclose(mine, array, rtol=1e-8, atol=atol, err_msg=name)


def cells(text):
    """{number: (code, printed)} of the tutorial's text."""
    blocks = re.split(r"^\[(\d+)\]:\n", text, flags=re.M)[1:]
    found = {}
    for number, block in zip(blocks[::2], blocks[1::2], strict=True):
        if number in found:
            found[number] = (found[number][0], block)
            continue
        code = []
        for paragraph in block.replace("%matplotlib inline\n", "").split("\n\n"):
            lines = [line for line in paragraph.splitlines() if not line.startswith("../")]
            if code and " ".join(lines).istitle() and " ".join(lines).isalpha():
                break  # a heading of one word is Python, too
            try:
                ast.parse("\n\n".join([*code, "\n".join(lines)]))
            except SyntaxError:
                break
            code.append("\n".join(lines))
        found[number] = ("\n\n".join(code), "")
    return found


def run(code, namespace):
    """Run a cell as a notebook does; return what it shows: the repr of its last expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), namespace)
    return "" if last is None else repr(eval(compile(ast.Expression(last.value), "cell", "eval"), namespace))


@pytest.fixture(scope="module")
def shown():
    """{number: (what our cell shows, what the tutorial prints)}; every cell in order, its import line changed."""
    if not TUTORIAL.exists():
        pytest.skip("the tutorial's text is not on this machine")
    matplotlib.use("Agg")
    namespace, result = {}, {}
    digits = blp.options.digits
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for number, (code, printed) in cells(TUTORIAL.read_text(encoding="utf-8")).items():
            assert number != "1" or code.count("import pyblp") == 1
            code = code.replace("import pyblp", "from compecon import blp as pyblp")
            result[number] = (run(code, namespace), printed)
    blp.options.digits = digits
    return result


def numbers(text):
    """The numbers in scientific notation of a text, as they are printed."""
    return re.findall(r"[+-]\d\.\d+E[+-]\d+", text)


def section(text, title):
    """The table of that title, up to its last rule."""
    start = text.index(title)
    return re.match(r"[^\n]*\n=+\n.*?\n=+", text[start:], flags=re.S).group()


def test_all_34_cells_run(shown):
    assert list(shown) == [str(number) for number in range(1, 35)]


@pytest.mark.parametrize("number", ["2", "23"])
def test_the_problems_print_as_in_the_tutorial(shown, number):
    ours, printed = shown[number]
    for title in ("Dimensions:", "Formulations:"):
        assert section(ours, title).split() == section(printed, title).split()


@pytest.mark.parametrize("number", ["3", "24", "34"])
def test_the_estimates_print_as_in_the_tutorial(shown, number):
    ours, printed = shown[number]
    for title in ("Nonlinear Coefficient Estimates", "Beta Estimates"):
        assert numbers(section(ours, title)) == numbers(section(printed, title))
    if number == "34":
        assert section(ours, "Estimated Micro Moments").split() == section(printed, "Estimated Micro Moments").split()


@pytest.mark.parametrize("number", ["3", "24", "34"])
def test_the_summaries_print_as_in_the_tutorial(shown, number):
    """Objective, largest eigenvalue, condition numbers; the rest, and an objective of zero, are noise."""
    ours, printed = (numbers(section(text, "Problem Results Summary")) for text in shown[number])
    kept = [3, 4, 5] if number == "24" else [0, 3, 4, 5]
    assert [ours[k] for k in kept] == [printed[k] for k in kept]


def test_the_bootstrap_table_prints_as_in_the_tutorial(shown):
    ours, printed = shown["21"]
    rows = re.findall(r"(C0\dQ\d) +(-\d\.\d+) +(-\d\.\d+) +(-\d\.\d+)", ours)
    assert len(rows) == 5
    assert rows == re.findall(r"(C0\dQ\d) +(-\d\.\d+) +(-\d\.\d+) +(-\d\.\d+)", printed)
    assert "100" in shown["20"][0]


def test_the_simulated_micro_data_print_as_in_the_tutorial(shown):
    ours, printed = (re.findall(r"^\d+ +(\d+) +(C61Q1) +(\d+) +(\d+)$", text, flags=re.M) for text in shown["26"])
    assert len(ours) == 10 and ours == printed


def test_labels_shapes_and_the_first_moment_print_as_in_the_tutorial(shown):
    for number in ("29", "30", "31", "33"):
        ours, printed = shown[number]
        assert ours.split() == printed.split("\n\n")[0].split()


def test_the_observed_choices_and_demographics_are_the_tutorials_rows(shown):
    """pandas merges in another order than it did then: a printed row is looked for anywhere."""
    ours, printed = shown["27"]
    assert "[1000 rows x 7 columns]" in ours and "1000 rows × 7 columns" in printed
