"""Estimation: GMM steps around the nested fixed point."""

import numpy as np
import scipy.linalg

from compecon._options import one_of
from compecon.blp import options, warn
from compecon.blp.gmm import invert, moment_covariances, parameter_covariances
from compecon.blp.iteration import Iteration
from compecon.blp.micro_system import MicroSystem
from compecon.blp.objective import Objective, Search
from compecon.blp.optimization import Optimization
from compecon.blp.parameters import build_parameters
from compecon.blp.results import ProblemResults
from compecon.errors import DataError, ParameterError

_KINDS = ("robust", "unadjusted", "clustered")


def solve(
    problem, sigma=None, pi=None, *, sigma_bounds=None, pi_bounds=None, method="2s", initial_update=None,
    optimization=None, iteration=None, W=None, center_moments=True, W_type="robust", se_type="robust", micro_moments=(),
):  # fmt: skip
    """Estimate by GMM: theta outside, mean utilities inside (the nested fixed point), beta in closed form.

    minimise over theta  q = N g'W g,  g = Z'xi(theta) / N,  xi = delta(theta) - X1 beta,  s(delta, theta) = S.

    Parameters
    ----------
    sigma : (K2, K2), starting values of the Cholesky root of the random tastes' covariance, lower triangular
    pi : (K2, D), starting values of the tastes' response to demographics
        Zeros stay zero in both; everything else is estimated.
    sigma_bounds, pi_bounds : pairs (lower, upper) of matrices, optional
        Equal bounds fix a parameter at its starting value. Without them nothing is bounded; a sigma's sign is not
        identified.
    method : '2s' | '1s'
        One GMM step, or two, the second with the weighting matrix that the first suggests.
    initial_update : bool
        Update the weighting matrix once at the starting values; by default only with micro moments and no W.
    optimization : Optimization, 'gauss-newton' with gtol 1e-8 by default (pyblp's default is 'l-bfgs-b')
    iteration : Iteration, 'newton' by default
    W : (M, M), the first step's weighting matrix; (Z'Z/N)^-1 by default
    center_moments : bool, take the mean off the moments before their covariance
    W_type, se_type : 'robust' | 'unadjusted' | 'clustered'
        The covariance of the moments behind the second step's W and behind the standard errors.
    micro_moments : MicroMoment, or a sequence of them

    Returns
    -------
    ProblemResults

    Raises
    ------
    ParameterError, DataError
        For starting values, options or data that cannot be used; the message says which.

    Warns
    -----
    ConvergenceWarning
        When a market's fixed point failed at the estimates, the search stopped early or never left its start.
    IdentificationWarning
        When there are fewer moments than parameters, or the Hessian is flat or indefinite.
    CompEconWarning
        When some agents like higher prices.

    Notes
    -----
    Every evaluation starts the inner problem from the last one's solution, moved along d delta / d theta. Progress is
    printed when `blp.options.verbose` is set.

    Examples
    --------
    >>> from compecon.blp.examples import PI, SIGMA, cereal_problem
    >>> results = cereal_problem().solve(SIGMA, PI, method="1s")
    >>> results.converged, round(results.objective, 6), results.beta.round(3)
    (True, 4.561514, array([[-62.73]]))
    """
    one_of(method, ("1s", "2s"), "method")
    optimization = optimization or Optimization("gauss-newton")
    iteration = iteration or Iteration("newton")
    check_kinds(problem, W_type, se_type, optimization, iteration)
    parameters = build_parameters(problem, sigma, pi, sigma_bounds, pi_bounds)
    if parameters.bounded and not optimization.supports_bounds and optimization.method != "return":
        raise ParameterError(f"{optimization.method!r} takes no bounds; choose 'gauss-newton', or leave them out.")
    micro = MicroSystem(problem, micro_moments) if micro_moments else None
    n_micro = 0 if micro is None else len(micro.moments)
    warn.if_too_few_moments(problem, parameters, n_micro)
    update = (micro is not None and W is None) if initial_update is None else initial_update
    W = _starting_W(problem, W, n_micro)
    theta, last, results = parameters.theta, None, None
    for step in ([0] if update else []) + [1] + ([2] if method == "2s" else []):
        search = Search(Objective(problem, parameters, problem.linear_part, W, iteration, micro), last, _reporter(step))
        chosen = Optimization("return") if step == 0 else optimization
        theta, converged, n_iter = chosen.search(search, theta, parameters.lower, parameters.upper)
        last = search(theta)
        if options.verbose:
            print()
        found = (converged and last.finite, n_iter, search.n_evaluations, search.sweeps)
        results = build_results(search.objective, last, step, found, (center_moments, W_type, se_type), results)
        W = results.updated_W
    warn.about(results, optimization)
    return results


def build_results(objective, at, step, found, kinds, last_results):
    """ProblemResults of one GMM step; `found`: what the search reports, `kinds`: center, W_type and se_type."""
    problem, parameters, micro = objective.problem, objective.parameters, objective.micro
    center, W_type, se_type = kinds
    part, clusters = objective.part, problem.sorted_products.clustering_ids
    xi = problem.fixed_effects.residualize(at.inversion.delta[:, None])[:, 0] - np.sum(part.X1 * at.beta, axis=1)
    micro_covariances = np.zeros((0, 0)) if micro is None else micro.covariances(problem, parameters, at)

    def covariances(kind):
        return scipy.linalg.block_diag(
            moment_covariances(xi, part, kind, clusters, center), problem.N * micro_covariances
        )[: objective.W.shape[0], : objective.W.shape[0]]

    S_by_kind = {kind: covariances(kind) for kind in {W_type, se_type}}
    S, hessian = S_by_kind[se_type], objective.hessian(at) if step else np.full((at.theta.size,) * 2, np.nan)
    remedy = "Drop instruments or micro moments; with clusters, there must be more of them than moments."
    updated = invert(S_by_kind[W_type], "the covariance matrix of the moments", remedy)
    g, G = _moments(part, at)
    W = objective.W
    if se_type == "unadjusted" and step == 1:
        W = invert(S, "the covariance matrix of the moments", remedy)
    V = parameter_covariances(W, S, G, se_type)
    se = np.sqrt(np.diag(V) / problem.N)
    sigma, pi = parameters.split(at.theta)
    sigma_se, pi_se = parameters.split(se[: at.theta.size], fill=np.nan)
    converged, n_iter, n_evaluations, sweeps = found
    return ProblemResults(
        problem=problem, parameters_=parameters, step=step, theta=at.theta, sigma=sigma, pi=pi, beta=at.beta[:, None],
        sigma_se=sigma_se, pi_se=pi_se, beta_se=se[at.theta.size :, None],
        delta=problem.to_file_order(at.inversion.delta)[:, None], xi=problem.to_file_order(xi)[:, None],
        xi_by_theta_jacobian=problem.to_file_order(at.inversion.jacobian),
        objective=at.value, gradient=at.gradient[:, None], hessian=hessian, moments=g[:, None],
        moments_jacobian=G, moments_covariances=S, parameter_covariances=V, W=objective.W, updated_W=updated,
        micro=at.micro_gap[:, None], micro_values=at.micro_values[:, None], micro_covariances=micro_covariances,
        micro_moments=() if micro is None else micro.moments, se_type=se_type, optimizer_converged=converged,
        optimization_iterations=n_iter, objective_evaluations=n_evaluations,
        contraction_evaluations=np.asarray(sweeps).reshape(-1, 1), fp_converged=at.inversion.converged[:, None],
        last_results=last_results,
    )  # fmt: skip


def _moments(part, at):
    """(M,) g and (M, P + K1) its derivatives by theta and beta."""
    sums = part.moments_of(np.column_stack([at.inversion.delta, at.inversion.jacobian]))
    g = np.concatenate([sums[:, 0] - part.A @ at.beta, at.micro_gap])
    by_beta = np.vstack([-part.A, np.zeros((at.micro_gap.size, at.beta.size))])
    return g, np.hstack([np.vstack([sums[:, 1:], at.micro_slope]), by_beta])


def _starting_W(problem, W, n_micro):
    """(Z'Z/N)^-1, with zeros for micro moments until the first update; or the W that was given."""
    size = problem.MD + n_micro
    if W is None:
        remedy = "Some instrument is a combination of the others or of the fixed effects; drop it."
        W = invert(problem.linear_part.ZZ, "the instruments' matrix Z'Z/N", remedy)
        return scipy.linalg.block_diag(W, np.zeros((n_micro, n_micro)))[:size, :size]
    try:
        W = np.array(W, dtype=np.float64, ndmin=2)
        levels = np.linalg.eigvalsh(W) if np.allclose(W, W.T, rtol=1e-8, atol=0) else [-1.0]
    except (TypeError, ValueError):
        levels = [np.nan]
    # Rounding leaves small negative eigenvalues to a matrix that lacks rank.
    if np.shape(W) != (size, size) or not levels[0] >= -1e-12 * levels[-1]:
        raise ParameterError(
            f"W must be a symmetric positive semi-definite {size} x {size} matrix of numbers, a row for each moment."
        )
    if W[: problem.MD, problem.MD :].any():
        raise ParameterError("W must be block diagonal: no weight between the instruments' moments and micro moments.")
    return (W + W.T) / 2


def check_kinds(problem, W_type, se_type, optimization, iteration):
    """Raise a ParameterError or DataError for an option that solve and the bootstrap cannot use."""
    for name, kind in (("W_type", W_type), ("se_type", se_type)):
        one_of(kind, _KINDS, name)
        if kind == "clustered" and problem.sorted_products.clustering_ids is None:
            raise DataError(f"{name}='clustered' needs a column clustering_ids in product_data; there is none.")
    for name, value, kind in (("optimization", optimization, Optimization), ("iteration", iteration, Iteration)):
        if not isinstance(value, kind):
            raise ParameterError(f"{name} = {value!r}; it must be a blp.{kind.__name__}(...).")


def _reporter(step):
    """A line for each evaluation when `options.verbose` is set."""
    if not options.verbose:
        return None

    def report(n_evaluations, at):
        norm = np.abs(at.gradient).max(initial=0.0)
        failed = int((~at.inversion.converged).sum())
        print(
            f"\rGMM step {step}, evaluation {n_evaluations}: objective {at.value:.6e}, gradient {norm:.1e}, "
            f"fixed points failed {failed}", end="", flush=True,
        )  # fmt: skip

    return report
