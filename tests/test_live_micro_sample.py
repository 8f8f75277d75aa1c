"""Figure 19 against NumPy's inverses, against scores by differences, and against what theory says of the bound."""

import itertools

import numpy as np
import pytest

from compecon import blp
from compecon.live import MicroSample
from compecon.live import micro_sample as page

PARAMETERS = list(MicroSample.controls()["parameter"].options)
# reference/nevo.json, solve_2: standard errors of theta and beta.
THETA_SE = (0.07821861811480652, 0.6480658007887521, 0.007192784869075669, 0.10104163154679127, 0.5232680598873366)
PRICES_X_INCOME_SE, BETA_SE = 86.15532024472368, 4.526847984108782


@pytest.fixture(scope="module")
def figure():
    return MicroSample()


def outputs(figure, observations, moments, sample, parameter):
    figure.observations, figure.moments, figure.sample = observations, moments, sample
    figure.parameter = parameter
    return {name: np.copy(values) for name, values in figure.outputs().items()}


def variance(observations, sample, moments):
    """(A + N_d B)^-1 by NumPy, from the information in its own units."""
    A, B = page.information()
    total = A.copy()
    total[:13, :13] += observations * B[list(page.SAMPLES).index(sample), list(page.SETS).index(moments)]
    return np.linalg.inv(total)


# What is inverted


def test_without_a_survey_the_standard_errors_are_those_of_the_second_estimation():
    A, _ = page.information()
    errors = np.sqrt(np.diag(np.linalg.inv(A)))
    np.testing.assert_allclose(errors[:5], THETA_SE, rtol=1e-6)
    np.testing.assert_allclose(errors[[6, 13]], [PRICES_X_INCOME_SE, BETA_SE], rtol=1e-6)
    assert PARAMETERS == [*page.second_step().theta_labels, "beta prices"]


def interview_probabilities(results, sigma, pi):
    """P(household, choice | sampled) of one interview, tastes integrated, by NumPy; delta of these parameters."""
    free = (np.full((4, 4), -np.inf), np.full((4, 4), np.inf))
    moved = results.problem.solve(sigma, pi, optimization=blp.Optimization("return"), method="1s", sigma_bounds=free)
    people, goods = moved.problem.sorted_agents, moved.problem.sorted_products
    V = moved.delta[:, 0] + people.traits @ np.hstack([sigma, pi]).T @ goods.X2.T
    P = np.exp(np.column_stack([np.zeros(len(V)), V]))
    joint = people.weights[:, None] * P / P.sum(axis=1, keepdims=True)
    return joint.reshape(20, 81, 25).sum(axis=1)


@pytest.fixture(scope="module")
def scores_by_differences():
    """Cells' probabilities, and d log p / d theta for three elements of theta by central differences."""
    results, scores = page.one_market(), {}
    centre = interview_probabilities(results, results.sigma, results.pi)
    for place, which, at in ((1, "sigma", (1, 1)), (6, "pi", (1, 0)), (12, "pi", (3, 2))):
        ends = []
        for step in (1e-4, -1e-4):
            moved = {"sigma": results.sigma.copy(), "pi": results.pi.copy()}
            moved[which][at] *= 1 + step
            ends.append(np.log(interview_probabilities(results, **moved)))
        scores[place] = (ends[0] - ends[1]) / (2e-4 * getattr(results, which)[at])
    return centre, scores


def test_the_information_of_the_scores_is_the_expected_outer_product_of_scores(scores_by_differences):
    P, scores = scores_by_differences
    assert P.sum() == pytest.approx(1, rel=1e-12)
    interview = page.information()[1]
    for a, b in itertools.combinations_with_replacement(scores, 2):
        scale = np.sqrt(interview[0, 2, a, a] * interview[0, 2, b, b])
        assert (P * scores[a] * scores[b]).sum() / scale == pytest.approx(interview[0, 2, a, b] / scale, abs=1e-5)
        # Buyers alone: condition on having bought.
        inside = P[:, 1:] / P[:, 1:].sum()
        s, u = (scores[k][:, 1:] - (inside * scores[k][:, 1:]).sum() for k in (a, b))
        scale = np.sqrt(interview[1, 2, a, a] * interview[1, 2, b, b])
        assert (inside * s * u).sum() / scale == pytest.approx(interview[1, 2, a, b] / scale, abs=1e-5)


@pytest.mark.parametrize("sample", [0, 1])
@pytest.mark.parametrize("fewer, more", [(0, 1), (1, 2), (0, 2)])
def test_scores_hold_all_that_averages_hold_and_nine_averages_all_that_two_hold(sample, fewer, more):
    arrays = MicroSample().arrays()["interview"][sample]
    values = np.linalg.eigvalsh(arrays[more] - arrays[fewer])
    assert values.min() > -1e-12 * values.max() and values.max() > 0
    assert np.linalg.matrix_rank(arrays[0], tol=1e-12) == 2


# What is shown


@pytest.mark.parametrize("sample", page.SAMPLES)
@pytest.mark.parametrize("parameter", ["prices x prices", "prices x income", "beta prices"])
def test_standard_errors_and_shares_are_numpys(figure, sample, parameter):
    place, A = PARAMETERS.index(parameter), page.information()[0]
    units = np.sqrt(np.diag(np.linalg.inv(A)))
    for moments in page.SETS:
        found = outputs(figure, 500, moments, sample, parameter)
        for row, kind in enumerate(page.SETS):
            inverses = [variance(size, sample, kind) for size in page.SIZES]
            expected = [np.sqrt(V[place, place]) / units[place] for V in inverses]
            np.testing.assert_allclose(found["curves"][row], expected, rtol=1e-7)
            aggregate = [V[place] @ A @ V[place] / V[place, place] for V in inverses]
            np.testing.assert_allclose(found["share"][row], 1 - np.array(aggregate), atol=1e-6)
            np.testing.assert_allclose(found["ratios"][row], np.sqrt(np.diag(variance(500, sample, kind))) / units,
                                       rtol=1e-7)
        here, best = (np.sqrt(variance(500, sample, kind)[place, place]) for kind in (moments, "scores"))
        np.testing.assert_allclose(found["summary"][:3], [units[place], here, best], rtol=1e-7)
        row = list(page.SETS).index(moments)
        np.testing.assert_allclose(found["shown"], [here / units[place], found["share"][row, 5]], rtol=1e-7)
        assert found["summary"][3] == found["shown"][1]
        one, others = found["chosen"][1], found["chosen"][0]
        np.testing.assert_array_equal(np.where(np.arange(14) == place, one, others), found["ratios"][row])
        assert np.isnan(others[place]) and np.isnan(one).sum() == 13


def test_a_survey_alone_has_errors_that_fall_with_the_root_of_its_size(figure):
    found = outputs(figure, 10, "scores", "all", "mushy x age")
    B, units = page.information()[1][0, 2], found["units"]
    expected = np.sqrt(np.linalg.inv(B * np.outer(units[:13], units[:13]))[12, 12] / np.array(page.SIZES))
    np.testing.assert_allclose(found["alone"], expected, rtol=1e-6)
    assert (found["curves"][2] < found["alone"]).all() and np.isnan(found["floor"]).all()


def test_beta_keeps_the_error_that_it_has_when_theta_is_known(figure):
    found = outputs(figure, 1e5, "scores", "all", "beta prices")
    A = page.information()[0]
    floor = 1 / np.sqrt(A[13, 13]) / BETA_SE
    np.testing.assert_allclose(found["floor"], floor, rtol=1e-6)
    assert floor < found["curves"][2, -1] < 1.2 * floor and np.isnan(found["alone"]).all()


def test_pi_gains_much_and_sigma_little(figure):
    ratios = outputs(figure, 1000, "scores", "all", "1 x 1")["ratios"][2]
    assert ratios[:4].min() > 0.9 and ratios[4:13].max() < 0.8


def test_every_state_has_finite_read_outs_and_more_people_never_hurt(figure):
    states = itertools.product(page.SETS, page.SAMPLES, PARAMETERS)
    for figure.moments, figure.sample, figure.parameter in states:
        for figure.observations in (10, 1e5):
            assert np.isfinite(list(figure.read().values())).all()
        curves = figure.outputs()["curves"]
        assert (np.diff(curves, axis=1) < 0).all() and (curves[2] <= curves[1] * (1 + 1e-9)).all()
        assert (curves[1] <= curves[0] * (1 + 1e-9)).all() and curves.max() < 1
