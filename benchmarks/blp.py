"""BLP: the tutorial's steps side by side with pyblp, in one process.

Each side of a solve is timed whole, with the Hessian and standard errors. pyblp's times are single calls where these
take more than a second; all others are the fastest of repeated calls.
"""

import time
import warnings

import numpy as np
import pandas as pd

from benchmarks.zurcher import best_time
from compecon import blp
from compecon.blp.examples import PI, SIGMA

SEARCHES = {"BFGS": ("bfgs", {"gtol": 1e-5}), "Gauss-Newton": ("gauss-newton", {"gtol": 1e-6})}
# (aim, floor): how many times faster than pyblp, which searches by BFGS.
TARGETS = {
    "first solve, BFGS": (100, 60),
    "first solve, Gauss-Newton": (250, 120),
    "100 bootstrap draws, elasticities": (50, 50),
    "micro scores": (50, 50),
    "merger prices": (20, 20),
}
SAMPLES = 200


def compare():
    """Time both libraries.

    Returns
    -------
    rows : list of (name, pyblp's seconds, our seconds, aim, floor)
    searches : {method: (evaluations of the objective, largest element of the gradient)}
    resampling : (seconds of the ordinary bootstrap, its full-sample solve included, and how many samples failed)
    """
    import pyblp

    pyblp.options.verbose = False
    (their_problem, *tables), (problem, *_) = _problem(pyblp), _problem(blp)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, slow = timed(lambda: _solve(pyblp, their_problem, SEARCHES["BFGS"]))
        searches, seconds = {}, {}
        for name, method in SEARCHES.items():
            ours = _solve(blp, problem, method)
            np.testing.assert_allclose(ours.beta, theirs.beta, rtol=1e-4)
            searches[name] = (ours.objective_evaluations, ours.projected_gradient_norm)
            fast = best_time(lambda method=method: _solve(blp, problem, method))
            seconds[f"first solve, {name}"] = (slow, fast)
        theirs, ours = _steps(pyblp, theirs, *tables), _steps(blp, ours, *tables)
        for name, call in theirs.items():
            seconds[name] = (timed(call)[1], best_time(ours[name]))
            if seconds[name][0] < 1:
                seconds[name] = (best_time(call), seconds[name][1])
        starts = {"sigma": np.array(SIGMA), "pi": np.array(PI), "method": "1s"}
        resampled, took = timed(lambda: problem.bootstrap(SAMPLES, seed=0, **starts))
    return [(name, *seconds[name], *TARGETS[name]) for name in TARGETS], searches, (took, resampled.n_failed)


def timed(call):
    """What `call` returns, and the seconds that it took."""
    start = time.perf_counter()
    value = call()
    return value, time.perf_counter() - start


def _problem(library):
    """The cereal problem, made by either library, and its two tables."""
    tables = [pd.read_csv(path) for path in (library.data.NEVO_PRODUCTS_LOCATION, library.data.NEVO_AGENTS_LOCATION)]
    X1 = library.Formulation("0 + prices", absorb="C(product_ids)")
    X2 = library.Formulation("1 + prices + sugar + mushy")
    demographics = library.Formulation("0 + income + income_squared + age + child")
    return library.Problem((X1, X2), tables[0], demographics, tables[1]), *tables


def _solve(library, problem, method):
    return problem.solve(np.array(SIGMA), np.array(PI), optimization=library.Optimization(*method), method="1s")


def _steps(library, results, products, agents):
    """{name: call} of what is timed after estimation."""
    merged, costs = products["firm_ids"].replace(2, 1), results.compute_costs()
    dataset = library.MicroDataset("micro", 1000, lambda t, p, a: np.ones((a.size, 1 + p.size)), market_ids=["C61Q1"])
    drawn = pd.DataFrame(library.data_to_dict(results.simulate_micro_data(dataset, seed=0)))
    agents = agents.assign(agent_indices=agents.groupby("market_ids").cumcount())
    columns = ["market_ids", "agent_indices", "income", "income_squared", "age", "child"]
    observed = drawn.merge(agents[columns], on=["market_ids", "agent_indices"])
    rule = library.Integration("product", 5)

    def scores():
        results.compute_micro_scores(dataset, observed, integration=rule)
        results.compute_agent_scores(dataset, integration=rule)

    return {
        "100 bootstrap draws, elasticities": lambda: results.bootstrap(100, seed=0).compute_elasticities(),
        "micro scores": scores,
        "merger prices": lambda: results.compute_prices(firm_ids=merged, costs=costs),
    }
