"""BLP: the tutorial's steps side by side with pyblp, in one process; and a problem too large to hold at once.

Each side of a solve is timed whole, with the Hessian and standard errors. pyblp's times are single calls (they take
seconds); ours are the fastest of repeated ones.
"""

import resource
import subprocess
import sys
import time
import warnings

import numpy as np
import pandas as pd

from benchmarks.zurcher import best_time
from compecon import blp
from compecon.blp.examples import PI, SIGMA

BFGS = ("bfgs", {"gtol": 1e-5})
# name: (aim, floor), how many times faster than pyblp
RATIOS = {
    "first solve, BFGS": (100, 60),
    "first solve, Gauss-Newton": (250, 120),
    "100 bootstrap draws, elasticities": (50, 50),
    "micro scores": (50, 50),
    "merger prices": (20, 20),
}


def _problem(library):
    tables = [pd.read_csv(path) for path in (library.data.NEVO_PRODUCTS_LOCATION, library.data.NEVO_AGENTS_LOCATION)]
    formulations = (
        library.Formulation("0 + prices", absorb="C(product_ids)"), library.Formulation("1 + prices + sugar + mushy")
    )  # fmt: skip
    demographics = library.Formulation("0 + income + income_squared + age + child")
    return library.Problem(formulations, tables[0], demographics, tables[1]), *tables


def _solve(library, problem, method=BFGS):
    return problem.solve(np.array(SIGMA), np.array(PI), optimization=library.Optimization(*method), method="1s")


def _steps(library, results, products, agents):
    """{name: call} of what is timed after estimation."""
    merged = products["firm_ids"].replace(2, 1)
    costs = results.compute_costs()
    dataset = library.MicroDataset("micro", 1000, lambda t, p, a: np.ones((a.size, 1 + p.size)), market_ids=["C61Q1"])
    drawn = pd.DataFrame(library.data_to_dict(results.simulate_micro_data(dataset, seed=0)))
    agents = agents.assign(agent_indices=agents.groupby("market_ids").cumcount())
    columns = ["market_ids", "agent_indices", "income", "income_squared", "age", "child"]
    observed = drawn.merge(agents[columns], on=["market_ids", "agent_indices"])
    rule = library.Integration("product", 5)
    return {
        "100 bootstrap draws, elasticities": lambda: results.bootstrap(100, seed=0).compute_elasticities(),
        "micro scores": lambda: (
            results.compute_micro_scores(dataset, observed, integration=rule),
            results.compute_agent_scores(dataset, integration=rule),
        ),
        "merger prices": lambda: results.compute_prices(firm_ids=merged, costs=costs),
    }


def _once(call):
    start = time.perf_counter()
    value = call()
    return value, time.perf_counter() - start


def ratios():
    """Rows (name, pyblp's seconds, our seconds, aim, floor), and the two searches: {method: (evaluations, gradient)}."""
    import pyblp

    pyblp.options.verbose = False
    theirs, ours = _problem(pyblp), _problem(blp)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        their_results, slow = _once(lambda: _solve(pyblp, theirs[0]))
        searches, rows = {}, []
        for name, method in (("BFGS", BFGS), ("Gauss-Newton", ("gauss-newton", {"gtol": 1e-6}))):
            results = _solve(blp, ours[0], method)
            searches[name] = (results.objective_evaluations, results.projected_gradient_norm)
            np.testing.assert_allclose(results.beta, their_results.beta, rtol=1e-4)
            rows.append((f"first solve, {name}", slow, best_time(lambda m=method: _solve(blp, ours[0], m))))
        slow_steps, fast_steps = _steps(pyblp, their_results, *theirs[1:]), _steps(blp, results, *ours[1:])
        rows += [(name, _once(call)[1], best_time(fast_steps[name])) for name, call in slow_steps.items()]
        resampled = _once(lambda: ours[0].bootstrap(200, seed=0, results=results))[1]
    return [(*row, *RATIOS[row[0]]) for row in rows], searches, (resampled, slow)


def profile(repeats=300):
    """Microseconds of the parts of one market's evaluation (24 products, 20 agents, 13 parameters): the solver's bound."""
    from benchmarks.blp_profile import parts

    for name, call in parts():
        yield name, 1e6 * best_time(lambda: [call() for _ in range(repeats)], 0.2) / repeats


def large(n_markets=2000, n_products=50, n_agents=500, seed=0):
    """Simulate 50 million agent-products, estimate from stated starts; prints what was found."""
    rng = np.random.default_rng(seed)
    data = simulated_products(rng, n_markets, n_products)
    integration = blp.Integration("monte_carlo", n_agents, {"seed": seed})
    formulations = (blp.Formulation("1 + prices + x"), blp.Formulation("0 + prices + x"))
    simulation = blp.Simulation(
        (*formulations, blp.Formulation("1 + x + w")), data, beta=[1.0, -3.0, 1.0], sigma=np.diag([0.5, 1.0]),
        gamma=[1.0, 0.2, 0.3], integration=integration, xi_variance=0.2, omega_variance=0.05, correlation=0.5, seed=seed,
    )  # fmt: skip
    made, simulating = _once(simulation.replace_endogenous)
    problem = made.to_problem(formulations)
    optimization = blp.Optimization("gauss-newton", {"gtol": 1e-4})
    results, solving = _once(lambda: problem.solve(np.diag([0.3, 0.5]), method="1s", optimization=optimization))
    truth = np.array([0.5, 1.0, 1.0, -3.0, 1.0])
    errors = np.sqrt(np.diag(results.parameter_covariances) / problem.N)
    signed = results.parameters[:, 0] * np.r_[np.sign(results.theta), 1, 1, 1]
    distance = np.abs(signed - truth) / errors
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(simulating, solving, results.objective_evaluations, int(results.converged), distance.max(), memory)


def simulated_products(rng, n_markets, n_products):
    """Products of ten firms, with a characteristic, a cost shifter and differentiation instruments."""
    n = n_markets * n_products
    data = {
        "market_ids": np.repeat(np.arange(n_markets), n_products), "firm_ids": np.tile(np.arange(n_products) % 10, n_markets),
        "x": rng.uniform(size=n), "w": rng.uniform(size=n), "prices": np.zeros(n), "shares": np.full(n, 0.5 / n_products),
    }  # fmt: skip
    local = blp.build_differentiation_instruments(blp.Formulation("0 + x + w"), data)
    data["demand_instruments"] = np.column_stack([data["w"], data["w"] ** 2, local])
    return pd.DataFrame({k: v for k, v in data.items() if v.ndim == 1} | {
        f"demand_instruments{k}": column for k, column in enumerate(data["demand_instruments"].T)
    })  # fmt: skip


def large_in_fresh_process():
    """(seconds simulating, seconds solving, evaluations, converged, largest distance in standard errors, GiB)."""
    code = "from benchmarks.blp import large; large()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return tuple(map(float, done.stdout.split()[-6:]))
