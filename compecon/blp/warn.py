"""What a reader of an estimate must know before trusting it."""

import warnings

import numpy as np

from compecon.errors import CompEconWarning, ConvergenceWarning, IdentificationWarning

# Below this share of the largest, an eigenvalue of the scaled Hessian is noise of its finite differences.
_FLAT = 1e-8


def if_too_few_moments(problem, parameters, n_micro):
    """Warn when there are fewer moments than parameters."""
    n_moments, n_params = problem.MD + n_micro, len(parameters.labels) + problem.K1
    if n_moments < n_params:
        _say(
            f"{n_params} parameters but only {n_moments} moments: the model is not identified. Add instruments "
            "(demand_instruments0, ..) or fix parameters at zero.", IdentificationWarning,
        )  # fmt: skip


def about(results, optimization):
    """Warn of failed fixed points, a failed or stuck search, a flat or indefinite Hessian, and upward-sloping demand."""
    failed = results.problem.unique_market_ids[~results.fp_converged[:, 0]]
    if failed.size:
        _say(
            f"the inner fixed point failed in {failed.size} of {results.problem.T} markets ({named(failed)}); the "
            "estimates rest on wrong mean utilities there. Check these markets' shares, or start elsewhere.",
            ConvergenceWarning,
        )
    searched = results.theta.size > 0 and optimization.method != "return"
    if searched:
        _about_search(results, optimization)
        _about_hessian(results)
    if results.problem.K2:
        _about_price_tastes(results)


def _about_search(results, optimization):
    norm = results.projected_gradient_norm
    if not results.optimizer_converged:
        _say(
            f"{optimization.method} stopped after {results.optimization_iterations} iterations with a gradient of "
            f"{norm:.1e}, above its tolerance. Start at these values, try 'gauss-newton', or allow more iterations.",
            ConvergenceWarning,
        )
    if np.array_equal(results.theta, results.parameters_.theta) and norm > 0:
        _say(
            f"theta never left its starting values (gradient {norm:.1e}); this is no estimate. Start elsewhere, or lower gtol.",
            ConvergenceWarning,
        )


def _about_hessian(results):
    scale = np.sqrt(np.abs(np.diag(results.hessian)))
    if not np.isfinite(results.hessian).all() or not (scale > 0).all():
        eigenvalue, along = 0.0, results.theta_labels[int(np.argmin(np.nan_to_num(scale)))]
    else:
        eigenvalues, vectors = np.linalg.eigh(results.hessian / np.outer(scale, scale))
        eigenvalue = eigenvalues[0] / eigenvalues[-1]
        along = results.theta_labels[int(np.argmax(np.abs(vectors[:, 0])))]
    at_bound = (results.theta <= results.parameters_.lower) | (results.theta >= results.parameters_.upper)
    if eigenvalue < _FLAT and not at_bound.any():
        shape = "indefinite: this is no minimum" if eigenvalue < -_FLAT else "flat: the data hardly say where the minimum is"
        _say(f"the Hessian of the objective is {shape}. The direction is mostly {along!r}.", IdentificationWarning)


def _about_price_tastes(results):
    demand = results.demand()
    products, agents = results.problem.sorted_products, results.problem.sorted_agents
    if not any(f is not None and f.uses("prices") for f in results.problem.product_formulations):
        return
    base, slopes = demand.derivatives("prices")
    taste = agents.traits @ demand.loadings.T
    upward, markets = 0, []
    for t, (a, b) in enumerate(zip(products.starts[:-1], products.starts[1:], strict=True)):
        rows = taste[agents.starts[t] : agents.starts[t + 1]]
        count = int(((base[a:b] + rows @ slopes[a:b].T) >= 0).any(axis=1).sum())
        if count:
            upward, markets = upward + count, [*markets, products.unique_market_ids[t]]
    if upward:
        _say(
            f"{upward} of {results.problem.I} agents in {len(markets)} markets ({named(markets)}) like higher prices "
            "(d utility / d price >= 0). Their demand slopes upward, and consumer surplus is not defined there.",
            CompEconWarning,
        )


def named(ids, most=5):
    """The first few ids, quoted, and how many more."""
    shown = ", ".join(f"'{one}'" for one in ids[:most])
    return shown if len(ids) <= most else f"{shown} and {len(ids) - most} more"


def _say(message, category):
    warnings.warn(message, category, stacklevel=5)
