"""The three likelihoods, their scores and Hessians, against a dense twin that loops over observations."""

import contextlib
import dataclasses

import numpy as np
import pytest
from zurcher_fixtures import LikelihoodTwin, choices_twin, fixed_point_twin

from compecon import zurcher
from compecon.likelihood.linesearch import evaluate
from compecon.likelihood.maximize import total_hessian
from compecon.zurcher.likelihood import ChoiceLikelihood, TransitionLikelihood
from compecon.zurcher.simplex import LogOdds

# cost: theta1 at which replacement is neither rare nor certain, on 30 states
POINTS = {
    "linear": [80.0], "quadratic": [50.0, 90.0], "cubic": [40.0, 50.0, 30.0], "sqrt": [40.0], "hyperbolic": [12.0],
    "mixed": [5.0, 25.0], "power": [0.05, 1.1], "own": [0.5, 0.06],
}  # fmt: skip


def exponential():
    """A cost that no name gives, and whose second derivatives at a new engine are not zero."""

    def value(x, t):
        return t[0] * np.exp(t[1] * (x + 5))

    def gradient(x, t):
        return np.array([value(x, t) / t[0], (x + 5) * value(x, t)])

    def hessian(x, t):
        cross = (x + 5) * value(x, t) / t[0]
        return np.array([[0 * x, cross], [cross, (x + 5) ** 2 * value(x, t)]])

    return zurcher.Cost("own", ("theta11", "theta12"), value, gradient, hessian, start=(0.5, 0.05))


def make_model(cost, n_states=30, discount=0.95):
    return zurcher.ZurcherModel(n_states, discount, exponential() if cost == "own" else cost)


def make_data(theta3, n_states=30, seed=0, n_buses=12, n_periods=60):
    """Simulated observations with both choices and every category of positive probability."""
    truth = zurcher.Params(3.0, [80.0], theta3)
    panel = zurcher.simulate(zurcher.ZurcherModel(n_states, 0.95), truth, n_buses, n_periods, seed)
    data = zurcher.discretize(panel, groups=None, n_states=n_states, increments="model")
    assert (data.dx_counts > 0).tolist() == (np.array(theta3) > 0).tolist()
    return data


@pytest.fixture(scope="module")
def data():
    """Four categories of which the third is empty."""
    return make_data([0.35, 0.45, 0.0, 0.2])


def likelihood_of(model, data, likelihood, theta3=None):
    if likelihood == "transitions":
        return TransitionLikelihood(model, data)
    return ChoiceLikelihood(model, data, theta3 if likelihood == "partial" else None)


def assert_equals_twin(model, data, likelihood, theta, theta3=None, second_order=True):
    """Terms, scores and Hessians of every observation."""
    theta, ours = np.asarray(theta, dtype=float), likelihood_of(model, data, likelihood, theta3)
    twin = LikelihoodTwin(model, data, likelihood, theta3)
    logl, scores = ours.loglike(theta)
    expected = twin.scores(theta)
    assert scores.shape == (data.n_cells, len(ours.param_names)) == (data.n_cells, theta.size)
    assert np.allclose(logl[data.obs_cell], twin.loglike(theta), rtol=1e-10, atol=1e-11)
    accuracy = 1e-12 / (1 - model.discount)
    assert np.allclose(scores[data.obs_cell], expected, rtol=1e-10, atol=accuracy * np.abs(expected).max(axis=0))
    gradient = ours.weights @ scores
    assert np.allclose(gradient, expected.sum(axis=0), rtol=1e-9, atol=1e-9 * np.abs(expected).sum(axis=0))
    assert ours.weights @ logl == pytest.approx(twin.loglike(theta).sum(), rel=1e-12)
    if second_order:
        hessian = ours.hessian_obs(theta)
        assert np.array_equal(hessian, np.swapaxes(hessian, 1, 2))
        numeric = twin.hessians(theta, 1e-5 * np.maximum(np.abs(theta), 1e-3))
        # The central differences err by step^2, or 1e-10, times a third derivative; the score of theta3 is 1/p.
        assert np.allclose(hessian[data.obs_cell], numeric, rtol=1e-6, atol=1e-6 * np.abs(numeric).max(axis=0))


@pytest.mark.parametrize("cost", list(POINTS))
def test_the_joint_likelihood_and_all_its_derivatives_equal_the_dense_twin(cost, data):
    assert_equals_twin(make_model(cost), data, "joint", [3.2, *POINTS[cost], 0.3, 0.5])


@pytest.mark.parametrize("cost", list(POINTS))
def test_the_partial_likelihood_and_all_its_derivatives_equal_the_dense_twin(cost, data):
    theta3 = np.array([0.3, 0.45, 0.05, 0.2])
    assert_equals_twin(make_model(cost), data, "partial", [3.2, *POINTS[cost]], theta3)


def test_the_transition_likelihood_and_its_derivatives_equal_the_twin(data):
    assert_equals_twin(make_model("linear"), data, "transitions", [0.3, 0.5])


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.999])
def test_the_twin_agrees_at_every_discount_factor(discount, data):
    assert_equals_twin(make_model("quadratic", discount=discount), data, "joint", [3.2, 40.0, 30.0, 0.3, 0.5])


@pytest.mark.parametrize("n_states", [2, 3, 8, 60])
def test_the_twin_agrees_on_grids_from_two_states_up(n_states):
    theta3 = [0.6, 0.4] if n_states == 2 else [0.4, 0.35, 0.25]
    truth = zurcher.Params(1.0, [200.0], theta3)
    paths = zurcher.simulate(zurcher.ZurcherModel(n_states, 0.9), truth, 10, 40, seed=3)
    with pytest.warns(Warning, match="last state") if n_states <= 8 else contextlib.nullcontext():
        data = zurcher.discretize(paths, groups=None, n_states=n_states, increments="model")
    assert data.n_categories == len(theta3)
    assert_equals_twin(zurcher.ZurcherModel(n_states, 0.9), data, "joint", [1.2, 150.0, *theta3[:-1]])


@pytest.mark.parametrize("n_states", [90, 175])
def test_the_twin_agrees_on_rusts_group_4_near_the_estimate(n_states, bus_data):
    data = bus_data((4,), n_states)
    shares = data.dx_counts / data.n_obs
    theta = [10.0, 2.3 * 90 / n_states, *shares[:-1]]
    assert_equals_twin(zurcher.ZurcherModel(n_states, 0.9999), data, "joint", theta, second_order=n_states == 90)


def test_empty_categories_of_group_4_at_1000_states_are_no_parameters(bus_data):
    data = bus_data((4,), 1000)
    empty = np.flatnonzero(data.dx_counts == 0)
    assert (data.n_categories, empty.size) == (27, 2)
    joint = ChoiceLikelihood(zurcher.ZurcherModel(1000, 0.9999), data)
    assert len(joint.param_names) == 2 + 27 - 2 - 1
    assert not {f"theta3{j}" for j in (*empty, 26)} & set(joint.param_names)
    theta = np.concatenate(([10.0, 0.2], TransitionLikelihood(joint.model, data).closed_form()))
    p = joint.split(theta)[2]
    assert p.sum() == pytest.approx(1, abs=1e-15) and (p[empty] == 0).all()
    # One complex direction through all parameters at once: theta3 moves within the simplex.
    direction = np.concatenate(([1.0, 0.05], 1e-2 * theta[2:] * np.sin(np.arange(24))))
    shifted = theta + 1e-30j * direction
    cost = joint.model.cost.value(joint.model.states, shifted[1:2])
    complex_p = np.zeros(27, complex)
    complex_p[joint.free.astype(int)] = shifted[2:]
    complex_p[26] = 1 - shifted[2:].sum()
    ev = fixed_point_twin(cost, complex_p, shifted[0], 0.9999)
    keep, replace, _ = choices_twin(ev, cost, shifted[0], 0.9999)
    x, d, dx = (values.astype(int) for values in (data.cell_x, data.cell_d, data.cell_dx))
    slope = (np.log(np.where(d == 1, replace[x], keep[x]) * complex_p[dx])).imag / 1e-30
    _, scores = joint.loglike(theta)
    assert np.allclose(scores @ direction, slope, rtol=1e-8, atol=1e-8 * np.abs(slope).max())


def test_cells_weigh_what_the_observations_say_one_by_one(data):
    joint = ChoiceLikelihood(make_model("linear"), data)
    theta = np.array([3.2, 80.0, 0.3, 0.5])
    logl, scores = joint.loglike(theta)
    by_observation = np.zeros(data.n_obs), np.zeros((data.n_obs, 4))
    for i, cell in enumerate(data.obs_cell):
        by_observation[0][i], by_observation[1][i] = logl[cell], scores[cell]
    assert joint.weights @ logl == pytest.approx(by_observation[0].sum(), rel=1e-13)
    assert np.allclose(joint.weights @ scores, by_observation[1].sum(axis=0), rtol=1e-10)
    opg = by_observation[1].T @ by_observation[1]
    assert np.allclose((scores * joint.weights[:, None]).T @ scores, opg, rtol=1e-12)
    buses = np.array([by_observation[1][data.obs_bus == b].sum(axis=0) for b in range(data.n_buses)])
    assert np.allclose(joint.cluster_counts @ scores, buses, rtol=1e-10, atol=1e-10)


def test_joint_is_the_sum_of_partial_and_transitions(data):
    model, shares = make_model("linear"), data.dx_counts / data.n_obs
    theta = np.array([3.2, 80.0])
    transitions = TransitionLikelihood(model, data)
    joint = ChoiceLikelihood(model, data).loglike(np.concatenate((theta, transitions.closed_form())))[0]
    partial, moves = (
        ChoiceLikelihood(model, data, shares).loglike(theta)[0],
        transitions.loglike(transitions.closed_form())[0],
    )
    assert np.allclose(joint, partial + moves, rtol=1e-13)
    assert np.abs(transitions.weights @ transitions.loglike(transitions.closed_form())[1]).max() <= 1e-9 * data.n_obs


def test_permuting_buses_changes_nothing(bus_panel, bus_data):
    rng = np.random.default_rng(1)
    panel = bus_panel[bus_panel["group"] == 4]
    ids = panel["bus_id"].unique()
    shuffled = panel.assign(bus_id=panel["bus_id"].map(dict(zip(ids, rng.permutation(ids), strict=True))))
    shuffled = shuffled.sample(frac=1, random_state=0)
    data, model = zurcher.discretize(shuffled, groups=[4]), zurcher.ZurcherModel(90, 0.9999)
    theta = np.array([9.0, 2.0, 0.39, 0.59])
    for ours, others in zip(
        ChoiceLikelihood(model, bus_data()).loglike(theta), ChoiceLikelihood(model, data).loglike(theta), strict=True
    ):
        assert np.array_equal(ours, others)
    clustered = [
        np.sort(
            (ChoiceLikelihood(model, sample).cluster_counts @ ChoiceLikelihood(model, sample).loglike(theta)[1])[:, 0]
        )
        for sample in (bus_data(), data)
    ]
    assert np.allclose(*clustered, rtol=1e-12, atol=1e-12)


def test_log_odds_has_the_derivatives_of_a_function_of_the_log_odds(data):
    natural = ChoiceLikelihood(make_model("power"), data)
    working = LogOdds(natural)
    theta = np.array([3.2, 0.05, 1.1, 0.3, 0.5])
    phi = working.from_natural(theta)
    assert np.allclose(working.to_natural(phi), theta, rtol=1e-14)
    assert np.allclose(phi[3:], np.log([0.3 / 0.2, 0.5 / 0.2]), rtol=1e-14)
    logl, scores = working.loglike(phi)
    assert np.array_equal(logl, natural.loglike(working.to_natural(phi))[0])
    steps = 1e-5 * np.maximum(np.abs(phi), 0.1)
    hessian = working.hessian_obs(phi)
    for k, step in enumerate(steps):
        move = np.zeros(phi.size)
        move[k] = step
        (up, up_scores), (down, down_scores) = working.loglike(phi + move), working.loglike(phi - move)
        slope, curve = (up - down) / (2 * step), (up_scores - down_scores) / (2 * step)
        assert np.allclose(scores[:, k], slope, rtol=1e-6, atol=1e-6 * np.abs(slope).max())
        assert np.allclose(hessian[:, k], curve, rtol=1e-6, atol=1e-6 * np.abs(curve).max(axis=0))
        jacobian = (working.to_natural(phi + move) - working.to_natural(phi - move)) / (2 * step)
        assert np.allclose(working.jacobian(theta)[:, k], jacobian, rtol=1e-8, atol=1e-9)
    assert np.allclose(total_hessian(working, phi), np.tensordot(data.cell_count, hessian, axes=1))


@pytest.mark.parametrize("extreme", [1e3, -1e3, 700.0])
def test_no_log_odds_leave_the_simplex_or_overflow(extreme, data):
    working = LogOdds(ChoiceLikelihood(make_model("linear"), data))
    with np.errstate(over="raise", invalid="raise"):
        shares = working.to_natural(np.array([3.0, 80.0, extreme, 0.0]))[2:]
    assert (shares >= 0).all() and shares.sum() <= 1 + 1e-15


@pytest.mark.parametrize("RC", [0.0, 1e4])
@pytest.mark.parametrize("theta11", [0.0, 1e-3, 1e6])
def test_the_likelihood_stays_finite_where_choices_are_all_but_certain(RC, theta11, data):
    model, theta = make_model("linear", discount=0.9999), np.array([RC, theta11, 0.3, 0.5])
    joint = ChoiceLikelihood(model, data)
    logl, scores = joint.loglike(theta)
    assert np.isfinite(logl).all() and np.isfinite(scores).all()
    assert np.isfinite(joint.hessian_obs(theta)).all()
    assert (logl <= 0).all()


def test_the_log_probability_of_an_all_but_impossible_choice_is_exact(data):
    RC = 1e4
    theta = np.array([RC, 0.0, 0.3, 0.5])
    logl, scores = ChoiceLikelihood(make_model("linear"), data).loglike(theta)
    replaced = data.cell_d == 1
    transition = np.log(np.array([0.3, 0.5, 1.0, 0.2]))[data.cell_dx.astype(int)]
    # Without costs the value of waiting is zero, so log P(replace) = -RC - log(1 + exp(-RC)).
    assert np.allclose((logl - transition)[replaced], -RC, rtol=1e-14)
    assert np.allclose((logl - transition)[~replaced], 0, atol=1e-12)
    assert np.allclose(scores[replaced, 0], -1, rtol=1e-12)


@pytest.mark.parametrize("theta", [[3.0, 80.0, 0.9, 0.9], [3.0, 80.0, -0.1, 0.9], [np.nan, 80.0, 0.3, 0.5]])
def test_outside_the_domain_the_point_is_unusable_and_nothing_is_raised(theta, data):
    assert not evaluate(ChoiceLikelihood(make_model("linear"), data), np.array(theta)).usable


@pytest.mark.filterwarnings("error")
def test_costs_that_overflow_make_a_point_unusable_without_a_warning(data):
    power = ChoiceLikelihood(make_model("power"), data, np.array([0.3, 0.5, 0.0, 0.2]))
    assert not evaluate(power, np.array([3.0, 1.0, 1e4])).usable


def test_the_rows_are_weighted_cells_so_doubling_counts_doubles_everything(data):
    twice = dataclasses.replace(data, cell_count=2 * data.cell_count)
    theta, model = np.array([3.2, 80.0, 0.3, 0.5]), make_model("linear")
    once, double = ChoiceLikelihood(model, data), ChoiceLikelihood(model, twice)
    assert double.weights @ double.loglike(theta)[0] == pytest.approx(2 * once.weights @ once.loglike(theta)[0])
    assert np.allclose(total_hessian(double, theta), 2 * total_hessian(once, theta), rtol=1e-14)
