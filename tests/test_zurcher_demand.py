"""What the model says about a fleet in the long run: its states, its demand for engines, counterfactuals."""

import numpy as np
import pytest
from scipy import linalg, stats
from zurcher_fixtures import MODEL, RUST, TRUTH, dense_chain

from compecon import zurcher
from compecon.errors import ParameterError
from compecon.likelihood import delta_method
from compecon.zurcher.simulate import draw_histories

# The long run


@pytest.mark.parametrize("n_states", [2, 3, 10, 60])
@pytest.mark.parametrize("theta3", [[0.5, 0.5], [0.2, 0.3, 0.5], [0.1, 0.2, 0.1, 0.2, 0.2, 0.2], [0.0, 0.0, 1.0]])
def test_the_stationary_distribution_is_the_eigenvector_of_the_dense_chain(n_states, theta3):
    model, params = zurcher.ZurcherModel(n_states, 0.9), zurcher.Params(3.0, [100.0], theta3)
    chain, replace = dense_chain(model, params)
    pi = zurcher.stationary_distribution(model, params)
    system = np.vstack([chain.T - np.eye(n_states), np.ones(n_states)])
    expected = linalg.lstsq(system, np.append(np.zeros(n_states), 1.0))[0]
    assert np.allclose(pi, expected, rtol=1e-9, atol=1e-12)
    assert pi.min() >= 0 and pi.sum() == pytest.approx(1, abs=1e-13)
    assert np.allclose(pi @ chain, pi, atol=1e-14)
    assert zurcher.replacement_rate(model, params) == pytest.approx(pi @ replace, rel=1e-12)


def test_a_fleet_that_is_never_replaced_ends_in_the_last_state_and_one_that_never_moves_stays_in_the_first():
    model = zurcher.ZurcherModel(20, 0.9)
    never = zurcher.stationary_distribution(model, zurcher.Params(1e4, [0.0], [0.5, 0.5]))
    assert never[-1] == 1 and never.sum() == 1
    assert zurcher.replacement_rate(model, zurcher.Params(1e4, [0.0], [0.5, 0.5])) == 0
    still = zurcher.stationary_distribution(model, zurcher.Params(5.0, [10.0], [1.0]))
    assert still[0] == pytest.approx(1)


def test_a_long_simulation_spends_its_months_as_the_stationary_distribution_says():
    paths = draw_histories(MODEL, TRUTH, np.zeros(2000), 150, 8)
    share = np.bincount(paths.x[:, -1].astype(int), minlength=30) / 2000
    pi = zurcher.stationary_distribution(MODEL, TRUTH)
    # 2000 independent buses: each share within 4.5 of its own standard deviations, for 30 states
    assert (np.abs(share - pi) <= 4.5 * np.sqrt(pi * (1 - pi) / 2000) + 1e-3).all()


# Demand and counterfactuals


def test_demand_of_group_4s_fleet_is_the_reference(group_4_fit):
    curve = zurcher.demand_curve(group_4_fit, [4.0, group_4_fit.theta[0]], n_buses=37)
    assert curve.demand == pytest.approx([15.98, 4.853], abs=0.005)
    rate = zurcher.replacement_rate(zurcher.ZurcherModel(90, 0.9999), RUST)
    assert 12 * 37 * rate == pytest.approx(4.853, abs=5e-4)
    assert (curve.lower < curve.demand).all() and (curve.demand < curve.upper).all()


def test_demand_falls_in_the_price_and_scales_with_the_fleet(group_4_fit):
    prices = np.linspace(1, 20, 15)
    one, many = (zurcher.demand_curve(group_4_fit, prices, n_buses=n) for n in (1, 37))
    assert (np.diff(one.demand) < 0).all()
    for name in ("demand", "lower", "upper"):
        assert np.allclose(37 * getattr(one, name), getattr(many, name), rtol=1e-9)
    assert (many.lower >= 0).all()


def test_the_delta_band_is_the_delta_method_applied_to_the_curve(group_4_fit):
    curve = zurcher.demand_curve(group_4_fit, [6.0], n_buses=37, level=0.9, kind="sandwich")

    def demand(theta):
        params = zurcher.Params(6.0, theta[1:2], [*theta[2:], 1 - theta[2:].sum()])
        return [12 * 37 * zurcher.replacement_rate(group_4_fit.structure, params)]

    error = delta_method(demand, group_4_fit.theta, group_4_fit.cov_params("sandwich").to_numpy()).bse[0]
    assert curve.upper[0] - curve.demand[0] == pytest.approx(stats.norm.ppf(0.95) * error, rel=1e-5)
    # RC is the price that the curve varies: its own error does not enter.
    assert error < 37 * 12


def test_the_delta_and_the_bootstrap_band_of_a_large_simulated_sample_agree():
    panel = zurcher.simulate(MODEL, TRUTH, n_buses=300, n_periods=100, seed=21)
    fit = zurcher.nfxp(MODEL, zurcher.discretize(panel, None, 30, increments="model"))
    prices = [3.0, 6.0, 9.0]
    delta = zurcher.demand_curve(fit, prices, n_buses=10)
    bootstrap = zurcher.demand_curve(fit, prices, n_buses=10, method="bootstrap", draws=150, seed=5)
    assert np.array_equal(delta.demand, bootstrap.demand)
    widths = (bootstrap.upper - bootstrap.lower) / (delta.upper - delta.lower)
    # The 2.5% and 97.5% quantiles of 150 draws put a standard error of about 9% on the width: three of them.
    assert (np.abs(widths - 1) <= 0.3).all()
    assert (bootstrap.lower < bootstrap.demand).all() and (bootstrap.demand < bootstrap.upper).all()
    assert bootstrap.n_failed == 0 and delta.method == "delta" and bootstrap.method == "bootstrap"


def test_a_demand_curve_prints_its_size_and_a_table(group_4_fit):
    curve = zurcher.demand_curve(group_4_fit, [4.0, 8.0], n_buses=37)
    assert repr(curve) == "DemandCurve(RC from 4 to 8, 37 buses, 95% band by delta)"
    assert list(curve.frame().columns) == ["RC", "demand", "lower", "upper"] and len(curve.frame()) == 2
    assert "<table" in curve._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"RC": []}, "RC = .*; it must be a list of finite numbers"),
        ({"RC": [1.0, np.nan]}, "RC = .*; it must be a list of finite numbers"),
        ({"level": 1.0}, "level = 1.0; it must lie strictly between 0 and 1"),
        ({"method": "detla"}, "unknown method 'detla'; choose one of 'delta', 'bootstrap'"),
        ({"method": "bootstrap", "draws": 1}, "draws = 1; it must be an integer of at least 2"),
        ({"kind": "white"}, "unknown covariance 'white'"),
    ],
)
def test_a_wrong_argument_of_demand_is_named(arguments, message, group_4_fit):
    with pytest.raises(ParameterError, match=message):
        zurcher.demand_curve(group_4_fit, **{"RC": [4.0], **arguments})


def test_a_counterfactual_compares_two_fleets_in_the_long_run():
    table = zurcher.counterfactual(MODEL, TRUTH, n_buses=10, RC=3.0, discount=0.5, cost="quadratic", theta1=[60.0, 5.0])
    before = 120 * zurcher.replacement_rate(MODEL, TRUTH)
    other, changed = zurcher.ZurcherModel(30, 0.5, "quadratic"), zurcher.Params(3.0, [60.0, 5.0], TRUTH.theta3)
    assert table.loc["engines a year"].tolist() == pytest.approx(
        [before, 120 * zurcher.replacement_rate(other, changed)]
    )
    chain, replace = dense_chain(other, changed)
    pi = zurcher.stationary_distribution(other, changed)
    assert table.loc["mean state", "after"] == pytest.approx(pi @ np.arange(30))
    assert table.loc["mean state at replacement", "after"] == pytest.approx(
        (pi * replace) @ np.arange(30) / (pi @ replace)
    )
    assert table.loc["value of a new engine"].tolist() == pytest.approx(
        [MODEL.solve(TRUTH).ev[0], other.solve(changed).ev[0]]
    )
    with pytest.raises(
        ParameterError, match="unknown change 'rc'; change one or more of RC, cost, discount, theta1, theta3"
    ):
        zurcher.counterfactual(MODEL, TRUTH, rc=3.0)
    with pytest.raises(ParameterError, match="no change given"):
        zurcher.counterfactual(MODEL, TRUTH)


# A price that is known in dollars


def test_a_relative_band_lets_rc_vary_with_the_other_estimates(group_4_fit):
    fixed, relative = (
        zurcher.demand_curve(group_4_fit, prices, 37, level=0.9, relative=flag)
        for prices, flag in (([0.5 * group_4_fit.theta[0]], False), ([0.5], True))
    )
    assert relative.RC == pytest.approx(fixed.RC) and relative.demand == pytest.approx(fixed.demand)

    def demand(theta):
        params = zurcher.Params(0.5 * theta[0], theta[1:2], [*theta[2:], 1 - theta[2:].sum()])
        return [12 * 37 * zurcher.replacement_rate(group_4_fit.structure, params)]

    error = delta_method(demand, group_4_fit.theta, group_4_fit.cov_params().to_numpy()).bse[0]
    assert relative.upper[0] - relative.demand[0] == pytest.approx(stats.norm.ppf(0.95) * error, rel=1e-5)
    assert abs(np.log((relative.upper - relative.lower) / (fixed.upper - fixed.lower))[0]) > 0.1


def test_a_relative_bootstrap_band_takes_each_samples_own_rc():
    panel = zurcher.simulate(MODEL, TRUTH, n_buses=300, n_periods=100, seed=21)
    fit = zurcher.nfxp(MODEL, zurcher.discretize(panel, None, 30, increments="model"))
    delta = zurcher.demand_curve(fit, [0.7, 1.3], n_buses=10, relative=True)
    bootstrap = zurcher.demand_curve(fit, [0.7, 1.3], n_buses=10, method="bootstrap", draws=150, seed=5, relative=True)
    widths = (bootstrap.upper - bootstrap.lower) / (delta.upper - delta.lower)
    assert (np.abs(widths - 1) <= 0.3).all()


# The short run


def test_a_fleets_path_is_the_dense_chains():
    chain, replaced = dense_chain(MODEL, TRUTH)
    share = np.random.default_rng(1).dirichlet(np.ones(30))
    kept = share.copy()
    path = zurcher.demand_path(MODEL, TRUTH, share, 50, n_buses=10)
    assert np.array_equal(share, kept)
    for rate in path:
        assert rate == pytest.approx(10 * share @ replaced, rel=1e-12)
        share = share @ chain


def test_a_fleet_in_the_long_run_stays_there():
    pi = zurcher.stationary_distribution(MODEL, TRUTH)
    path = zurcher.demand_path(MODEL, TRUTH, pi, 30)
    assert np.allclose(path, zurcher.replacement_rate(MODEL, TRUTH), rtol=1e-12)


@pytest.mark.parametrize("start", [np.full(30, 0.1), np.eye(29)[0], 2 * np.eye(30)[0] - np.eye(30)[1]])
def test_a_start_that_is_no_distribution_is_refused(start):
    with pytest.raises(ParameterError, match="start has shape .*; it must hold the shares of the fleet in 30 states"):
        zurcher.demand_path(MODEL, TRUTH, start, 10)
