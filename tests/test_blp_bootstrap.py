"""The parametric bootstrap: the tutorial's numbers, pyblp's draws, and the same bits whoever does the work."""

import gc
import pickle
import tracemalloc
import warnings
from dataclasses import replace

import joblib
import numpy as np
import pytest
from blp_demand_fixtures import cereal, economy, small

from compecon.blp.bootstrap import in_batches
from compecon.blp.examples import cereal_logit
from compecon.errors import CompEconWarning, DataError, IdentificationWarning, ParameterError

# reference/nevo.json, bootstrap: 100 draws with seed 0; 10% and 90% quantiles of mean own elasticities in five markets.
BANDS = {
    "C01Q1": (-4.314980391736141, -3.8759553426931537),
    "C01Q2": (-4.0670996838681415, -3.6830360125594863),
    "C03Q1": (-3.71111905499062, -3.2045737154725487),
    "C03Q2": (-3.653517885669203, -3.155992600772855),
    "C04Q1": (-3.313123654962908, -2.971735355586341),
}
FIRST_BETAS = [-39.59509387869851, -60.36355478544183, -41.9865394123799, -87.93230332001862, -60.57743595349717]


@pytest.fixture(autouse=True)
def sizes_not_made_for_estimation():
    """The small economies have few rows and many instruments: what solve says about them is beside the point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentificationWarning)
        yield


@pytest.fixture(scope="module")
def drawn():
    """Seven draws of the cereal problem's estimates."""
    return cereal().bootstrap(draws=7, seed=1)


def unbounded_oracle(name, seed=0):
    """pyblp's results for a small economy; its default would stop sigma's diagonal, and draws of it, at zero."""
    pyblp = pytest.importorskip("pyblp")
    pyblp.options.verbose = False
    (linear, nonlinear), products, agents, sigma, pi = economy(name, seed)
    if nonlinear is None:
        return pyblp.Problem(pyblp.Formulation(linear), products).solve(method="1s")
    formulations = (pyblp.Formulation(linear), pyblp.Formulation(nonlinear))
    problem = pyblp.Problem(formulations, products, pyblp.Formulation("0 + income"), agents)
    bounds = np.full(sigma.shape, -np.inf), np.full(sigma.shape, np.inf)
    return problem.solve(sigma, pi, sigma_bounds=bounds, optimization=pyblp.Optimization("return"), method="1s")


def own_means(draw):
    """Mean own elasticities of one draw, through the whole stack."""
    return draw.extract_diagonal_means(draw.compute_elasticities())


def test_the_tutorial_s_table_is_reproduced():
    bootstrapped = cereal().bootstrap(draws=100, seed=0)
    np.testing.assert_allclose(bootstrapped.bootstrapped_beta[:5].ravel(), FIRST_BETAS, rtol=1e-6)
    means = bootstrapped.extract_diagonal_means(bootstrapped.compute_elasticities())
    assert means.shape == (100, 94, 1)
    bands = np.percentile(means, [10, 90], axis=0)[:, :5, 0].T
    assert list(bootstrapped.problem.unique_market_ids[:5]) == list(BANDS)
    np.testing.assert_allclose(bands, list(BANDS.values()), rtol=1e-6)
    # blp.md, section 1: 21 of these draws have agents who like higher prices.
    with pytest.warns(CompEconWarning, match="in 21 of 100 draws.*NaN"):
        surpluses = bootstrapped.compute_consumer_surpluses()
    assert np.isnan(surpluses).any(axis=(1, 2)).sum() == 21


@pytest.mark.parametrize("name", ["linear", "log", "logit"])
def test_draws_and_what_follows_from_them_are_pyblp_s(name):
    ours, theirs = small(name).bootstrap(draws=5, seed=3), unbounded_oracle(name).bootstrap(draws=5, seed=3)
    for array in ("sigma", "pi", "beta", "delta", "prices", "shares"):
        mine, other = (getattr(results, f"bootstrapped_{array}") for results in (ours, theirs))
        assert mine.shape == other.shape, array
        np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-10, err_msg=array)
    methods = ["compute_elasticities", "compute_costs", "compute_long_run_diversion_ratios", "compute_hhi"]
    for method in methods + (["compute_consumer_surpluses"] if name == "logit" else []):
        mine, other = (getattr(results, method)() for results in (ours, theirs))
        assert mine.shape == other.shape, method
        np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-9, err_msg=method)
    market = small(name).problem.unique_market_ids[2]
    mine, other = (results.compute_elasticities(market_id=market) for results in (ours, theirs))
    np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-10)


def test_surpluses_of_draws_are_pyblp_s():
    ours = small("linear", seed=4).bootstrap(draws=5, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CompEconWarning)
        mine = ours.compute_consumer_surpluses()
    other = unbounded_oracle("linear", seed=4).bootstrap(draws=5, seed=0).compute_consumer_surpluses()
    defined = ~np.isnan(mine)
    assert mine.shape == other.shape and defined.sum() >= 20
    np.testing.assert_allclose(mine[defined], other[defined], rtol=1e-8)


def test_mean_utility_moves_along_x1_and_shares_follow(drawn):
    results = cereal()
    prices = results.problem.to_file_order(results.problem.sorted_products.prices)[:, None]
    for d in range(drawn.draws):
        expected = results.delta + prices * (drawn.bootstrapped_beta[d] - results.beta)
        np.testing.assert_allclose(drawn.bootstrapped_delta[d], expected, rtol=1e-13)
    inside = np.zeros((drawn.draws, 94))
    rows = np.repeat(np.arange(94), np.diff(results.problem.sorted_products.starts))
    for d, shares in enumerate(drawn.bootstrapped_shares):
        np.add.at(inside[d], rows, results.problem.to_market_order(shares)[:, 0])
    assert (inside < 1).all() and (drawn.bootstrapped_shares > 0).all()
    assert not np.allclose(drawn.bootstrapped_shares[0], drawn.bootstrapped_shares[1])


def test_the_spread_of_many_draws_is_the_standard_error():
    results = small("logit")
    drawn = results.bootstrap(draws=20_000, seed=0)
    # The standard deviation of 20,000 normal draws has a standard error of 0.5% of itself; five of these.
    np.testing.assert_allclose(drawn.bootstrapped_beta.std(axis=0), results.beta_se, rtol=0.025)


def request(bootstrapped):
    """Whole stacks, one market, streamed means, and an own function of each draw."""
    return (
        bootstrapped.compute_elasticities(),
        bootstrapped.compute_costs(market_id="C01Q2"),
        bootstrapped.compute_mean_own_elasticities(),
        bootstrapped.apply(lambda draw: draw.compute_hhi(shares=draw.compute_shares())),
    )


@pytest.mark.parametrize("backend, workers", [("threading", 1), ("threading", 2), ("threading", 4), ("loky", 2)])
def test_threads_and_processes_give_the_same_bits(drawn, backend, workers):
    alone = request(drawn)
    with joblib.parallel_config(backend=backend, n_jobs=workers):
        shared = request(drawn)
    for mine, other in zip(alone, shared, strict=True):
        assert np.array_equal(mine, other, equal_nan=True)


def test_a_cluster_gives_the_same_bits(drawn):
    distributed = pytest.importorskip("distributed")
    results = small("linear").bootstrap(draws=9, seed=2)
    logit = cereal_logit()
    alone = results.compute_elasticities(), logit.resample(draws=20, seed=0).bootstrapped_beta
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "processes": True}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster):
        with joblib.parallel_config(backend="dask"):
            assert joblib.effective_n_jobs(None) == 2
            shared = results.compute_elasticities(), logit.resample(draws=20, seed=0).bootstrapped_beta
    for mine, other in zip(alone, shared, strict=True):
        assert np.array_equal(mine, other, equal_nan=True)


def test_draws_arrive_in_order_once_each_whatever_the_batches():
    for n, workers in ((1, 2), (9, 2), (300, 3), (301, 2)):
        with joblib.parallel_config(backend="threading", n_jobs=workers):
            assert list(in_batches(lambda a, b: joblib.delayed(range)(a, b), n)) == list(range(n))


def test_a_function_of_each_draw_is_what_the_stack_gives(drawn):
    stack = drawn.compute_elasticities()
    assert np.array_equal(drawn.apply(own_means), drawn.extract_diagonal_means(stack))
    assert np.array_equal(drawn.apply(own_means), drawn.compute_mean_own_elasticities())
    assert np.array_equal(drawn.draw(3).compute_elasticities(), stack[3], equal_nan=True)
    assert drawn.apply(lambda draw: draw.compute_hhi().max()).shape == (7,)


def test_columns_may_differ_between_draws(drawn):
    costs = drawn.compute_costs()
    assert costs.shape == (7, 2256, 1)
    markups = drawn.compute_markups(costs=costs)
    assert np.array_equal(markups, drawn.compute_markups())
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert np.array_equal(drawn.compute_markups(costs=costs), markups)


def test_what_is_undefined_is_nan_with_one_warning_in_a_stream_and_raises_in_a_draw_by_itself():
    drawn = cereal().bootstrap(draws=30, seed=0)
    with pytest.warns(CompEconWarning) as direct:
        stack = drawn.compute_consumer_surpluses()
    with pytest.warns(CompEconWarning) as streamed:
        values = drawn.apply(lambda draw: draw.compute_consumer_surpluses())
    assert [str(w.message) for w in streamed] == [str(w.message) for w in direct] and len(direct) == 1
    assert {w.filename for w in (*direct, *streamed)} == {__file__}
    assert np.array_equal(values, stack, equal_nan=True)
    bad = int(np.flatnonzero(np.isnan(stack).any(axis=(1, 2)))[0])
    with pytest.raises(ParameterError, match="alpha_i >= 0"):
        drawn.draw(bad).compute_consumer_surpluses()


def test_memory_does_not_grow_with_what_is_not_asked_for():
    drawn = cereal().bootstrap(draws=100, seed=0)

    def ask():
        drawn.compute_mean_own_elasticities()
        drawn.apply(own_means)
        drawn.compute_elasticities(market_id="C01Q1")

    # Compiling takes memory too, and what other tests have left would put off the collection of cycles.
    for step in (ask, gc.collect, gc.freeze, gc.collect, tracemalloc.start, ask):
        step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    gc.unfreeze()
    # One draw's stack has 2256 x 24 numbers; that of all draws has a hundred times as many.
    assert peak < 12 * 8 * 2256 * 24
    assert drawn.bootstrapped_prices.strides[0] == 0


def test_seeds_may_be_generators_and_states():
    results = small("logit")
    plain = results.bootstrap(draws=4, seed=5).bootstrapped_beta
    assert np.array_equal(results.bootstrap(draws=4, seed=np.random.RandomState(5)).bootstrapped_beta, plain)
    modern = [results.bootstrap(draws=4, seed=np.random.default_rng(5)).bootstrapped_beta for _ in range(2)]
    assert np.array_equal(*modern) and not np.array_equal(modern[0], plain)


def test_draws_stop_at_the_bounds_of_theta():
    results = cereal()
    bounded = replace(results.parameters_, lower=np.full(13, -1e9), upper=np.append(3.5, np.full(12, 1e9)))
    bounded.lower[1], bounded.upper[1] = 3.0, 3.4
    sigma = replace(results, parameters_=bounded).bootstrap(draws=50, seed=0).bootstrapped_sigma[:, 1, 1]
    free = results.bootstrap(draws=50, seed=0).bootstrapped_sigma[:, 1, 1]
    assert np.array_equal(sigma, np.clip(free, 3.0, 3.4)) and free.min() < 3.0 < 3.4 < free.max()


def test_the_table_counts_draws_and_results_can_be_pickled(drawn):
    assert str(drawn).split() == "Bootstrapped Results Summary: ========= Bootstrap Draws --------- 7 =========".split()
    assert "<td>7</td>" in drawn._repr_html_()
    again = pickle.loads(pickle.dumps(drawn))
    assert np.array_equal(again.compute_costs(), drawn.compute_costs())


def test_what_cannot_be_drawn_is_refused():
    results = small("logit")
    with pytest.raises(ParameterError, match="draws = 0"):
        results.bootstrap(draws=0)
    unknown = replace(results, parameter_covariances=np.full_like(results.parameter_covariances, np.nan))
    with pytest.raises(DataError, match="not identified"):
        unknown.bootstrap(draws=2)
