"""Every entry of Rust's (1987) Tables IX and X, and Table VIII by cost, against the digits in print.

The printed numbers are in compecon/datasets/rust1987_tables.csv, with a note where one is known to be wrong. These
tests hold the list of exceptions, so that neither the data file nor the code can widen it in silence.
"""

import subprocess
import sys

import pytest

from compecon import zurcher
from compecon.datasets import load_rust_tables
from compecon.errors import ParameterError
from compecon.zurcher.replication import _verdict, side_by_side

# (discount, sample, entry, statistic): what recomputation to 40 digits found.
MISPRINTS = {
    "VIII": {(0.9999, "4", "cubic", "llf"): -162.988, (0.0, "4", "cubic", "llf"): -162.885},
    "IX": {
        (0.0, "1-3", "llf", "llf"): -2710.724,
        (0.0, "1-3", "RC", "std err"): 1.0462,
        (0.0, "1-4", "myopia", "p-value"): 0.00035,
    },
    "X": {(0.9999, "4", "RC", "estimate"): 10.0896, (0.0, "1-4", "theta33", "std err"): 0.0013},
}
FOLLOWS = {
    (0.0, "1-4", "homogeneity", "LR"): 89.775,
    (0.0, "1-3", "myopia", "LR"): 4.716,
    (0.0, "1-3", "myopia", "p-value"): 0.0299,
    (0.0, "4", "myopia", "LR"): 3.748,
}
# Mostly cut off instead of rounded.
LAST_DIGIT = {
    "VIII": {
        (0.0, "4", "linear", "llf"), (0.9999, "1-3", "cubic", "llf"),
        (0.9999, "4", "mixed", "llf"), (0.9999, "1-4", "mixed", "llf"),
    },
    "IX": {
        (0.9999, "1-3", "theta11", "estimate"), (0.9999, "1-4", "theta30", "std err"), (0.0, "1-3", "RC", "estimate"),
        (0.0, "1-4", "RC", "estimate"), (0.0, "1-3", "theta11", "estimate"), (0.0, "1-3", "theta11", "std err"),
        (0.0, "4", "theta11", "std err"), (0.0, "1-4", "theta30", "std err"), (0.0, "4", "llf", "llf"),
    },
    "X": {(0.9999, "1-4", "theta32", "estimate"), (0.0, "1-4", "myopia", "LR")},
}  # fmt: skip


@pytest.fixture(scope="module", params=["VIII", "IX", "X"])
def comparison(request):
    frame = zurcher.replicate_table(request.param)
    frame.attrs["table"] = request.param
    return frame


def keys(frame):
    return set(frame[["discount", "sample", "entry", "statistic"]].itertuples(index=False, name=None))


def test_no_entry_differs_without_a_reason(comparison):
    assert not (comparison["verdict"] == "differs").any()


def test_the_misprints_are_the_known_ones_and_have_the_known_values(comparison):
    known = MISPRINTS[comparison.attrs["table"]]
    found = comparison[comparison["verdict"] == "misprint"]
    assert keys(found) == set(known)
    for row in found.itertuples():
        right = known[row.discount, row.sample, row.entry, row.statistic]
        assert row.computed == pytest.approx(right, abs=0.5 * 10.0 ** -len(str(right).partition(".")[2]))


def test_the_differences_in_the_last_digit_are_the_known_ones(comparison):
    assert keys(comparison[comparison["verdict"] == "last digit"]) == LAST_DIGIT[comparison.attrs["table"]]


def test_what_follows_from_other_entries_is_known(comparison):
    found = comparison[comparison["verdict"] == "follows"]
    assert keys(found) == (set(FOLLOWS) if comparison.attrs["table"] == "IX" else set())
    for row in found.itertuples():
        right = FOLLOWS[row.discount, row.sample, row.entry, row.statistic]
        assert row.computed == pytest.approx(right, abs=0.0005)


def test_only_the_hyperbolic_rows_at_a_discount_near_one_are_not_reproduced(comparison):
    found = keys(comparison[comparison["verdict"] == "not reproduced"])
    samples = ("1-3", "4", "1-4") if comparison.attrs["table"] == "VIII" else ()
    assert found == {(0.9999, sample, "hyperbolic", "llf") for sample in samples}


def test_the_tables_are_complete():
    assert load_rust_tables().groupby("table").size().to_dict() == {"VIII": 36, "IX": 62, "X": 86}


def test_a_printed_p_value_that_follows_follows():
    from scipy import stats

    assert stats.chi2.sf(4.76, 1) == pytest.approx(0.0292, abs=1e-4)
    assert 2 * (2710.746 - 2708.366) == pytest.approx(4.76)
    assert 2 * (3306.028 - 3304.155) == pytest.approx(3.746)


@pytest.mark.parametrize(
    ("printed", "computed", "note", "verdict"),
    [
        ("4.8259", 4.82594, "", "same"),
        ("4.8259", 4.82575, "", "last digit"),
        ("4.8259", 4.8256, "", "differs"),
        ("4.8259", 4.8256, "misprint: a test", "misprint"),
        ("4.8259", 4.8259, "misprint: a test", "same"),
        ("-6055.250", -6055.2504, "", "same"),
    ],
)
def test_a_verdict_looks_at_the_printed_digits(printed, computed, note, verdict):
    assert _verdict(printed, computed, note) == verdict


def test_an_unknown_table_lists_those_that_exist():
    with pytest.raises(ParameterError, match="'VIII', 'IX', 'X'"):
        zurcher.replicate_table("XI")


def test_the_wide_form_marks_misprints():
    wide = side_by_side(zurcher.replicate_table("X"))
    assert wide.loc[(0.9999, "RC", "estimate"), "4"] == "10.8960*| 10.08962"


def test_python_m_compecon_prints_the_table_and_its_misprints():
    done = subprocess.run([sys.executable, "-m", "compecon"], capture_output=True, text=True, check=True)
    assert "46 of 62 entries agree to every printed digit" in done.stdout
    assert "-2710.746, llf, groups 1-3, discount 0: misprint" in done.stdout
    assert done.stderr == ""
