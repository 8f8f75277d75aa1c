"""Simulated panels, the parametric bootstrap that draws them, and estimates that recover the truth from them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from zurcher_fixtures import MODEL, RUST, TRUTH

from compecon import zurcher
from compecon.errors import CompEconWarning, ConvergenceError, ParameterError
from compecon.zurcher.simulate import draw_histories, resample

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
        ({"n_buses": 0}, "n_buses = 0; it must be an integer of at least 1"),
        ({"n_periods": 2.5}, "n_periods = 2.5; it must be an integer of at least 1"),
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
