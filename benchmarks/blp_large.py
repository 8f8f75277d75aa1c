"""BLP on simulated economies: one that is too large to hold at once, and how time grows with markets and agents."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.blp import timed
from benchmarks.zurcher import best_time
from compecon import blp

X1, X2, X3 = blp.Formulation("1 + prices + x"), blp.Formulation("0 + prices + x"), blp.Formulation("1 + x + w")
SIGMA, BETA, GAMMA = np.diag([0.6, 2.0]), np.array([1.0, -3.0, 1.0]), [1.0, 0.2, 2.0]
STARTS = np.diag([0.3, 1.0])


class Large(NamedTuple):
    """What `estimate` found and how long it took."""

    simulating: float  # seconds
    solving: float  # seconds, with the Hessian and standard errors
    evaluations: float
    converged: float  # 1 or 0
    distance: float  # largest |estimate - truth| in standard errors
    memory: float  # GiB, the most that the process ever held


def estimate(n_markets=2000, n_products=50, n_agents=500, seed=0):
    """Simulate Bertrand-Nash prices, estimate from `STARTS`, and compare with the truth."""
    simulation = _simulation(n_markets, n_products, n_agents, seed)
    made, simulating = timed(simulation.replace_endogenous)
    problem = made.to_problem()
    results, solving = timed(lambda: problem.solve(STARTS, method="1s"))
    # The sign of a sigma is not identified.
    estimates = np.concatenate([np.abs(results.theta), results.beta[:, 0]])
    errors = np.sqrt(np.diag(results.parameter_covariances) / problem.N)
    distance = np.abs(estimates - np.concatenate([np.diag(SIGMA), BETA])) / errors
    found = results.objective_evaluations, results.converged, distance.max(), peak_memory()
    return Large(simulating, solving, *map(float, found))


def peak_memory():
    """GiB that this process has held at most; NaN where the system does not say."""
    # Not getrusage: its figure is at least what the process held that started this one.
    status = Path("/proc/self/status")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 2**20 if status.exists() else float("nan")


def in_fresh_process(*sizes):
    """`estimate(*sizes)` by an interpreter of its own, whose memory is its alone."""
    code = f"from benchmarks.blp_large import estimate; print(*estimate{sizes!r})"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    return Large(*map(float, done.stdout.split()))


def growth(n_markets=200, n_products=20, n_agents=100, times=8):
    """Rows (name, ratio) of the seconds of `solve` at given parameters, Hessian included, with more of something."""

    def seconds(markets, agents):
        problem = _simulation(markets, n_products, agents, 0).replace_endogenous().to_problem()
        there = blp.Optimization("return")
        return best_time(lambda: problem.solve(SIGMA, method="1s", optimization=there))

    base = seconds(n_markets, n_agents)
    yield f"{times} x markets", seconds(times * n_markets, n_agents) / base
    yield f"{times} x agents", seconds(n_markets, times * n_agents) / base


def _simulation(n_markets, n_products, n_agents, seed):
    """Ten firms; a characteristic, a cost shifter, and instruments made from both and from those of rivals."""
    rng, n = np.random.default_rng(seed), n_markets * n_products
    data = {
        "market_ids": np.repeat(np.arange(n_markets), n_products),
        "firm_ids": np.tile(np.arange(n_products) % 10, n_markets),
        "x": rng.uniform(size=n),
        "w": rng.uniform(size=n),
    }
    rivals = blp.build_differentiation_instruments(blp.Formulation("0 + x + w"), data)
    data["demand_instruments"] = np.column_stack([data["w"], rivals])
    return blp.Simulation(
        (X1, X2, X3), data, beta=BETA, sigma=SIGMA, gamma=GAMMA, xi_variance=0.2, omega_variance=0.05, correlation=0.5,
        integration=blp.Integration("monte_carlo", n_agents, {"seed": seed}), seed=seed,
    )  # fmt: skip
