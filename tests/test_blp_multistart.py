"""Several starting values: drawn within bounds, the same for one seed, the best run returned, failures in the table."""

import numpy as np
import pytest
from blp_solve_fixtures import PI, SIGMA, problem

from compecon import blp
from compecon.blp.examples import PI as CEREAL_PI
from compecon.blp.examples import SIGMA as CEREAL_SIGMA
from compecon.blp.examples import cereal_problem
from compecon.errors import CompEconWarning, ConvergenceWarning, DataError, ParameterError

QUIET = pytest.mark.filterwarnings("ignore::compecon.errors.CompEconWarning")
SHORT = blp.Optimization("bfgs", {"maxiter": 15})


def test_all_starts_of_the_cereal_problem_end_at_its_published_minimum():
    """reference/nevo.json, solve_1: objective 4.561514164803142."""
    found = cereal_problem().multistart(CEREAL_SIGMA, CEREAL_PI, starts=5, method="1s")
    np.testing.assert_allclose(found.objective, 4.561514164803142, rtol=1e-10)
    assert found.converged.all() and (found.distance < 1e-6).all()
    assert found.best is found.runs[0]
    assert len({run.objective_evaluations for run in found.runs}) > 1  # they were different searches


@QUIET
def test_a_seed_gives_the_same_bits_and_another_seed_others():
    one, same, other = (problem().multistart(SIGMA, PI, starts=3, seed=seed, method="1s") for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.starts, same.starts)
    np.testing.assert_array_equal(one.objective, same.objective)
    np.testing.assert_array_equal(one.best.theta, same.best.theta)
    assert (one.starts[1:] != other.starts[1:]).all()
    generator = problem().multistart(SIGMA, PI, starts=3, seed=np.random.default_rng(4), method="1s")
    np.testing.assert_array_equal(generator.starts, one.starts)


@QUIET
def test_the_first_start_is_the_callers_and_its_run_is_solves():
    found, alone = problem().multistart(SIGMA, PI, starts=2, method="1s"), problem().solve(SIGMA, PI, method="1s")
    np.testing.assert_array_equal(found.starts[0], alone.parameters_.theta)
    np.testing.assert_array_equal(found.runs[0].theta, alone.theta)


@QUIET
def test_starts_lie_around_the_callers_by_the_scale_and_within_bounds():
    bounds = {"sigma_bounds": (0.5 * SIGMA, 1.2 * SIGMA), "pi_bounds": (None, 2 * PI)}
    stay = {"method": "1s", "optimization": blp.Optimization("return")}
    found = problem().multistart(SIGMA, PI, starts=40, scale=2.0, **bounds, **stay)
    parameters = found.best.parameters_
    assert (found.starts >= parameters.lower).all() and (found.starts <= parameters.upper).all()
    assert (found.starts[1:] != found.starts[0]).all()
    free = problem().multistart(SIGMA, PI, starts=40, scale=0.01, **stay)
    ratios = free.starts[1:] / free.starts[0] - 1
    # 39 x 7 normal draws: the standard deviation is known to 5 percent.
    np.testing.assert_allclose(ratios.std(), 0.01, rtol=0.2)


@QUIET
def test_the_best_run_has_the_least_objective_of_those_that_converged():
    found = problem().multistart(SIGMA, PI, starts=6, scale=1.0, optimization=SHORT, method="1s")
    assert 0 < found.converged.sum() < 6 or not found.converged.any()
    pool = found.converged if found.converged.any() else np.ones(6, bool)
    assert found.best.objective == found.objective[pool].min()
    assert found.distance[found.runs.index(found.best)] == 0
    assert (found.distance >= 0).all()


def test_a_column_of_sigma_with_the_other_sign_is_no_distance():
    """With nodes that are symmetric around zero, sigma and -sigma are the same model."""
    built = problem(demographics=None, integration=("product", 3), seed=6)
    sigma = np.diag([0.0, 0.8, 0.6])
    found = built.multistart(sigma, starts=8, scale=1.5, method="1s")
    signs = np.sign([run.sigma[2, 2] for run in found.runs])
    alike = np.isclose(found.objective, found.best.objective, rtol=1e-8)
    assert set(signs[alike]) == {-1.0, 1.0}
    assert (found.distance[alike] < 1e-3).all()


def test_runs_that_do_not_converge_are_counted_once_and_explained():
    short = blp.Optimization("gauss-newton", {"maxiter": 2})
    with pytest.warns(CompEconWarning) as caught:
        found = problem().multistart(SIGMA, PI, starts=4, optimization=short, method="1s")
    said = [str(one.message) for one in caught]
    best = found.messages[found.runs.index(found.best)]
    assert said == [*best, "4 of 4 starts did not converge: the table tells which, `messages` why."]
    assert caught[-1].category is ConvergenceWarning and caught[-1].filename == __file__
    assert all("gauss-newton stopped after" in said[0] for said in found.messages)
    assert repr(found).count(" No ") == 4


@QUIET
def test_the_table_marks_the_best_and_counts_warnings():
    found = problem().multistart(SIGMA, PI, starts=3, method="1s")
    frame = found.table().to_frame()
    assert frame["Start:"].tolist()[found.runs.index(found.best)].endswith("(best)")
    np.testing.assert_array_equal(frame["Objective Value"], found.objective)
    assert frame["Warnings"].tolist() == [len(said) for said in found.messages]
    assert "<table" in found._repr_html_()


@QUIET
def test_a_run_that_raises_is_a_row_without_numbers(monkeypatch):
    """One start in three fails: its error is kept, the others go on."""
    from compecon.blp import multistart as module

    calls, solve = [], module.solve

    def moody(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            raise DataError("the moments are singular here")
        return solve(*args, **options)

    monkeypatch.setattr(module, "solve", moody)
    found = problem().multistart(SIGMA, PI, starts=3, method="1s")
    assert np.isnan(found.objective).tolist() == [False, True, False]
    assert not found.converged[1] and np.isnan(found.distance[1])
    assert found.messages[1] == ("the moments are singular here",)


def test_when_every_run_raises_the_first_error_comes_through():
    with pytest.raises(DataError, match="do not identify the 4 linear parameters"):
        problem().multistart(SIGMA, PI, starts=2, W=np.zeros((15, 15)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"starts": 0}, "starts = 0; it must be an integer of at least 1"),
        ({"scale": 0.0}, "scale = 0.0; it must be a finite number above 0"),
        ({"method": "3s"}, "unknown method '3s'"),
        ({"sigma": 0 * SIGMA, "pi": 0 * PI}, "nothing to search"),
        ({"sigma": np.eye(2)}, "sigma is 2 x 2"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        problem().multistart(**({"sigma": SIGMA, "pi": PI} | options))
