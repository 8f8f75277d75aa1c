"""The figure on BLP's inner problem against compecon.blp at the same parameters, plain NumPy and closed forms."""

import dataclasses
import itertools

import numpy as np
import pytest

from compecon import blp, live
from compecon.blp.examples import cereal_logit, cereal_problem, cereal_results
from compecon.datasets import load_cereal
from compecon.errors import ConvergenceError
from compecon.live.contraction import BETA, ESTIMATES, MARKETS, PI, SIGMA, SWEEPS, TASTES

LOGIT, STRONG = (0, 0, 0, 0, 0), (10, *ESTIMATES[1:])
SETTINGS = [
    ESTIMATES, STRONG, (3, 10, 0.2, 2, 0.5), (0, 15, 0, 0, 1), (0, 0, 1, 8, 0), (0.01, 0, 0, 0, 0), (10, 15, 1, 8, 1),
]  # fmt: skip
CASES = [(settings, "C01Q1") for settings in SETTINGS] + [(settings, m) for settings in (ESTIMATES, STRONG)
                                                          for m in list(MARKETS)[1:]]  # fmt: skip
CONTRACTION, SQUAREM, NEWTON = 0, 1, 2
# In other markets than the figure's, and of the library's own beta.
pytestmark = pytest.mark.filterwarnings("ignore:.*like higher prices")


def moved(settings, market="C01Q1", product=3):
    """A figure whose reader has set the tastes so."""
    return live.Contraction(market=market, product=product, **dict(zip(TASTES, settings, strict=True)))


@pytest.fixture(scope="module")
def problem():
    return cereal_problem()


@pytest.fixture(scope="module")
def solved(problem):
    """A function from settings and iteration to the library's results there, with the figure's beta; remembered."""
    known = {}

    def results(settings, method="newton", tol=1e-14):
        key = (settings, method, tol)
        if key not in known:
            *sigma, scale = settings
            free = np.full((4, 4), -np.inf), np.full((4, 4), np.inf)
            found = problem.solve(np.diag(sigma * np.sign(SIGMA)), scale * np.array(PI), method="1s", sigma_bounds=free,
                                  optimization=blp.Optimization("return"),
                                  iteration=blp.Iteration(method, {"atol": tol}))  # fmt: skip
            known[key] = dataclasses.replace(found, beta=np.array([[BETA]]))
        return known[key]

    return results


def rows_of(market):
    """The rows of a market in the cereal data, in the order in which the figure numbers its products."""
    products = load_cereal().products
    return products[products["market_ids"] == market].sort_values(["mushy", "sugar", "product_ids"])


def in_order(values, market):
    """The rows of `values`, which has one for each of the market's products, in the figure's order; also columns."""
    products = load_cereal().products
    names = products.loc[products["market_ids"] == market, "product_ids"].tolist()
    places = [names.index(name) for name in rows_of(market)["product_ids"]]
    return values[places] if values.shape[1] == 1 else values[np.ix_(places, places)]


def utilities(outputs, market):
    """mu : (I, J), from the data of the figure and the reader's [Sigma | Pi]."""
    m = list(MARKETS).index(market)
    return outputs["traits"][m] @ outputs["loadings"][0].T @ outputs["x2"][m].T


def shares_at(delta, mu):
    """Shares and choice probabilities of households that all weigh the same, in plain NumPy."""
    odds = np.exp(delta + mu)
    probabilities = odds / (1 + odds.sum(axis=1, keepdims=True))
    return probabilities.mean(axis=0), probabilities


# Against the library


@pytest.mark.parametrize("settings, market", CASES)
def test_all_methods_find_the_librarys_mean_utilities(solved, settings, market):
    figure = moved(settings, market)
    outputs, results = figure.outputs(), solved(settings)
    every = load_cereal().products["market_ids"] == market
    expected = in_order(results.delta[every], market)[:, 0]
    for method in range(3):
        arrived = outputs["ends"][1, method] <= 1e-12
        np.testing.assert_allclose(outputs["delta"][method], expected, atol=1e-9 if arrived else 1e-6, rtol=0)
    np.testing.assert_allclose(outputs["delta"][NEWTON], expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("settings, market", CASES)
def test_diversion_and_elasticities_are_the_librarys(solved, settings, market):
    outputs, results = moved(settings, market).outputs(), solved(settings)
    for name, compute in (("diversion", results.compute_diversion_ratios),
                          ("elasticities", results.compute_elasticities)):  # fmt: skip
        np.testing.assert_allclose(outputs[name][0], in_order(compute(market_id=market), market), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("settings, market", CASES)
def test_the_shares_at_the_start_are_the_librarys_at_the_logits_mean_utilities(solved, settings, market):
    outputs, rows = moved(settings, market).outputs(), rows_of(market)
    products = load_cereal().products
    here = products.loc[products["market_ids"] == market, "shares"].to_numpy()
    start = np.log(here / (1 - here.sum()))[:, None]
    expected = in_order(solved(settings).compute_shares(delta=start, market_id=market), market)[:, 0]
    np.testing.assert_allclose(outputs["predicted"], expected, rtol=1e-12)
    assert np.array_equal(outputs["observed"], rows["shares"])


@pytest.mark.parametrize("settings", [ESTIMATES, STRONG, SETTINGS[2]])
@pytest.mark.parametrize("method, name", [(0, "simple"), (1, "squarem"), (2, "newton")])
def test_sweeps_are_counted_as_the_library_counts_them(problem, solved, settings, method, name):
    places = problem.unique_market_ids.tolist()
    evaluations = solved(settings, name, 1e-12).contraction_evaluations[:, 0]
    for market in MARKETS:
        sweeps = moved(settings, market).outputs()["ends"][0, method]
        # SQUAREM's steps magnify rounding, which is another in another order of the products.
        slack = 10 if name == "squarem" else 0
        assert abs(sweeps - min(evaluations[places.index(market)], SWEEPS)) <= slack


def test_the_settings_called_estimates_are_those_of_the_cereal_results():
    results = cereal_results()
    np.testing.assert_allclose(np.diag(results.sigma), SIGMA, atol=5e-7)
    np.testing.assert_allclose(results.pi, PI, atol=5e-7)
    assert results.beta[0, 0] == pytest.approx(BETA, abs=1e-5)
    assert f"{BETA:.1f}" in live.Contraction.caption
    assert f"{cereal_logit().beta[0, 0]:.1f}" in live.Contraction.caption


# Against plain NumPy


@pytest.mark.parametrize("settings, market", CASES)
def test_the_errors_of_the_contraction_are_those_of_its_definition(settings, market):
    outputs = moved(settings, market).outputs()
    mu, target = utilities(outputs, market), outputs["observed"]
    delta, path = np.log(target / (1 - target.sum())), outputs["errors"][CONTRACTION]
    sweeps = int(outputs["ends"][0, CONTRACTION])
    for n in range(sweeps):
        gap = np.log(target / shares_at(delta, mu)[0])
        assert path[n] == pytest.approx(np.abs(gap).max(), rel=1e-8, abs=2e-14)
        delta += gap
    assert np.isnan(path[sweeps:]).all()


@pytest.mark.parametrize("settings, market", CASES)
def test_the_errors_of_squarem_are_those_of_its_definition(settings, market):
    outputs = moved(settings, market).outputs()
    mu, target = utilities(outputs, market), outputs["observed"]
    delta, path = np.log(target / (1 - target.sum())), outputs["errors"][SQUAREM]
    for n in range(0, min(16, int(outputs["ends"][0, SQUAREM]) - 1), 2):
        r = np.log(target / shares_at(delta, mu)[0])
        q = np.log(target / shares_at(delta + r, mu)[0])
        np.testing.assert_allclose(path[n : n + 2], [np.abs(r).max(), np.abs(q).max()], rtol=1e-5, atol=1e-13)
        length = np.sqrt(r @ r / ((q - r) @ (q - r)))
        delta += 2 * length * r + length**2 * (q - r)


@pytest.mark.parametrize("settings, market", CASES)
def test_every_path_ends_at_the_error_that_is_read_out(settings, market):
    figure = moved(settings, market)
    outputs, read = figure.outputs(), figure.read()
    for method, key in enumerate(("plain", "squarem", "newton")):
        path, sweeps = outputs["errors"][method], int(read[key])
        assert np.isfinite(path[:sweeps]).all() and np.isnan(path[sweeps:]).all()
        end, arrived = outputs["ends"][1, method], outputs["ends"][1, method] <= 1e-12
        assert path[sweeps - 1] == end
        assert np.array_equal(outputs["ends"][2:, method], [end, np.nan] if arrived else [np.nan, end], equal_nan=True)
        assert path[0] == outputs["errors"][CONTRACTION, 0]


@pytest.mark.parametrize("settings, market", [*CASES, (LOGIT, "C01Q1"), (LOGIT, "C08Q2")])
def test_the_rate_is_the_largest_eigenvalue_of_the_contractions_derivative(settings, market):
    figure = moved(settings, market)
    outputs = figure.outputs()
    shares, probabilities = shares_at(outputs["delta"][NEWTON], utilities(outputs, market))
    derivative = probabilities.T @ probabilities / len(probabilities) / shares[:, None]
    assert figure.read()["rate"] == pytest.approx(np.abs(np.linalg.eigvals(derivative)).max(), abs=2e-3)


@pytest.mark.parametrize("product", [1, 2, 12, 24])
def test_what_is_read_out_of_diversion_is_in_its_matrix(product):
    figure = moved(ESTIMATES, product=product)
    outputs, read, rows = figure.outputs(), figure.read(), rows_of("C01Q1")
    own, firms = product - 1, rows["firm_ids"].to_numpy()
    same = (firms == firms[own]) & (np.arange(24) != own)
    for model, key in enumerate(("", "_logit")):
        row = outputs["diversion"][model, own]
        others = np.where(np.arange(24) == own, -1, row)
        assert read["outside" + key] == row[own]
        assert read["firm" + key] == pytest.approx(row[same].sum(), abs=1e-15)
        assert read["closest" + key] == others.argmax() + 1
        assert read["elasticity" + key] == outputs["elasticities"][model, own, own]
    bars = outputs["bars"]
    assert np.array_equal(np.isfinite(bars[0, :24]), same) and np.isfinite(bars[2]).sum() == 1
    assert np.nansum(bars[:3]) == pytest.approx(1) and np.nansum(bars[3]) == pytest.approx(1)
    assert np.isnan(bars[:, own]).all()


# The plain logit


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("settings", [LOGIT, ESTIMATES])
def test_the_plain_logit_diverts_by_shares(market, settings):
    outputs, rows = moved(settings, market).outputs(), rows_of(market)
    shares, prices = rows["shares"].to_numpy(), rows["prices"].to_numpy()
    expected = shares / (1 - shares[:, None])
    np.fill_diagonal(expected, (1 - shares.sum()) / (1 - shares))
    np.testing.assert_allclose(outputs["diversion"][1], expected, rtol=1e-12)
    np.testing.assert_allclose(np.diag(outputs["elasticities"][1]), BETA * prices * (1 - shares), rtol=1e-12)
    if settings == LOGIT:
        for name in ("diversion", "elasticities"):
            np.testing.assert_allclose(outputs[name][0], outputs[name][1], rtol=1e-12)


@pytest.mark.parametrize("market", MARKETS)
def test_without_random_coefficients_the_logits_mean_utilities_explain_the_shares(market):
    figure = moved(LOGIT, market)
    assert [figure.read()[key] for key in ("plain", "squarem", "newton")] == [1, 1, 1]
    outputs = figure.outputs()
    np.testing.assert_allclose(outputs["predicted"], outputs["observed"], rtol=1e-13)


# What a reader can reach


def test_a_contraction_that_does_not_arrive_says_so():
    figure = moved(STRONG, "C31Q1")
    read = figure.read()
    assert read["plain"] == SWEEPS and read["plain_error"] > 1e-12
    assert read["squarem"] < 200 and read["squarem_error"] <= 1e-12 and read["newton"] < 30


def test_the_buttons_lead_to_their_settings():
    figure = live.Contraction(market="C08Q2")
    for key, settings in (("logit", LOGIT), ("strong", STRONG), ("estimates", ESTIMATES)):
        figure.press(key)
        assert tuple(figure.values()[name] for name in TASTES) == settings and figure.market == "C08Q2"
    assert tuple(live.Contraction().values()[name] for name in TASTES) == ESTIMATES


@pytest.mark.parametrize("market", MARKETS)
def test_every_state_has_finite_numbers_that_the_axes_show(market):
    figure = live.Contraction(market=market)
    lowest, highest = figure.panels[1].y.range
    for tastes in itertools.product((0, 10), (0, 15), (0, 0.3, 1), (0, 8), (0, 0.5, 1)):
        for name, value in zip(TASTES, tastes, strict=True):
            setattr(figure, name, value)
        outputs, read = figure.outputs(), figure.read()
        assert np.isfinite(list(read.values())).all()
        assert lowest < min(outputs["predicted"].min(), outputs["observed"].min())
        assert max(outputs["predicted"].max(), outputs["observed"].max()) < highest
        assert 1e-16 <= np.nanmin(outputs["errors"]) and np.nanmax(outputs["errors"]) <= 100
        assert 0 < read["rate"] < 1 and read["elasticity"] < 0
        assert outputs["diversion"].min() >= 0 and outputs["ends"][1, NEWTON] <= 1e-12


@pytest.mark.parametrize("market", MARKETS)
def test_no_household_likes_high_prices(market):
    # The slope is linear in both sliders, so the corners of their ranges are enough.
    for sigma, scale in itertools.product((0, 15), (0, 1)):
        outputs = moved((0, sigma, 0, 0, scale), market).outputs()
        slopes = BETA + outputs["traits"][list(MARKETS).index(market)] @ outputs["loadings"][0, 1]
        assert slopes.max() < 0


def test_markets_and_products_are_labelled_as_they_are():
    for market, label in MARKETS.items():
        rows = rows_of(market)
        assert label == f"{market} (outside {1 - rows['shares'].sum():.0%})"
        assert rows["mushy"].tolist() == [0] * 16 + [1] * 8
        assert np.array_equal(rows["shares"], live.Contraction(market=market).outputs()["observed"])


def test_shares_that_no_mean_utilities_explain_are_a_failure_with_a_message():
    figure = live.Contraction()
    figure._engine.arrays["shares"][:] = 0.05
    with pytest.raises(ConvergenceError, match="did not find the mean utilities"):
        figure.read()
