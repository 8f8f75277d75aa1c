"""The figure on GMM against compecon.blp, plain NumPy, and what it must show."""

import numpy as np
import pytest

from compecon import blp, live
from compecon.blp.objective import Objective
from compecon.blp.parameters import build_parameters
from compecon.live import profiled_objective as page
from compecon.live import profiled_objective_kernels as kernels
from compecon.live.markup import spoken

IDENTIFIED = ("sums", "differences")
SIGMAS = (-4.0, -1.0, 0.5, 2.95, 6.0)


@pytest.fixture(scope="module")
def objective():
    """A function from instruments and rule to the library's objective with W = (Z'Z/N)^-1."""

    def build(instruments, rule):
        problem = page.problem(instruments, rule)
        parameters = build_parameters(problem, np.ones((1, 1)), None)
        W = np.linalg.inv(problem.linear_part.ZZ)
        return Objective(problem, parameters, problem.linear_part, W, blp.Iteration("newton"))

    return build


def markets(rule):
    """For each market, by its name in the data: shares, x (J,) and nodes (I,), weights (I,), in plain arrays."""
    products, agents = page.problem("sums", rule).sorted_products, page.problem("sums", rule).sorted_agents
    for t in range(page.MARKETS):
        here, them = (slice(*part.starts[t : t + 2]) for part in (products, agents))
        yield products.shares[here], products.X2[here, 0], agents.nodes[them, 0], agents.weights[them]


def loose_delta(sigma, rule, tolerance):
    """The contraction's mean utilities, stopped where max |log S - log s| <= tolerance, in plain NumPy."""
    found = []
    for S, x, nu, w in markets(rule):
        delta = np.log(S / (1 - S.sum()))
        while True:
            odds = np.exp(delta + sigma * np.outer(nu, x))
            gap = np.log(S / (w @ (odds / (1 + odds.sum(axis=1, keepdims=True)))))
            if np.abs(gap).max() <= tolerance:
                break
            delta = delta + gap
        found.append(delta)
    return np.concatenate(found)


def loose_objective(sigma, instruments, rule, tolerance):
    """(q, beta) at those mean utilities, by normal equations."""
    part, delta = page.problem(instruments, rule).linear_part, loose_delta(sigma, rule, tolerance)
    W, A, b = np.linalg.inv(part.ZZ), part.Z.T @ part.X1 / part.n, part.Z.T @ delta / part.n
    beta = np.linalg.solve(A.T @ W @ A, A.T @ W @ b)
    g = b - A @ beta
    return part.n * g @ W @ g, beta


# Against the library and NumPy


@pytest.mark.parametrize("rule", page.RULES)
@pytest.mark.parametrize("instruments", page.INSTRUMENTS)
def test_the_exact_curve_is_the_librarys(objective, instruments, rule):
    outputs = live.ProfiledObjective(instruments=instruments, nodes=rule).outputs()
    library = objective(instruments, rule)
    for place in range(0, outputs["grid"].size, 8):
        at = library([outputs["grid"][place]])
        assert outputs["exact"][0, place] == pytest.approx(at.value, rel=1e-9, abs=1e-20)
        assert outputs["exact"][1, place] == pytest.approx(at.gradient[0], rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("rule", page.RULES)
@pytest.mark.parametrize("instruments", page.INSTRUMENTS)
@pytest.mark.parametrize("sigma", SIGMAS)
def test_by_hand_at_a_tight_tolerance_is_the_librarys(objective, sigma, instruments, rule):
    read = live.ProfiledObjective(sigma=sigma, instruments=instruments, nodes=rule).read()
    at = objective(instruments, rule)([sigma])
    assert read["value"] == pytest.approx(at.value, rel=1e-7, abs=1e-20)
    assert read["slope"] == pytest.approx(at.gradient[0], rel=1e-7, abs=1e-10)
    assert read["difference"] == pytest.approx(at.gradient[0], abs=1e-5)
    assert read["price"] == pytest.approx(at.beta[1], rel=1e-9)


@pytest.mark.parametrize("rule", page.RULES)
@pytest.mark.parametrize("instruments", IDENTIFIED)
@pytest.mark.parametrize("tolerance", [1, 0.1, 0.01, 1e-4])
def test_a_loose_tolerance_stops_the_contraction_as_numpy_does(tolerance, instruments, rule):
    for sigma in (0.5, 2.95):
        read = live.ProfiledObjective(sigma=sigma, tolerance=tolerance, instruments=instruments, nodes=rule).read()
        value, beta = loose_objective(sigma, instruments, rule, tolerance)
        assert read["value"] == pytest.approx(value, rel=1e-10)
        assert read["price"] == pytest.approx(beta[1], rel=1e-10)
        ahead, behind = (loose_objective(sigma + h, instruments, rule, tolerance)[0] for h in (1e-3, -1e-3))
        assert read["difference"] == pytest.approx((ahead - behind) / 2e-3, rel=1e-7, abs=1e-9)


def test_the_curve_at_the_tolerance_is_what_the_hand_finds():
    figure = live.ProfiledObjective(tolerance=0.03, nodes="monte_carlo")
    outputs = figure.outputs()
    curve, grid = outputs["curve"].copy(), outputs["grid"]
    assert np.isfinite(curve).all()
    for place in range(0, grid.size, 10):
        figure.sigma = grid[place]
        np.testing.assert_allclose(curve[:, place], figure.outputs()["hand"][:3], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rule", page.RULES)
@pytest.mark.parametrize("instruments", IDENTIFIED)
@pytest.mark.parametrize("method", page.METHODS)
def test_the_searches_end_where_the_library_does(method, instruments, rule):
    figure = live.ProfiledObjective(method=method, instruments=instruments, nodes=rule, start=2)
    read = figure.read()
    results = page.problem(instruments, rule).solve(
        2, method="1s", optimization=blp.Optimization("gauss-newton"), sigma_bounds=([[-20]], [[20]])
    )
    assert read["says"] == kernels.CONVERGED and abs(read["end_slope"]) <= 2e-5
    assert read["end"] == pytest.approx(results.sigma[0, 0], abs=1e-3)
    assert read["best"] == pytest.approx(results.sigma[0, 0], abs=1e-3)
    assert figure.outputs()["best"][1] == pytest.approx(results.objective, abs=1e-6)


def test_gauss_newtons_first_step_is_the_projected_least_squares_step(objective):
    figure, library = live.ProfiledObjective(start=5), objective("differences", "product")
    at, outputs = library([5.0]), figure.outputs()
    step = -at.gradient[0] / at.gauss_newton_hessian[0, 0]
    assert outputs["path"][0, :2] == pytest.approx([5, 5 + step], rel=1e-7)
    assert outputs["path"][1, 0] == pytest.approx(at.value, rel=1e-8)
    assert outputs["path"][2, 0] == pytest.approx(abs(at.gradient[0]), rel=1e-8)


def test_bfgs_goes_down_the_slope_first_and_then_along_the_secant():
    path = live.ProfiledObjective(method="bfgs", start=4).outputs()["path"]
    slopes = path[2, :3] * [1, np.sign(path[0, 1] - page_minimum()), 1]
    assert path[0, 1] == pytest.approx(path[0, 0] - slopes[0], rel=1e-9)
    secant = (slopes[1] - slopes[0]) / (path[0, 1] - path[0, 0])
    assert path[0, 2] == pytest.approx(path[0, 1] - slopes[1] / secant, rel=1e-9)


def page_minimum():
    return live.ProfiledObjective().read()["best"]


# What it must show


def test_symmetric_nodes_make_a_symmetric_curve_and_0_a_stationary_maximum():
    figure = live.ProfiledObjective(start=0)
    exact, read = figure.outputs()["exact"], figure.read()
    np.testing.assert_allclose(exact[0], exact[0, ::-1], rtol=1e-9)
    assert read["says"] == kernels.CONVERGED and read["end"] == 0 and read["evaluations"] == 1
    assert read["best"] > 0 and exact[0, 40] > exact[0, 38] and exact[0, 40] > exact[0, 42]


def test_random_draws_make_two_minima_and_the_start_decides():
    ends = [live.ProfiledObjective(nodes="monte_carlo", start=start).read() for start in (-5, 4)]
    assert [read["says"] for read in ends] == [kernels.CONVERGED] * 2
    assert ends[0]["end"] < -3 and ends[1]["end"] == pytest.approx(ends[1]["best"], abs=1e-4)


def test_without_an_instrument_for_sigma_every_sigma_is_a_minimum():
    figure = live.ProfiledObjective(instruments="shifter", start=-2, method="bfgs")
    read, exact = figure.read(), figure.outputs()["exact"]
    assert not exact.any() and read["says"] == kernels.CONVERGED and read["end"] == -2
    assert spoken(next(r for r in figure.readouts if r.key == "best"), figure.outputs()) == "everywhere"


def test_a_loose_tolerance_makes_false_ends_of_every_kind():
    flat = live.ProfiledObjective(tolerance=0.1, method="differences", start=0.5).read()
    assert flat["says"] == kernels.CONVERGED and flat["end"] == 0.5 and flat["end_slope"] < -1
    moved = live.ProfiledObjective(tolerance=0.3, method="bfgs", start=5).read()
    assert moved["says"] == kernels.CONVERGED and moved["end"] > moved["best"] + 1
    stuck = live.ProfiledObjective(tolerance=0.1, method="differences", start=5).read()
    assert stuck["says"] == kernels.STUCK and stuck["end_slope"] > 1


@pytest.mark.parametrize("method", page.METHODS)
def test_the_path_is_as_long_as_the_report_says_and_goes_down(method):
    for start in (-6, -0.05, 1.3, 6):
        figure = live.ProfiledObjective(method=method, start=start, tolerance=1e-3)
        outputs, read = figure.outputs(), figure.read()
        n = int(outputs["report"][2])
        assert np.isfinite(outputs["path"][:, : n + 1]).all() and np.isnan(outputs["path"][:, n + 1 :]).all()
        assert (np.diff(outputs["path"][1, : n + 1]) <= 1e-12).all()
        assert outputs["path"][0, 0] == start and outputs["path"][0, n] == read["end"]
        assert read["evaluations"] >= (n + 1) * (3 if method == "differences" else 1)
        assert read["says"] in (kernels.CONVERGED, kernels.STUCK, kernels.TOO_SLOW)


def test_the_data_are_what_the_caption_says():
    data = page.economy()
    assert np.unique(data["market_ids"]).size == 20 and len(data["prices"]) == 120
    assert np.unique(data["firm_ids"]).size == 3 and page.SIGMA == 3
    assert all(word in live.ProfiledObjective.caption for word in ("20 markets", "6 products", "3 firms", "sigma = 3"))
    for rule in page.RULES:
        nodes = live.ProfiledObjective().outputs()["traits"].reshape(2, page.MARKETS, page.NODES)
        symmetric = np.allclose(nodes[list(page.RULES).index(rule)], -nodes[list(page.RULES).index(rule)][:, ::-1])
        assert symmetric == (rule == "product")
