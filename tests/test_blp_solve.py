"""Estimation: the reference's numbers, the optimizers against each other, and what must hold of any estimate."""

import numpy as np
import pytest
from blp_solve_fixtures import PI, SIGMA, economy, problem, stand
from blp_walkthrough import PI_PLACES, SIGMA_PLACES, THETA, cereal_problem, micro_moments, starting_values

from compecon import blp
from compecon.blp import threads
from compecon.blp.inner import starting_delta
from compecon.blp.iteration import Iteration
from compecon.blp.objective import Objective

# reference/nevo.json, "at_start": pyblp 1.3.0 at the tutorial's starting values.
START = (0.3302, 2.4526, 0.0163, 0.2441, 5.4819, 0.2037, 15.8935, -1.2, 2.6342, -0.2506, 0.0511, 1.265, -0.8091)
AT_START = {
    "objective": 29.353343126175286,
    "gradient": [
        9.844961722749918, 0.31698259169092696, 363.50619973103466, 16.359536080500426, 10.601305051473453,
        -2.0263117139873175, 0.7025374638220755, 13.493750374217802, -0.5711893220737192, 42.5021403015806,
        10.9049143531145, -3.4756385077678975, 1.283971379564751,
    ],
    "beta": -28.18854436301971,
    "theta_se": [
        0.10081883676237503, 0.843638470049182, 0.00883555643305388, 0.14319184533396503, 0.9882379698178801,
        0.32550016860296915, 171.1292602517041, 8.869252432481748, 3.409378629270776, 0.035720043456183265,
        0.020589166283282227, 0.5016304866390255, 0.4706023885225158,
    ],
    "beta_se": 7.88244501013135,
}  # fmt: skip
# reference/nevo.json, "solve_1" to "solve_3": polished estimates (their theta is blp_walkthrough.THETA).
OBJECTIVES = (4.561514164803142, 0.0, 107.21335630030224)  # the second is 5e-24
BETAS = (-62.729896155281224, -31.40334175289444, -51.85431758683021)
STANDARD_ERRORS = (
    (0.16253259870815484, 1.3401833863432173, 0.013504525110848434, 0.18543327903003481, 1.2085690956201358,
     0.631214883862929, 270.4410181167026, 14.101230025485465, 4.1225635792756625, 0.12145841644820247,
     0.025985292709172082, 0.802108149498295, 0.6671085976479352, 14.80321435412756),
    (0.07821861811480652, 0.6480658007887521, 0.007192784869075669, 0.10104163154679127, 0.5232680598873366,
     0.20055950561287259, 86.15532024472368, 4.461259519546472, 2.247535193326726, 0.03538192513766459,
     0.013270478102055732, 0.2869989232464858, 0.18026870736002595, 4.526847984108782),
    (0.06658265518367106, 0.5326281402216966, 0.0061186573091123264, 0.0828712927196967, 0.3527165325694438,
     0.14677603411968745, 31.217445805371028, 1.625926554108834, 1.7453932673159835, 0.02412504569356989,
     0.009225653863079006, 0.19425883083233744, 0.11274389520492722, 2.1799212136619786),
)  # fmt: skip
# The tutorial's printed estimates of theta and beta (reference/tutorial.txt, cells 3, 24 and 34), then standard errors.
PRINTED = (
    "+5.6E-01 +3.3E+00 -5.8E-03 +9.3E-02 +2.3E+00 +1.3E+00 +5.9E+02 -3.0E+01 +1.1E+01 -3.8E-01 +5.2E-02 +7.5E-01 "
    "-1.4E+00 -6.3E+01 +1.6E-01 +1.3E+00 +1.4E-02 +1.9E-01 +1.2E+00 +6.3E-01 +2.7E+02 +1.4E+01 +4.1E+00 +1.2E-01 "
    "+2.6E-02 +8.0E-01 +6.7E-01 +1.5E+01",
    "+2.1E-01 +3.0E+00 +2.7E-02 +3.0E-01 +6.0E+00 +1.6E-01 +9.8E+01 -5.6E+00 +4.1E+00 -3.1E-01 +4.9E-02 +9.7E-01 "
    "-5.4E-01 -3.1E+01 +7.8E-02 +6.5E-01 +7.2E-03 +1.0E-01 +5.2E-01 +2.0E-01 +8.6E+01 +4.5E+00 +2.2E+00 +3.5E-02 "
    "+1.3E-02 +2.9E-01 +1.8E-01 +4.5E+00",
    "+4.6E-01 +3.1E+00 +2.0E-02 -6.6E-02 +4.8E+00 +6.5E-01 +4.7E+02 -2.5E+01 +3.2E+00 -4.0E-01 +4.6E-02 +1.1E+00 "
    "-1.1E+00 -5.2E+01 +6.7E-02 +5.3E-01 +6.1E-03 +8.3E-02 +3.5E-01 +1.5E-01 +3.1E+01 +1.6E+00 +1.7E+00 +2.4E-02 "
    "+9.2E-03 +1.9E-01 +1.1E-01 +2.2E+00",
)


# In so small an economy some agents come to like higher prices.
UPWARD = pytest.mark.filterwarnings("ignore:.*like higher prices")


def standard_errors(results):
    """Of theta, then beta."""
    places = zip(*SIGMA_PLACES, strict=True), zip(*PI_PLACES, strict=True)
    sigma, pi = (se[tuple(at)] for se, at in zip((results.sigma_se, results.pi_se), places, strict=True))
    return np.concatenate([sigma, pi, results.beta_se[:, 0]])


@pytest.fixture(scope="module")
def cereal():
    """The problem, its products and its agents."""
    return cereal_problem(blp)


@pytest.fixture(scope="module")
def solves(cereal):
    """{method: results of the tutorial's three solves}; the last two start at the first one's estimates."""
    problem, _, agents = cereal
    found = {}
    for name, gtol in (("bfgs", 1e-5), ("gauss-newton", 1e-8)):
        how = {"method": "1s", "optimization": blp.Optimization(name, {"gtol": gtol})}
        first = problem.solve(*starting_values(START), **how)
        updated = first.compute_optimal_instruments(method="approximate").to_problem()
        moments, _ = micro_moments(blp, first, agents)
        second = updated.solve(first.sigma, first.pi, **how)
        found[name] = (first, second, updated.solve(first.sigma, first.pi, micro_moments=moments, **how))
    return found


# The reference


def test_at_the_starting_values_everything_is_the_references(cereal):
    results = cereal[0].solve(*starting_values(START), method="1s", optimization=blp.Optimization("return"))
    np.testing.assert_allclose(results.objective, AT_START["objective"], rtol=1e-10)
    np.testing.assert_allclose(results.gradient[:, 0], AT_START["gradient"], rtol=1e-10)
    np.testing.assert_allclose(results.beta, [[AT_START["beta"]]], rtol=1e-10)
    known = [*AT_START["theta_se"], AT_START["beta_se"]]
    np.testing.assert_allclose(standard_errors(results), known, rtol=1e-6)
    np.testing.assert_array_equal(results.theta, START)


@pytest.mark.parametrize("k", range(3))
def test_bfgs_reaches_the_tutorials_printed_digits(solves, k):
    results = solves["bfgs"][k]
    numbers = np.concatenate([results.parameters[:, 0], standard_errors(results)])
    assert [f"{number:+.1E}" for number in numbers] == PRINTED[k].split()
    assert results.converged and results.projected_gradient_norm <= 1e-5


@pytest.mark.parametrize("k", range(3))
def test_gauss_newton_reaches_the_polished_estimates(solves, k):
    results = solves["gauss-newton"][k]
    np.testing.assert_allclose(results.theta, THETA[k], rtol=1e-7)
    np.testing.assert_allclose(results.beta, [[BETAS[k]]], rtol=1e-7)
    np.testing.assert_allclose(results.objective, OBJECTIVES[k], rtol=1e-10, atol=1e-18)
    np.testing.assert_allclose(standard_errors(results), STANDARD_ERRORS[k], rtol=1e-6)
    assert results.converged and results.projected_gradient_norm <= 1e-8


@pytest.mark.parametrize(("k", "times"), [(0, 3), (1, 3), (2, 2)])
def test_gauss_newton_needs_a_third_of_bfgs_evaluations_and_has_a_smaller_gradient(solves, k, times):
    """The third search by BFGS is short, because its line search soon fails: half the evaluations there."""
    newton, bfgs = solves["gauss-newton"][k], solves["bfgs"][k]
    assert times * newton.objective_evaluations <= bfgs.objective_evaluations
    assert newton.projected_gradient_norm < bfgs.projected_gradient_norm


def test_two_steps_agree_whichever_way_they_are_taken(cereal):
    """The second step by hand: the first one's updated W, given to a one-step solve."""
    start = starting_values(START)
    both = cereal[0].solve(*start)
    by_hand = cereal[0].solve(both.last_results.sigma, both.last_results.pi, method="1s", W=both.last_results.updated_W)
    assert both.step == 2 and both.last_results.step == 1
    np.testing.assert_allclose(both.theta, by_hand.theta, rtol=1e-7)
    np.testing.assert_allclose(both.objective, by_hand.objective, rtol=1e-10)


# Identities


@pytest.mark.parametrize("options", [{}, {"linear": "0 + prices + x", "absorb": "C(brand)"}], ids=["plain", "absorbed"])
def test_the_gradient_is_the_slope_of_the_objective(options):
    built, sigma = problem(**options), np.tril(np.full((3, 3), 0.3)) + np.diag([0.2, 0.5, 0.3])
    at = stand(blp, built, sigma, PI)
    step, slopes = 1e-5, []
    for row, column in zip(at.parameters_.rows, at.parameters_.columns, strict=True):
        values = []
        for sign in (1, -1):
            loadings = np.hstack([sigma, PI])
            loadings[row, column] += sign * step
            values.append(stand(blp, built, loadings[:, :3], loadings[:, 3:]).objective)
        slopes.append((values[0] - values[1]) / (2 * step))
    np.testing.assert_allclose(at.gradient[:, 0], slopes, rtol=1e-6, atol=1e-8)


def test_the_hessian_is_symmetric_positive_definite_and_the_slope_of_the_gradient(cereal, solves):
    results = solves["gauss-newton"][0]
    np.testing.assert_array_equal(results.hessian, results.hessian.T)
    assert (np.linalg.eigvalsh(results.hessian) > 0).all()
    how = {"method": "1s", "optimization": blp.Optimization("return")}
    for p in (0, 6, 12):
        step = 1e-5 * np.abs(results.theta[p]) * np.eye(13)[p]
        ahead, behind = (cereal[0].solve(*starting_values(results.theta + d), **how) for d in (step, -step))
        slope = (ahead.gradient - behind.gradient)[:, 0] / (2 * step[p])
        np.testing.assert_allclose(results.hessian[p], slope, rtol=1e-4, atol=1e-5 * np.abs(slope).max())


def test_first_order_prediction_only_starts_the_inner_problem_elsewhere(cereal, solves):
    results = solves["gauss-newton"][0]
    objective = Objective(cereal[0], results.parameters_, cereal[0].linear_part, results.W, Iteration("newton"))
    cold, last = objective(results.theta), objective(np.array(START))
    warm = objective(results.theta, last)
    np.testing.assert_allclose(warm.value, cold.value, rtol=1e-12)
    np.testing.assert_allclose(warm.inversion.delta, cold.inversion.delta, rtol=0, atol=1e-12)
    # The prediction is of first order: half the way, a quarter of the error.
    errors = []
    for way in (2e-3, 1e-3):
        theta = results.theta * (1 + way)
        errors.append(np.abs(starting_delta(cereal[0], theta, cold) - objective(theta).inversion.delta).max())
    assert 3.5 < errors[0] / errors[1] < 4.5


def numbers(results):
    """Bytes of all that is estimated."""
    names = ("theta", "beta", "delta", "xi", "objective", "gradient", "hessian", "parameter_covariances", "updated_W")
    return {name: np.asarray(getattr(results, name)).tobytes() for name in names}


def test_any_number_of_threads_gives_the_same_bits(cereal, monkeypatch):
    found = []
    for cores in (1, 2, 3, 7):
        monkeypatch.setattr(threads, "_n_cores", lambda cores=cores: cores)
        found.append(numbers(cereal[0].solve(*starting_values(START), method="1s")))
    assert found[0] == found[1] == found[2] == found[3]


def test_the_order_of_rows_changes_no_bit():
    """Markets in another order, products and agents within them in the same: every sum keeps the order of its terms."""
    tables = economy()
    moved = [table.sort_values("market_ids", kind="stable", ascending=False) for table in tables]
    order = moved[0].index.to_numpy()
    how = {"linear": "0 + prices + x + w", "absorb": "C(brand)"}
    one = problem(**how).solve(SIGMA, PI)
    other = problem(**how, products=moved[0], agents=moved[1]).solve(SIGMA, PI)
    np.testing.assert_array_equal(other.delta, one.delta[order])
    np.testing.assert_array_equal(other.xi, one.xi[order])
    same = set(numbers(one)) - {"delta", "xi"}
    assert all(numbers(one)[name] == numbers(other)[name] for name in same)


@UPWARD
def test_the_order_of_products_in_a_market_changes_rounding_at_most():
    products, agents = (table.sample(frac=1, random_state=9) for table in economy())
    one, other = problem().solve(SIGMA, PI, method="1s"), problem(products=products, agents=agents)
    other = other.solve(SIGMA, PI, method="1s")
    np.testing.assert_allclose(other.theta, one.theta, rtol=1e-7)
    np.testing.assert_allclose(other.delta[np.argsort(products.index)], one.delta, rtol=1e-9, atol=1e-9)


def test_progress_is_silent_until_asked_for_and_one_line_a_step(monkeypatch, capsys):
    built = problem(demographics=None)
    quiet = built.solve(SIGMA)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(blp.options, "verbose", True)
    loud = built.solve(SIGMA)
    first, second, after = capsys.readouterr().out.split("\n")
    last = second.split("\r")[-1]
    assert f"GMM step 2, evaluation {loud.objective_evaluations}: objective {loud.objective:.6e}" in last
    assert "fixed points failed 0" in last and "GMM step 1" in first and after == ""
    np.testing.assert_array_equal(loud.theta, quiet.theta)
