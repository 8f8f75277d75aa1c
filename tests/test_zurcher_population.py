"""What the model says about a fleet: simulated panels, the long run, demand, hypotheses, bootstrap, Monte Carlo."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import linalg, stats
from zurcher_fixtures import dense_transitions

from compecon import zurcher
from compecon.errors import CompEconWarning, ConvergenceError, ParameterError
from compecon.likelihood import delta_method
from compecon.zurcher.simulate import draw_histories, resample

TRUTH = zurcher.Params(6.0, [60.0], [0.3, 0.5, 0.2])
MODEL = zurcher.ZurcherModel(30, 0.95)
RUST = zurcher.Params(10.0749, [2.293], [1682 / 4292, 2555 / 4292, 55 / 4292])


def dense_chain(model, params):
    """The (n, n) matrix of moves under the optimal policy, and the probability to replace."""
    solution = model.solve(params)
    keep, replace = solution.choice_prob.T
    Pi = dense_transitions(params.theta3, model.n_states)
    return keep[:, None] * Pi + replace[:, None] * Pi[0], replace


# Simulation


def test_a_simulated_panel_has_the_columns_of_the_real_one_and_one_row_a_bus_and_month(bus_panel):
    panel = zurcher.simulate(MODEL, TRUTH, n_buses=7, n_periods=25, seed=1)
    assert panel.shape == (175, 7)
    assert list(panel.columns) == list(bus_panel.columns)
    assert panel.groupby("bus_id")["period"].apply(list).map(lambda months: months == list(range(1, 26))).all()
    assert panel["replaced"].isin([0, 1]).all()
    assert (panel.groupby("bus_id")["odometer"].diff().dropna() >= 0).all()
    assert (panel.groupby("bus_id")["mileage"].first() == 0.5 * 450_000 / 30).all()


def test_the_same_seed_gives_the_same_panel_and_another_seed_another():
    first, again, other = (zurcher.simulate(MODEL, TRUTH, 20, 50, seed) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)
    generator = zurcher.simulate(MODEL, TRUTH, 20, 50, np.random.default_rng(3))
    pd.testing.assert_frame_equal(first, generator)


def test_discretize_recovers_exactly_the_states_decisions_and_increments_that_were_drawn():
    start = np.arange(40.0) % 30
    with pytest.warns(CompEconWarning, match="last state"):
        data = zurcher.discretize(zurcher.simulate(MODEL, TRUTH, 40, 80, 9, start), None, 30, increments="model")
    paths, table = draw_histories(MODEL, TRUTH, start, 80, 9), data.observations()
    for name in ("x", "d", "dx"):
        assert np.array_equal(table[name], getattr(paths, name)[:, 1:].ravel().astype(int))


def test_histories_follow_the_model_month_by_month():
    paths = draw_histories(MODEL, TRUTH, np.full(50, 3.0), 60, 5)
    origin = np.where(paths.d[:, :-1] == 1, 0, paths.x[:, :-1])
    assert (paths.x[:, 0] == 3).all() and (paths.dx[:, 0] == -1).all()
    assert np.array_equal(paths.dx[:, 1:], paths.x[:, 1:] - origin)
    assert paths.dx.max() == 2 and paths.x.max() <= 29


def test_simulated_frequencies_lie_within_four_standard_deviations_of_the_model():
    paths = draw_histories(MODEL, TRUTH, np.zeros(400), 200, 6)
    dx = paths.dx[:, 1:][paths.x[:, 1:] < 29]
    for j, probability in enumerate(TRUTH.theta3):
        bound = 4 * np.sqrt(probability * (1 - probability) / dx.size)
        assert abs((dx == j).mean() - probability) <= bound
    replace = MODEL.solve(TRUTH).choice_prob[:, 1]
    for x in range(0, 30, 3):
        here = paths.d[paths.x == x]
        if here.size > 50:
            bound = 4 * np.sqrt(replace[x] * (1 - replace[x]) / here.size) + 1 / here.size
            assert abs(here.mean() - replace[x]) <= bound


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_buses": 0}, "n_buses = 0; it must be a positive integer"),
        ({"n_periods": 2.5}, "n_periods = 2.5; it must be a positive integer"),
        ({"start": 30}, "start = 30; it must be a state from 0 to 29"),
        ({"start": [0, 1]}, r"start = \[0, 1\]; it must be a state from 0 to 29, or 5 of them, one a bus"),
        ({"start": 1.5}, "start = 1.5"),
    ],
)
def test_a_wrong_size_or_start_of_a_simulation_is_named(options, message):
    with pytest.raises(ParameterError, match=message):
        zurcher.simulate(MODEL, TRUTH, **{"n_buses": 5, "n_periods": 9, "seed": 0, **options})


def test_resample_keeps_buses_months_and_first_states(bus_data):
    data = bus_data((4,), 90)
    sample = resample(zurcher.ZurcherModel(90, 0.9999), RUST, data, 2)
    again = resample(zurcher.ZurcherModel(90, 0.9999), RUST, data, 2)
    for name in ("bus_ids", "obs_bus", "obs_period"):
        assert np.array_equal(getattr(sample, name), getattr(data, name))
    assert sample.n_obs == data.n_obs and sample.increments == "model"
    assert sample.cells().equals(again.cells())
    first = np.flatnonzero(np.concatenate(([True], np.diff(data.obs_bus) != 0)))
    old, new = data.observations().iloc[first], sample.observations().iloc[first]
    assert np.array_equal(old["x"] - old["dx"], new["x"] - new["dx"])
    assert sample.cell_count.sum() == data.n_obs and sample.bus_cells.sum() == data.n_obs
    assert np.array_equal(sample.bus_cells.sum(axis=0), sample.cell_count)
    assert not sample.cells().equals(data.cells())


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
        ({"RC": []}, "give a list of finite replacement costs"),
        ({"RC": [1.0, np.nan]}, "give a list of finite replacement costs"),
        ({"level": 1.0}, "level = 1.0; it must lie strictly between 0 and 1"),
        ({"method": "detla"}, "unknown method 'detla'; choose 'delta' or 'bootstrap'"),
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


# Hypotheses


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


# Bootstrap


def test_the_bootstrap_is_reproducible_and_spreads_as_the_standard_errors_say():
    panel = zurcher.simulate(MODEL, TRUTH, n_buses=300, n_periods=100, seed=21)
    fit = zurcher.nfxp(MODEL, zurcher.discretize(panel, None, 30, increments="model"))
    sample = zurcher.parametric_bootstrap(fit, draws=150, seed=7)
    assert np.array_equal(sample.values(), zurcher.parametric_bootstrap(fit, 150, 7).values())
    assert not np.array_equal(sample.values()[:3], zurcher.parametric_bootstrap(fit, 3, 8).values())
    for seed in (7, np.random.default_rng(7)):
        assert np.array_equal(sample.values()[:3], zurcher.parametric_bootstrap(fit, 3, seed).values())
    assert sample.n_failed == 0 and sample.values().shape == (150, 5)
    assert np.allclose(sample.values()[:, 2:].sum(axis=1), 1)
    ratio = sample.values()[:, :4].std(axis=0, ddof=1) / fit.bse.to_numpy()
    # 150 draws: a standard deviation has a relative error of 6%; four of them
    assert (np.abs(ratio - 1) <= 0.25).all()


def test_bootstrap_samples_that_fail_are_counted_and_reported():
    # Two replacements in the sample: about one in e^2 samples drawn from the estimate holds none.
    truth = zurcher.Params(7.0, [60.0], [0.5, 0.5])
    samples = (zurcher.simulate(MODEL, truth, n_buses=4, n_periods=30, seed=seed) for seed in range(100))
    panel = next(panel for panel in samples if panel["replaced"].groupby(panel["period"] > 1).sum()[True] == 2)
    fit = zurcher.nfxp(MODEL, zurcher.discretize(panel, None, 30, increments="model"), optimizer="newton")
    with pytest.warns(CompEconWarning, match="of 60 bootstrap samples could not be estimated and are left out"):
        sample = zurcher.parametric_bootstrap(fit, draws=60, seed=1)
    assert 0 < sample.n_failed < 60
    assert len(sample.params) == 60 - sample.n_failed


def test_bootstrap_samples_that_do_not_converge_are_failures_too(group_4_fit, monkeypatch):
    calls = []

    def sometimes(*arguments, **options):
        calls.append(options["start"])
        fit = zurcher.nfxp(*arguments, **options)
        stuck = dataclasses.replace(fit.maximum, converged=False)
        return dataclasses.replace(fit, maximum=stuck) if len(calls) in (2, 5) else fit

    monkeypatch.setattr("compecon.zurcher.bootstrap.nfxp", sometimes)
    with pytest.warns(CompEconWarning, match="2 of 6 bootstrap samples could not be estimated and are left out"):
        sample = zurcher.parametric_bootstrap(group_4_fit, draws=6, seed=1)
    assert (len(calls), len(sample.params), sample.n_failed) == (6, 4, 2)
    assert np.array_equal(calls[0], group_4_fit.theta[:2])


def test_a_bootstrap_without_any_estimate_is_an_error(bus_data):
    data = bus_data((1, 2), 90)  # no replacement
    other = zurcher.nfxp(zurcher.ZurcherModel(90, 0.9), bus_data((4,), 90), "partial")
    hopeless = dataclasses.replace(
        other, theta=np.array([60.0, 0.0]), model=dataclasses.replace(other.model, data=data)
    )
    with pytest.raises(
        ConvergenceError, match="5 of 5 bootstrap samples could not be estimated; is RC identified at all"
    ):
        zurcher.parametric_bootstrap(hopeless, draws=5, seed=0)


# Recovery


@pytest.mark.parametrize("likelihood", ["joint", "partial"])
def test_intervals_cover_the_truth_in_a_seeded_monte_carlo(likelihood):
    """200 panels of 60 buses and 120 months: the 95% intervals cover within 3.5 binomial standard deviations."""
    model, truth, draws = zurcher.ZurcherModel(90, 0.99), zurcher.Params(8.0, [40.0], [0.3, 0.6, 0.1]), 200
    values = np.array([8.0, 40.0, 0.3, 0.6])[: 4 if likelihood == "joint" else 2]
    covered, estimates = np.zeros((3, values.size)), []
    kinds = ("opg", "hessian", "sandwich" if likelihood == "joint" else "two-step")
    for stream in np.random.SeedSequence(2024).spawn(draws):
        panel = zurcher.simulate(model, truth, 60, 120, np.random.default_rng(stream))
        fit = zurcher.nfxp(model, zurcher.discretize(panel, None, 90, increments="model"), likelihood)
        assert fit.converged
        estimates.append(fit.theta)
        for row, kind in zip(covered, kinds, strict=True):
            interval = fit.conf_int(kind=kind)
            row += (interval["lower"] <= values) & (values <= interval["upper"])
    bound = 3.5 * np.sqrt(0.95 * 0.05 / draws)  # 0.054
    assert (np.abs(covered / draws - 0.95) <= bound).all(), covered / draws
    spread = np.std(estimates, axis=0, ddof=1)
    # Nonlinear in RC and theta1, so biased by a part of a standard deviation; within 4 errors of the mean otherwise.
    assert (np.abs(np.mean(estimates, axis=0) - values) <= 0.25 * spread + 4 * spread / np.sqrt(draws)).all()
