"""The figure on NFXP shows the library's likelihood, takes the library's steps, and never claims to have arrived."""

import warnings

import matplotlib
import numpy as np
import pytest

from compecon import plotting, zurcher
from compecon.errors import ParameterError
from compecon.likelihood.covariance import covariance
from compecon.likelihood.linesearch import evaluate
from compecon.likelihood.maximize import maximize
from compecon.live import NFXPByHand
from compecon.live import nfxp_kernels as kernels
from compecon.live.controls import Slider
from compecon.live.nfxp_by_hand import DISCOUNTS, GRID, LIMITS, MOST_STEPS, SAMPLES
from compecon.zurcher.hazard import binned_hazard
from compecon.zurcher.likelihood import ChoiceLikelihood

matplotlib.use("Agg")

MAIN_DISCOUNTS = (0.0, 0.9, 0.99, 0.999, 0.9999)
STARTS = [(4, 1), (1, 10), (15, 0.5), (0, 0), (26, 100)]


@pytest.fixture(scope="module")
def figure():
    """One figure for all tests of what it shows at a point: it remembers nothing but paths."""
    return NFXPByHand()


@pytest.fixture(scope="module")
def likelihood(bus_data):
    """likelihood(sample, discount): the library's partial likelihood."""

    def get(sample, discount):
        data = bus_data(SAMPLES[sample], 90)
        shares = data.dx_counts / data.dx_counts.sum()
        return ChoiceLikelihood(zurcher.ZurcherModel(90, discount), data, shares)

    return get


def quietly(function, *args, **options):
    """Call it without the warning that it did not converge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **options)


def estimate(model, start=(8, 2), optimizer="newton", step="unit"):
    """The public estimator on what a likelihood holds."""
    return quietly(zurcher.nfxp, model.model, model.data, "partial", optimizer=optimizer, start=start, step=step)


def stand(figure, sample, discount, point):
    """Put the reader there."""
    figure.group, figure.discount = sample, discount
    figure.RC, figure.theta11 = point


def path_of(figure):
    """(steps + 1, 2): the climb so far."""
    outputs = figure.outputs()
    steps = int(outputs["state"][2])
    assert np.isnan(outputs["path"][:, steps + 1 :]).all()
    return outputs["path"][:, : steps + 1].T.copy()


class Boxed:
    """A likelihood that is of no use outside of some bounds."""

    def __init__(self, model, bounds):
        self.model, self.bounds = model, np.array(bounds)
        self.weights, self.param_names, self.hessian_obs = model.weights, model.param_names, model.hessian_obs

    def loglike(self, theta):
        logl, scores = self.model.loglike(theta)
        inside = (self.bounds[:, 0] <= theta).all() and (theta <= self.bounds[:, 1]).all()
        return logl if inside else np.full_like(logl, np.nan), scores


# At a point


@pytest.mark.parametrize("discount", DISCOUNTS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_numbers_at_a_point_are_the_librarys(sample, discount, figure, likelihood):
    model = likelihood(sample, discount)
    best = estimate(model).llf
    for point in [(4, 1), (0, 0), (10.08, 2.29), (26, 0.05), (0.02, 323.6), (7.3, -12.5), (300, 40)]:
        stand(figure, sample, discount, point)
        found, expected = figure.read(), evaluate(model, np.array(point, dtype=float))
        assert found["llf"] == pytest.approx(expected.llf, rel=1e-12)
        assert found["distance"] == pytest.approx(expected.residual, rel=1e-9)
        assert found["below"] == pytest.approx(best - expected.llf, rel=1e-11, abs=1e-9) and found["below"] > 0
        errors = np.sqrt(np.diag(covariance(model, point, "opg")))
        np.testing.assert_allclose([found["error_RC"], found["error_theta11"]], errors, rtol=1e-8)
        assert (found["steps"], found["converged"]) == (0, 0)
        params = zurcher.Params(point[0], [point[1]], model.theta3)
        hazard = model.model.solve(params).choice_prob[:, 1]
        # solve() divides theta3 by its sum, 1 but for rounding.
        np.testing.assert_allclose(figure.outputs()["hazard"], hazard, rtol=1e-10, atol=1e-15)


def test_every_point_that_a_hand_can_reach_has_finite_numbers(figure):
    for sample in SAMPLES:
        for discount in (0.0, 0.9, 0.9999):
            for RC in (0, 0.02, 13, 26):
                for theta11 in (0, 0.05, 1, 30, NFXPByHand.theta11.high):
                    stand(figure, sample, discount, (RC, theta11))
                    assert np.isfinite(list(figure.read().values())).all()


def test_so_have_the_far_ends_to_which_an_optimizer_may_go(figure):
    for discount in (0.0, 0.9999):
        for RC in LIMITS[0]:
            for theta11 in LIMITS[1]:
                stand(figure, "4", discount, (RC, theta11))
                assert np.isfinite(list(figure.read().values())).all()


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_observed_hazard_is_that_of_plot_hazard(sample, figure, bus_data, likelihood):
    model, data = likelihood(sample, 0.9999), bus_data(SAMPLES[sample], 90)
    ax = plotting.plot_hazard(estimate(model).solve(), data)
    x, share = ax.collections[-1].get_offsets().T
    (low, high), sizes = np.array([[p[0, 1], p[1, 1]] for p in ax.collections[0].get_segments()]).T, ax.collections[-1]
    stand(figure, sample, 0.9999, (4, 1))
    observed = figure.outputs()["observed"][:, : x.size]
    assert np.isnan(figure.outputs()["observed"][:, x.size :]).all()
    np.testing.assert_allclose(observed[:4], [(x + 0.5) * 5, share, low, high], rtol=1e-12)
    np.testing.assert_allclose(observed[4] ** 2, sizes.get_sizes(), rtol=1e-12)
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize("n_bins", [1, 5, 12, 90])
@pytest.mark.parametrize("sample", SAMPLES)
def test_bins_of_the_hazard_count_the_observations(sample, n_bins, bus_data):
    data = bus_data(SAMPLES[sample], 90)
    observations, bins = data.observations(), binned_hazard(data, n_bins)
    place = (observations["x"] * n_bins // 90).clip(upper=bins.index[-1])
    for label, row in bins.iterrows():
        mine = observations[place == label]
        assert (row["count"], row["replacements"]) == (len(mine), mine["d"].sum())
        assert row["x"] == pytest.approx(mine["x"].mean()) and row["share"] == pytest.approx(mine["d"].mean())
        assert row["error"] == pytest.approx(mine["d"].std(ddof=0) / np.sqrt(len(mine)))
    assert bins["count"].sum() == data.n_obs and (observations["x"] * n_bins // 90 >= bins.index[-1]).sum() >= 50


# The surface and its maximum


@pytest.mark.parametrize("discount", DISCOUNTS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_hidden_climb_finds_the_maximum_and_frames_it(sample, discount, figure, likelihood):
    fit = estimate(likelihood(sample, discount))
    assert fit.maximum.converged
    stand(figure, sample, discount, (4, 1))
    outputs = figure.outputs()
    np.testing.assert_allclose(outputs["best"][:2], fit.theta, rtol=1e-6)
    assert outputs["best"][2] == pytest.approx(fit.llf, rel=1e-12)
    (low, high), (bottom, top) = outputs["window"]
    assert low < fit.theta[0] - 2 * fit.bse.iloc[0] and fit.theta[0] + 2 * fit.bse.iloc[0] < high
    assert bottom == 0 and top == pytest.approx(5 * fit.theta[1], rel=1e-6)
    assert fit.theta[1] < NFXPByHand.theta11.high


@pytest.mark.parametrize("sample, discount", [("4", 0.9999), ("4", 0.0), ("1-3", 0.9), ("1-4", 0.99)])
def test_the_surface_is_likelihood_surface(sample, discount, figure, likelihood):
    stand(figure, sample, discount, (4, 1))
    outputs = figure.outputs()
    RC, theta11 = (np.linspace(*ends, GRID) for ends in outputs["window"])
    surface = zurcher.likelihood_surface(estimate(likelihood(sample, discount)), RC, theta11)
    np.testing.assert_allclose(outputs["surface"], surface.llf, rtol=1e-11)
    assert outputs["progress"][0] == 1


def test_the_surface_is_computed_row_by_row():
    figure = NFXPByHand()
    call = figure._engine.call
    assert call("nfxp_surface", figure.numbers(), 1.0) == 2
    for row in range(GRID):
        surface, progress = (figure._engine.arrays[name] for name in ("surface", "progress"))
        assert np.isnan(surface[row:]).all() and np.isfinite(surface[:row]).all() and progress[0] == row / GRID
        assert call("nfxp_surface", figure.numbers(), 0.0) == (1 if row == GRID - 1 else 2)


# The climb


@pytest.mark.parametrize("rule", ["unit", "secant"])
@pytest.mark.parametrize("method", ["bhhh", "newton"])
@pytest.mark.parametrize("discount", MAIN_DISCOUNTS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_climb_takes_the_path_of_nfxp(sample, discount, method, rule, likelihood):
    model, figure = likelihood(sample, discount), NFXPByHand(method=method, rule=rule)
    for start in STARTS:
        fit = estimate(model, start, method, rule)
        stand(figure, sample, discount, start)
        figure.press("climb")
        path, found = path_of(figure), figure.read()
        # Closer to the maximum the order of a sum decides whether a step climbs; n_iter may then differ by a step.
        far = int(np.argmax(fit.maximum.history[:, 1] < 1e-6))
        assert far > 3 and abs(len(path) - len(fit.maximum.path)) <= 2
        np.testing.assert_allclose(path[:far], fit.maximum.path[:far], rtol=1e-8, atol=1e-8)
        assert found["converged"] == fit.maximum.converged and found["steps"] == len(path) - 1
        np.testing.assert_allclose([figure.RC, figure.theta11], fit.theta, rtol=1e-7)
        np.testing.assert_allclose([found["error_RC"], found["error_theta11"]], fit.bse, rtol=1e-7)
        peak = figure.outputs()["peak"]
        np.testing.assert_array_equal(peak, path[-1] if fit.maximum.converged else [np.nan, np.nan])


def test_a_climb_that_runs_out_of_steps_says_so_and_goes_on_when_asked(likelihood):
    model = likelihood("1-3", 0.9)
    slow = estimate(model, (4, 1), "bhhh").maximum
    assert not slow.converged and slow.n_iter == MOST_STEPS
    figure = NFXPByHand(group="1-3", discount=0.9)
    figure.press("climb")
    assert (figure.read()["steps"], figure.read()["converged"]) == (MOST_STEPS, 0)
    figure.press("climb")
    assert (0 < figure.read()["steps"] < MOST_STEPS) and figure.read()["converged"] == 1
    np.testing.assert_array_equal(path_of(figure)[0], figure.outputs()["before"][:, -1])
    np.testing.assert_allclose(path_of(figure)[-1], estimate(model).theta, rtol=1e-6)


@pytest.mark.parametrize("rule", ["unit", "secant"])
@pytest.mark.parametrize("method", ["bhhh", "newton"])
def test_steps_stay_inside_the_bounds(method, rule, likelihood):
    bounds, model = [[0, 26], [0, 20]], likelihood("4", 0.9999)
    for start, sticks in [((4, 1), False), ((1, 10), method == "bhhh"), ((0, 0.3), method == "newton")]:
        expected = quietly(maximize, Boxed(model, bounds), np.array(start, float), method, step=rule)
        figure = NFXPByHand(RC=start[0], theta11=start[1], method=method, rule=rule)
        figure._engine.arrays["bounds"][:] = bounds
        assert kernels.inside(np.array([0.0, 20.0]), figure._engine.arrays["bounds"])
        figure.press("climb")
        np.testing.assert_allclose(path_of(figure), expected.path, rtol=1e-8, atol=1e-8)
        assert figure.read()["converged"] == expected.converged
        if sticks and not expected.converged:
            # Where no step climbs, another press leads nowhere, and nobody claims a maximum.
            point = figure.RC, figure.theta11
            figure.press("step")
            assert (figure.RC, figure.theta11) == point and np.isnan(figure.outputs()["peak"]).all()


def test_single_steps_make_up_the_climb_and_stop_at_its_end(likelihood):
    expected = estimate(likelihood("4", 0.9999), (4, 1), "bhhh").maximum.path
    figure = NFXPByHand()
    for steps in range(1, len(expected) + 2):
        figure.press("step")
        shown = expected[min(steps, len(expected) - 1)]
        np.testing.assert_allclose([figure.RC, figure.theta11], shown, rtol=1e-8)
        assert figure.read()["steps"] == min(steps, len(expected) - 1)
    assert figure.read()["converged"] == 1


def test_another_method_goes_on_from_where_the_first_one_stands(likelihood):
    figure = NFXPByHand()
    for _ in range(3):
        figure.press("step")
    third = figure.RC, figure.theta11
    figure.method = "newton"
    figure.press("climb")
    expected = estimate(likelihood("4", 0.9999), third, "newton").maximum.path
    np.testing.assert_allclose(path_of(figure)[3:], expected, rtol=1e-8)


def test_start_over_returns_to_the_start_and_then_to_the_first_guess():
    figure = NFXPByHand(RC=12, theta11=6)
    figure.press("climb")
    climbed = path_of(figure)
    figure.press("start")
    assert (figure.RC, figure.theta11) == (12, 6) and len(path_of(figure)) == 1
    np.testing.assert_array_equal(figure.outputs()["before"][:, : len(climbed)].T, climbed)
    figure.press("start")
    assert (figure.RC, figure.theta11) == (4, 1)
    np.testing.assert_array_equal(figure.outputs()["before"][:, : len(climbed)].T, climbed)


def test_a_move_by_hand_begins_a_new_path_and_another_sample_forgets_the_old_ones():
    figure = NFXPByHand()
    figure.press("climb")
    climbed = path_of(figure)
    for RC in (9, 8.5):
        figure.RC = RC
        np.testing.assert_array_equal(path_of(figure), [[RC, figure.theta11]])
        np.testing.assert_array_equal(figure.outputs()["before"][:, : len(climbed)].T, climbed)
    for change in ({"group": "1-4"}, {"discount": 0.99}):
        figure.press("climb")
        figure.set_trait(*next(iter(change.items())))
        assert len(path_of(figure)) == 1 and np.isnan(figure.outputs()["before"]).all()


def test_a_point_beyond_the_window_is_shown_at_its_edge(figure):
    stand(figure, "4", 0.9999, (26, 100))
    outputs = figure.outputs()
    np.testing.assert_array_equal(outputs["here"], [26, outputs["window"][1, 1]])


# What the figure asked of the machinery


def test_a_slider_can_be_set_beyond_the_page_within_its_limits():
    slider = Slider(1, "slope", stops=(0, 1, 10), limits=(-5, 20))
    assert slider.check(-5) == -5 and slider.check(17.3) == 17.3
    assert (slider.face(-5)["min"], slider.face(-5)["max"], slider.low, slider.high) == (0, 2, 0, 10)
    with pytest.raises(ParameterError, match="between -5 and 20"):
        slider.check(21)


def test_the_still_picture_has_the_window_of_the_sample():
    def ticks(page):
        # matplotlib writes each tick's text as an element of its own
        return {int(text) for text in ("100", "200", "300") if f">{text}</text>" in page.split("live-panel")[2]}

    assert ticks(NFXPByHand()._repr_mimebundle_()[0]["text/html"]) == set()
    assert ticks(NFXPByHand(discount=0)._repr_mimebundle_()[0]["text/html"]) == {100, 200, 300}
