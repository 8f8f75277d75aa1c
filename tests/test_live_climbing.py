"""The figure of chapter 4 against `compecon.likelihood`: its sample, its surface, and the paths of its optimizers."""

import itertools
import math
import warnings

import numpy as np
import pytest
from scipy import linalg, stats

from compecon.errors import ConvergenceWarning, ParameterError
from compecon.likelihood.covariance import covariance
from compecon.likelihood.examples import Normal
from compecon.likelihood.maximize import maximize, total_hessian
from compecon.live import Climbing
from compecon.live import climbing as page
from compecon.live.climbing_kernels import BFGS, BHHH, BHHH_UNIT, LEFT, NEWTON, STUCK, TOO_SLOW
from compecon.live.markup import spoken

STARTS = [(-1.5, 1.6), (0.0, 1.05), (-2.5, 0.3), (2.5, 3.2), (-1.0, 2.5), (0.05, 0.3)]


@pytest.fixture(scope="module")
def figure():
    return Climbing()


def outputs(figure, kurtosis, mu=-1.5, sigma=1.6):
    figure.kurtosis, figure.mu, figure.sigma = kurtosis, mu, sigma
    return figure.outputs()


def searched(model, start, method):
    """The library's path with the halving rule, whether or not it arrives within the figure's iterations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return maximize(model, start, method, step="unit", max_iter=page.MOST)


# The sample and its log-likelihood


@pytest.mark.parametrize("kurtosis", page.KURTOSES)
def test_the_sample_is_symmetric_with_mean_0_variance_1_and_the_kurtosis_that_was_asked_for(figure, kurtosis):
    y = outputs(figure, kurtosis)["y"]
    assert (np.diff(y) > 0).all() and np.array_equal(y, -y[::-1])
    # Its values are rounded to 2^-30, about 1e-9.
    assert np.array_equal(y, np.round(y * 2**30) / 2**30)
    assert y.mean() == pytest.approx(0, abs=1e-15) and (y**2).mean() == pytest.approx(1, abs=1e-9)
    assert stats.kurtosis(y, fisher=False) == pytest.approx(kurtosis, rel=1e-8)


@pytest.mark.parametrize("kurtosis", page.KURTOSES)
def test_the_sample_is_a_power_of_the_normal_quantiles(figure, kurtosis):
    y = outputs(figure, kurtosis)["y"][50:]
    z = stats.norm.ppf((np.arange(50, 100) + 0.5) / 100)
    power = math.log(y[-1] / y[25]) / math.log(z[-1] / z[25])
    np.testing.assert_allclose(y, y[-1] * (z / z[-1]) ** power, atol=1e-8)


@pytest.mark.parametrize("kurtosis", [1.2, 3, 15])
def test_the_surface_and_the_maximum_are_those_of_the_normal_model_for_every_kurtosis(figure, kurtosis):
    found = outputs(figure, kurtosis)
    model = Normal(found["y"])
    expected = [[model.loglike((mu, sigma))[0].sum() for mu in found["mu_grid"]] for sigma in found["sigma_grid"]]
    # The surface was computed once, for another kurtosis.
    np.testing.assert_allclose(found["surface"], expected, rtol=1e-9)
    np.testing.assert_allclose(found["maximum"][:2], [0, 1], atol=1e-9)
    assert found["maximum"][2] == pytest.approx(model.loglike(model.closed_form())[0].sum(), rel=1e-13)
    np.testing.assert_allclose(found["maximum"][:2], model.closed_form(), atol=1e-14)


@pytest.mark.parametrize("kurtosis", page.KURTOSES)
def test_the_eigenvalue_is_2_over_kurtosis_less_1(figure, kurtosis):
    found = outputs(figure, kurtosis)
    model = Normal(found["y"])
    theta = model.closed_form()
    opg, curvature = covariance(model, theta, "opg"), -total_hessian(model, theta)
    np.testing.assert_allclose(sorted(linalg.eigvals(opg @ curvature).real), sorted([1, found["near"][0]]), rtol=1e-9)
    assert found["near"][0] == pytest.approx(2 / (kurtosis - 1), rel=1e-7)
    assert found["near"][1] == pytest.approx(abs(1 - 2 / (kurtosis - 1)), rel=1e-7, abs=1e-8)
    assert found["near"][1] == pytest.approx(np.interp(kurtosis, *found["factor"]), abs=0.01)


def test_the_histogram_and_the_density_are_numpys_and_scipys(figure):
    for kurtosis in page.KURTOSES:
        found = outputs(figure, kurtosis)
        middles, shares = found["histogram"]
        edges = np.append(middles - page.BIN / 2, middles[-1] + page.BIN / 2)
        np.testing.assert_allclose(shares, np.histogram(found["y"], edges, density=True)[0], atol=1e-12)
        assert shares.sum() * page.BIN == pytest.approx(1)
        np.testing.assert_allclose(found["fitted"][1], stats.norm.pdf(found["fitted"][0]), rtol=1e-7)


# The paths


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("kurtosis", [1.2, 1.6, 2, 2.7, 3, 6, 15])
@pytest.mark.parametrize("row, method", [(BHHH, "bhhh"), (NEWTON, "newton"), (BFGS, "bfgs")])
def test_the_paths_are_the_librarys(figure, row, method, kurtosis, start):
    found = outputs(figure, kurtosis, *start)
    maximum = searched(Normal(found["y"]), start, method)
    distance, points = maximum.history[:, 1], maximum.n_iter + 1
    # Where BHHH overshoots, rounding errors decide whether the last steps climb: 1e-6 standard errors from the maximum
    # a step's gain is 1e-12, next to a log-likelihood of -142.
    sure = row != BHHH or kurtosis > 2
    compared = points if sure else int((distance > 1e-5).sum())
    np.testing.assert_allclose(found["mu_path"][row, :compared], maximum.path[:compared, 0], atol=1e-8)
    np.testing.assert_allclose(found["sigma_path"][row, :compared], maximum.path[:compared, 1], atol=1e-8)
    np.testing.assert_allclose(found["distance"][row, :compared], distance[:compared], atol=1e-8, rtol=1e-8)
    far = found["distance"][row] >= 0.5
    np.testing.assert_equal(found["far"][row], np.where(far, found["sigma_path"][row], np.nan))
    if sure:
        assert np.isnan(found["mu_path"][row, points:]).all() and np.isnan(found["distance"][row, points:]).all()
        assert found["iterations"][row] == (maximum.n_iter if maximum.converged else TOO_SLOW)
    else:
        assert (found["iterations"][row] == TOO_SLOW) or np.nanmin(found["distance"][row]) <= 1e-7


def unit_steps(y, start):
    """BHHH with unit steps in plain NumPy: the points, and how it ended."""
    theta, points = np.array(start), [np.array(start)]
    for _ in range(page.MOST):
        z = (y - theta[0]) / theta[1]
        scores = np.column_stack([z, z**2 - 1]) / theta[1]
        gradient = scores.sum(axis=0)
        direction = np.linalg.solve(scores.T @ scores, gradient)
        if math.sqrt(direction @ gradient) <= 1e-7:
            return np.array(points), len(points) - 1
        theta = theta + direction
        points.append(theta)
        if theta[1] <= 0:
            return np.array(points), LEFT
    return np.array(points), TOO_SLOW


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("kurtosis", [1.2, 1.4, 1.6, 2, 2.4, 3, 6, 15])
def test_unit_steps_of_bhhh_are_numpys_until_they_leave_the_domain(figure, kurtosis, start):
    found = outputs(figure, kurtosis, *start)
    points, ended = unit_steps(found["y"], start)
    # Below a kurtosis of 2 rounding errors grow, as every error does.
    compared = len(points) if kurtosis >= 2 else min(len(points), 12)
    np.testing.assert_allclose(found["mu_path"][BHHH_UNIT, :compared], points[:compared, 0], atol=1e-8)
    np.testing.assert_allclose(found["sigma_path"][BHHH_UNIT, :compared], points[:compared, 1], atol=1e-8)
    if compared == len(points):
        assert found["iterations"][BHHH_UNIT] == ended
        assert np.isnan(found["mu_path"][BHHH_UNIT, len(points):]).all()


def test_a_path_that_leaves_the_domain_is_drawn_to_where_it_left(figure):
    found = outputs(figure, 1.4)
    assert found["iterations"][BHHH_UNIT] == LEFT
    path = found["sigma_path"][BHHH_UNIT]
    path = path[~np.isnan(path)]
    assert path[-1] <= 0 and (path[:-1] > 0).all()
    assert np.isfinite(found["distance"][BHHH_UNIT]).sum() == path.size - 1


@pytest.mark.parametrize("kurtosis", [k for k in page.KURTOSES if k > 2])
def test_a_path_that_arrives_shows_the_error_factor_that_was_predicted(figure, kurtosis):
    found = outputs(figure, kurtosis)
    assert found["seen"][0] == pytest.approx(found["near"][1], abs=2e-4)
    if found["iterations"][BHHH_UNIT] >= 0:
        last = found["distance"][BHHH_UNIT][~np.isnan(found["distance"][BHHH_UNIT])][-2:]
        assert found["seen"][0] == last[1] / last[0]


def test_the_factor_that_is_shown_is_that_of_the_step_which_began_nearest_to_the_maximum(figure):
    shown = []
    for kurtosis, start in itertools.product(page.KURTOSES, STARTS):
        found = outputs(figure, kurtosis, *start)
        before, after = found["distance"][BHHH_UNIT, :-1], found["distance"][BHHH_UNIT, 1:]
        near = (before < 0.5) & np.isfinite(after)
        nearest = np.argmin(before[near]) if near.any() else None
        expected = math.nan if nearest is None else after[near][nearest] / before[near][nearest]
        np.testing.assert_equal(found["seen"][0], expected)
        shown.append((kurtosis, found["seen"][0]))
    # Overshooting paths come near the maximum, too, by chance.
    assert any(kurtosis < 2 and seen > 1 for kurtosis, seen in shown) and any(np.isnan(seen) for _, seen in shown)


def test_unit_steps_of_bhhh_arrive_only_where_the_kurtosis_is_above_2_and_the_tails_are_not_heavy(figure):
    arrived = [k for k in page.KURTOSES if outputs(figure, k)["iterations"][BHHH_UNIT] >= 0]
    assert arrived == [2.2, 2.4, 2.7, 3, 3.5, 4, 5, 6, 7, 8]


def test_newtons_path_is_the_same_for_every_kurtosis(figure):
    paths = [outputs(figure, kurtosis)["sigma_path"][NEWTON].copy() for kurtosis in page.KURTOSES]
    for path in paths:
        np.testing.assert_allclose(path, paths[0], atol=1e-7)


def test_a_start_at_the_maximum_needs_no_iteration(figure):
    for kurtosis in page.KURTOSES:
        found = outputs(figure, kurtosis, 0, 1)
        assert not found["iterations"].any() and np.isnan(found["seen"][0])


# Every state that can be reached


def test_every_state_has_finite_read_outs_and_the_halved_ways_never_get_stuck(figure):
    grid = itertools.product(page.KURTOSES, np.linspace(-2.5, 2.5, 7), np.linspace(0.3, 3.2, 7))
    for kurtosis, mu, sigma in grid:
        figure.kurtosis, figure.mu, figure.sigma = kurtosis, mu, sigma
        assert np.isfinite(list(figure.read().values())).all()
        found = figure.outputs()
        assert STUCK not in found["iterations"] and LEFT not in found["iterations"][1:]
        assert 0 <= found["iterations"][NEWTON] <= 12 and 0 <= found["iterations"][BFGS] <= 40


def test_a_start_outside_its_sliders_cannot_be_set(figure):
    with pytest.raises(ParameterError, match=r"sigma = 0; it must lie between 0.3 and 3.2"):
        figure.sigma = 0


def test_what_is_no_number_of_iterations_is_said_in_words(figure):
    def said(*setting):
        found = outputs(figure, *setting)
        return [spoken(readout, found) for readout in figure.readouts[:4]]

    assert said(1.4)[0] == "left the domain"
    assert said(6) == ["32 iterations", "32 iterations", "6 iterations", "10 iterations"]
    assert said(15)[:2] == ["not within 60", "not within 60"]
    assert said(3, 0, 1) == ["0 iterations"] * 4
    assert spoken(figure.readouts[0], {"iterations": np.ones(4)}) == "1 iteration"
    outputs(figure, 15)
    assert 'data-readout="bhhh" data-value="-1.0">not within 60<' in figure._repr_mimebundle_()[0]["text/html"]
