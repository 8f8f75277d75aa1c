"""What a reader of an estimate must know before trusting it."""

import warnings

import numpy as np

from compecon.blp.markets import Markets
from compecon.blp.printed import named
from compecon.errors import CompEconWarning, ConvergenceWarning, IdentificationWarning

# Below this share of the largest, an eigenvalue of the scaled Hessian is noise of its finite differences.
_FLAT = 1e-8
# The objective is a chi-squared statistic: what a Newton step would take off it is nothing when it is less than this.
_SMALL_GAIN = 1e-6


def if_too_few_moments(problem, parameters, n_micro):
    """Warn when there are fewer moments than parameters."""
    n_moments, n_params = problem.MD + n_micro, len(parameters.labels) + problem.K1
    if n_moments < n_params:
        warnings.warn(
            f"{n_params} parameters but only {n_moments} moments: the model is not identified. Add instruments "
            "(demand_instruments0, ..) or fix parameters at zero.", IdentificationWarning, stacklevel=3,
        )  # fmt: skip


def about(results, optimization):
    """Warn of all that `findings` finds."""
    for category, message in findings(results, optimization):
        warnings.warn(message, category, stacklevel=3)


def findings(results, optimization):
    """Pairs (category, message): failed fixed points, a failed or stuck search, a flat or indefinite Hessian,
    standard errors that do not exist, upward-sloping demand."""
    failed = results.problem.unique_market_ids[~results.fp_converged[:, 0]]
    if failed.size:
        yield ConvergenceWarning, (
            f"the inner fixed point failed in {failed.size} of {results.problem.T} markets ({named(failed)}); the "
            "estimates rest on wrong mean utilities there. Check these markets' shares, or start elsewhere."
        )
    if results.theta.size > 0 and optimization.method != "return":
        yield from _about_search(results, optimization.method)
        yield from _about_hessian(results)
    if not np.isfinite(results.parameter_covariances).all():
        yield IdentificationWarning, (
            "there are no standard errors (NaN): the moments do not move with some parameters, or move alike with "
            "several. results.moment_diagnostics() tells which."
        )
    if any(f is not None and f.uses("prices") for f in results.problem.product_formulations):
        yield from _about_price_tastes(results)


def _about_search(results, method):
    norm = results.projected_gradient_norm
    if not results.optimizer_converged:
        where = f"with a gradient of {norm:.1e}, above its tolerance" if norm > 0 else "where there is no objective"
        other = "" if method == "gauss-newton" else " try 'gauss-newton',"
        yield ConvergenceWarning, (
            f"{method} stopped after {results.optimization_iterations} iterations {where}. Start at these values or "
            f"elsewhere,{other} or allow more iterations."
        )
    gradient = results.gradient[:, 0]
    gain = gradient @ np.linalg.lstsq(results.hessian, gradient)[0] / 2
    if np.array_equal(results.theta, results.parameters_.theta) and not 0 <= gain < _SMALL_GAIN:
        yield ConvergenceWarning, (
            f"theta never left its starting values (gradient {norm:.1e}); this is no estimate. Start elsewhere, or "
            "lower gtol."
        )


def _about_hessian(results):
    inside = np.flatnonzero(results.inside_bounds)
    if not inside.size:
        return
    hessian = results.hessian[np.ix_(inside, inside)]
    scale = np.sqrt(np.abs(np.diag(hessian)))
    if not scale.all():
        eigenvalue, along = 0.0, np.argmin(scale)
    else:
        eigenvalues, vectors = np.linalg.eigh(hessian / np.outer(scale, scale))
        eigenvalue, along = eigenvalues[0] / eigenvalues[-1], np.argmax(np.abs(vectors[:, 0]))
    if eigenvalue < _FLAT:
        shape = "indefinite: this is no minimum" if eigenvalue < -_FLAT else "flat: other values fit about as well"
        label = results.theta_labels[inside[along]]
        yield IdentificationWarning, f"the Hessian of the objective is {shape}. The direction is mostly {label!r}."


def _about_price_tastes(results):
    demand, markets = results.demand(), Markets(results.problem)
    slopes = (slope for _, _, slope in markets.each(demand, demand.derivatives("prices")))
    upward = np.array([(slope >= 0).any(axis=1).sum() for slope in slopes])
    where = markets.ids[upward > 0]
    if where.size:
        yield CompEconWarning, (
            f"{upward.sum()} of {results.problem.I} agents in {where.size} markets ({named(where)}) like higher prices "
            "(d utility / d price >= 0). Their demand slopes upward, and consumer surplus is not defined there."
        )
