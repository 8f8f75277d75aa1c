"""Figure 18 against NumPy's draws and textbook formulas, against `compecon.blp`, and against limits in closed form."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from compecon import blp
from compecon.live import InstrumentStrength
from compecon.live import instrument_strength as page
from compecon.live import instrument_strength_kernels as kernels
from compecon.live.instrument_strength_kernels import DONE, MORE, OLS, OPTIMAL, RAW

SETTINGS = [(100, 0, 1), (200, 20, 1), (500, 5, 50), (1000, 30, 7)]
KEPT = ("ordered", "held", "f_total", "median", "spread", "coverage", "limits", "bound", "histogram", "shown",
        "summary")


@pytest.fixture(scope="module")
def figure():
    return InstrumentStrength()


def outputs(figure, n, extras, seed, strength=0.05):
    figure.n, figure.extras, figure.seed, figure.strength = n, extras, seed, strength
    return {name: np.copy(values) for name, values in figure.outputs().items()}


def sample(n, extras, seed, number, strength):
    """(y, p, h, Z) of one sample, with NumPy's Philox."""
    def normals(stream):
        raw = np.random.Philox(key=[seed, stream]).random_raw(n)
        return special.ndtri(((raw >> np.uint64(12)) + 0.5) * 2.0**-52)

    first = number * (kernels.COLUMNS - 1) + 1
    v, e, *Z = (normals(first + k) for k in range(3 + extras))
    h = (2 * Z[0] + Z[0] ** 2 - 1) / np.sqrt(6)
    p = np.sqrt(strength / (1 - strength)) * h + v
    return -p + 0.7 * v + np.sqrt(1 - 0.49) * e, p, h, np.column_stack(Z)


def iv(y, p, Z):
    """2SLS estimate and classical standard error, without a constant; and the first stage's F."""
    n, L = Z.shape
    fitted = Z @ np.linalg.lstsq(Z, p, rcond=None)[0]
    estimate = fitted @ y / (fitted @ p)
    variance = np.mean((y - estimate * p) ** 2) / (fitted @ fitted)
    with np.errstate(divide="ignore"):
        return estimate, np.sqrt(variance), fitted @ fitted / L / (np.sum((p - fitted) ** 2) / (n - L))


@pytest.mark.parametrize("n, extras, seed", SETTINGS)
@pytest.mark.parametrize("place", [0, 3, len(page.STRENGTHS) - 1])
def test_estimates_intervals_and_F_are_the_textbooks(figure, n, extras, seed, place):
    strength, found = page.STRENGTHS[place], outputs(figure, n, extras, seed)
    estimates, held, total = np.empty((3, page.SAMPLES)), np.zeros(3), 0.0
    for number in range(page.SAMPLES):
        y, p, h, Z = sample(n, extras, seed, number, strength)
        runs = [iv(y, p, table) for table in (p[:, None], Z, h[:, None])]
        estimates[:, number] = [run[0] for run in runs]
        held += [abs(run[0] + 1) <= stats.norm.ppf(0.975) * run[1] for run in runs]
        total += runs[RAW][2]
    np.testing.assert_allclose(found["ordered"][:, place], np.sort(estimates), rtol=1e-9)
    np.testing.assert_array_equal(found["held"][:, place], held)
    assert found["f_total"][place] == pytest.approx(total, rel=1e-9)
    np.testing.assert_allclose(found["coverage"][:, place], held / page.SAMPLES, rtol=1e-12)


def test_a_sample_estimated_by_the_library_gives_the_same_numbers(figure):
    """The same data as shares of one product a market: blp's plain logit with price as its only characteristic."""
    y, p, h, Z = sample(200, 5, 3, 17, 0.1)
    data = pd.DataFrame({"market_ids": np.arange(200), "prices": p, "shares": special.expit(y)})
    for table, row in ((Z, RAW), (h[:, None], OPTIMAL)):
        named = pd.DataFrame(table).add_prefix("demand_instruments")
        problem = blp.Problem(blp.Formulation("0 + prices"), pd.concat([data, named], axis=1))
        estimate = problem.solve(method="1s").beta[0, 0]
        ordered = outputs(figure, 200, 5, 3)["ordered"][row, page.STRENGTHS.index(0.1)]
        assert np.abs(ordered - estimate).min() < 1e-9


@pytest.mark.parametrize("n, extras, seed", SETTINGS)
def test_what_is_shown_sums_up_the_samples(figure, n, extras, seed):
    found = outputs(figure, n, extras, seed, 0.2)
    ordered, here = found["ordered"], page.STRENGTHS.index(0.2)
    lower, middle, upper = np.quantile(ordered, [0.25, 0.5, 0.75], axis=2)
    np.testing.assert_allclose(found["median"], middle, rtol=1e-12)
    np.testing.assert_allclose(found["spread"], (upper - lower) / (2 * stats.norm.ppf(0.75)), rtol=1e-12)
    shown = [found[name][:, here] for name in ("median", "spread", "coverage")]
    np.testing.assert_array_equal(found["shown"], shown)
    error = np.sqrt(shown[2] * (1 - shown[2]) / page.SAMPLES)
    np.testing.assert_allclose(found["bars"], np.clip(shown[2] + np.outer([-2, 2], error), 0, 1), atol=1e-12)
    expected = [n / 4, found["f_total"][here] / page.SAMPLES, *(middle[:, here] + 1), error.max()]
    np.testing.assert_allclose(found["summary"], expected, rtol=1e-9, atol=1e-12)
    edges = found["histogram"][0]
    for kind in range(3):
        counts = np.histogram(ordered[kind, here], np.append(edges, edges[-1] + page.BIN))[0]
        np.testing.assert_allclose(found["histogram"][1 + kind], counts / page.SAMPLES / page.BIN, atol=1e-9)


def test_h_has_mean_0_variance_1_and_two_thirds_of_it_are_linear():
    z, weights = np.polynomial.hermite_e.hermegauss(10)
    weights = weights / weights.sum()
    h = (2 * z + z**2 - 1) / np.sqrt(6)
    np.testing.assert_allclose([weights @ h, weights @ h**2, (weights @ (h * z)) ** 2], [0, 1, 2 / 3], atol=1e-12)


def test_medians_are_at_their_limits_in_large_samples(figure):
    found = outputs(figure, 1000, 30, 2)
    # The median of 500 has a standard error of 1.25 spreads over the root of 500; four of them, and 1% of a finite n.
    slack = 4 * 1.2533 * found["spread"] / np.sqrt(page.SAMPLES) + 0.01
    assert (np.abs(found["median"][OLS] - found["limits"][0]) <= slack[OLS]).all()
    assert (np.abs(found["median"][RAW] - found["limits"][1]) <= slack[RAW]).all()
    strong = np.array(page.STRENGTHS) >= 0.05
    assert (np.abs(found["median"][OPTIMAL] + 1) <= slack[OPTIMAL])[strong].all()
    # A spread of 500 normal draws has a standard error of 1.17 / sqrt(500), 5% of it; four of them.
    np.testing.assert_allclose(found["spread"][OPTIMAL][strong], found["bound"][strong], rtol=0.2)
    share = 4 * np.sqrt(0.95 * 0.05 / page.SAMPLES) + 0.01
    np.testing.assert_allclose(found["coverage"][OPTIMAL][strong], 0.95, atol=share)


def test_extra_instruments_pull_2sls_to_least_squares_and_ruin_its_intervals(figure):
    few, many = (outputs(figure, 200, extras, 1) for extras in (0, 30))
    assert (many["median"][RAW] > few["median"][RAW]).all()
    assert (many["coverage"][RAW] < few["coverage"][RAW] - 0.1).all()
    np.testing.assert_array_equal(many["median"][[OLS, OPTIMAL]], few["median"][[OLS, OPTIMAL]])
    assert np.isnan(few["limits"][1]).all() and np.isfinite(many["limits"]).all()


def test_where_all_is_strong_the_linear_instrument_spreads_more_by_the_root_of_three_halves(figure):
    found = outputs(figure, 1000, 0, 4)
    ratio = found["spread"][RAW, -1] / found["spread"][OPTIMAL, -1]
    assert ratio == pytest.approx(np.sqrt(3 / 2), rel=0.2)


# Work in slices, and every state


def test_work_comes_in_slices_and_begins_anew_only_when_the_samples_change():
    figure = InstrumentStrength(n=1000, extras=30)
    engine = figure._engine
    assert [engine.call("instrument_strength", figure.numbers(), first) for first in (1.0, 0.0)] == [MORE, MORE]
    done = engine.arrays["state"][3]
    assert 0 < done < page.SAMPLES and engine.arrays["progress"][0] == done / page.SAMPLES
    figure.strength = 0.5
    engine.call("instrument_strength", figure.numbers(), 1.0)
    assert engine.arrays["state"][3] > done and engine.arrays["shown"][0, 0] == engine.arrays["median"][0, -1]
    other = InstrumentStrength(n=100, extras=1, seed=3)
    assert engine.finish("instrument_strength", other.numbers()) == DONE
    for name in KEPT:
        np.testing.assert_array_equal(engine.arrays[name], other.outputs()[name])


def test_every_state_has_finite_read_outs(figure):
    states = [*itertools.product((100,), page.EXTRAS, (1, 25, 50)), *itertools.product(page.SIZES, (0, 30), (1,))]
    for figure.n, figure.extras, figure.seed in states:
        for figure.strength in page.STRENGTHS:
            assert np.isfinite(list(figure.read().values())).all()
