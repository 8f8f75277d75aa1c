"""Rust's hypotheses: homogeneity across groups, myopia, and the profile in the discount factor."""

import numpy as np
import pytest
from scipy import stats

from compecon import zurcher
from compecon.errors import ParameterError


@pytest.fixture(scope="module")
def table_ix(bus_data):
    """Joint estimates of Rust's three samples at n = 90, discount 0.9999."""
    model = zurcher.ZurcherModel(90, 0.9999)
    return {groups: zurcher.nfxp(model, bus_data(groups, 90)) for groups in ((1, 2, 3), (4,), (1, 2, 3, 4))}


def test_homogeneity_is_rejected_with_rusts_statistic(table_ix):
    parts, pooled = [table_ix[1, 2, 3], table_ix[4,]], table_ix[1, 2, 3, 4]
    test = zurcher.homogeneity_test(parts, pooled)
    assert (round(test.statistic, 2), test.df) == (85.46, 4)
    assert test.statistic == pytest.approx(2 * (sum(fit.llf for fit in parts) - pooled.llf))
    assert test.pvalue == pytest.approx(stats.chi2.sf(test.statistic, 4))
    assert test.name == "Homogeneity across groups (LR)"
    with pytest.raises(ParameterError, match=r"the fits cover groups \[4\] and the pooled fit \[1, 2, 3, 4\]"):
        zurcher.homogeneity_test([table_ix[4,]], pooled)
    with pytest.raises(ParameterError, match="each once"):
        zurcher.homogeneity_test([*parts, table_ix[4,]], pooled)


@pytest.mark.parametrize(
    ("groups", "statistic", "pvalue"),
    # Rust's Table IX, with the misprints corrected: groups 1-3 4.76 -> 4.716, groups 1-4 p .0035 -> .00035.
    [((1, 2, 3), 4.716, 0.0299), ((4,), 3.748, 0.0529), ((1, 2, 3, 4), 12.782, 0.00035)],
)
def test_myopia_has_rusts_statistics(table_ix, groups, statistic, pvalue):
    test = zurcher.myopia_test(table_ix[groups])
    assert test.statistic == pytest.approx(statistic, abs=1.5e-3)
    assert test.pvalue == pytest.approx(pvalue, abs=6e-5 if pvalue > 1e-3 else 6e-6)
    assert test.df == 1


def test_the_profile_in_the_discount_factor_is_the_estimates_one_by_one(bus_data):
    grid, data = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999], bus_data((4,), 90)
    profile = zurcher.profile_discount(zurcher.ZurcherModel(90), data, grid)
    table = profile.frame()
    alone = [zurcher.nfxp(zurcher.ZurcherModel(90, discount), data) for discount in grid]
    assert np.allclose(table["llf"], [fit.llf for fit in alone], rtol=0, atol=1e-8)
    assert np.allclose(table[["RC", "theta11"]], [fit.theta[:2] for fit in alone], rtol=1e-5)
    assert table.index.tolist() == grid and table["converged"].all()
    assert table["llf"].is_monotonic_increasing
    assert profile.best.structure.discount == 0.9999
    assert repr(profile) == "DiscountProfile(6 discount factors, best 0.9999)"
    assert "<table" in profile._repr_html_()
    for wrong in ([], [1.0], [[0.5, 0.9]]):
        with pytest.raises(ParameterError, match="discount"):
            zurcher.profile_discount(zurcher.ZurcherModel(90), data, wrong)
