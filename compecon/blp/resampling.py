"""The ordinary bootstrap: estimates from samples of markets or products drawn, with replacement, from the data."""

import warnings
from collections import Counter
from dataclasses import dataclass, replace

import joblib
import numpy as np
import scipy.linalg

from compecon._options import one_of, positive_integer, share
from compecon.blp import tables
from compecon.blp.bootstrap import BootstrappedResults, in_batches
from compecon.blp.gauss_newton import minimize_squares
from compecon.blp.gmm import invert, moment_covariances
from compecon.blp.iteration import Iteration
from compecon.blp.objective import Evaluation, Objective, Search
from compecon.blp.optimization import Optimization
from compecon.blp.solve import check_kinds, solve
from compecon.errors import CompEconError, CompEconWarning, ConvergenceError, DataError, ParameterError

# Of a direction's variation in the data, a sample that keeps less than this has lost it.
_LOST = 1e-8
# Of the gradient in standardised parameters.
_GTOL = 1e-4


def bootstrap(
    problem, draws=200, seed=None, resample="markets", *, optimization=None, iteration=None, W_type="robust",
    center_moments=True, progress=False, **solve_options,
):  # fmt: skip
    """The ordinary bootstrap: solve, then estimate again on samples drawn from the data with replacement.

    A row drawn w_n times counts w_n times, in the moments and in the fixed effects:

        g = sum_n w_n Z_n xi_n / sum_n w_n

    Mean utilities are found in the whole markets of the data, whichever rows are drawn.

    Parameters
    ----------
    draws : int, at least 2
    seed : int, numpy RandomState or Generator, optional
    resample : 'markets' | 'products'
        What is drawn independently: T markets, each with all its products, or N products.
    optimization, iteration : optional
        How theta is searched and shares are inverted. By default Gauss-Newton, for the samples until
        the gradient is 1e-4 in standardised parameters.
    W_type, center_moments : as in `Problem.solve`, for the weighting matrix of a second step
    progress : bool, show a bar
    **solve_options : `sigma`, `pi`, `method` and others of `Problem.solve`

    Returns
    -------
    ResampledResults

    Raises
    ------
    ParameterError
        For micro moments, whose data are another sample.
    ConvergenceError
        When fewer than two samples could be estimated.

    Notes
    -----
    `results.resample(draws, seed, ...)` does the same from results at hand. Each sample is estimated in the steps of
    the full sample, from the full sample's estimates. W = (Z'Z/N)^-1 is the sample's, unless W was given to `solve`.
    Sample b uses the b-th stream spawned from `seed`, so that nothing depends on the order of the work;
    `joblib.parallel_config` says who does it, as for `BootstrappedResults`. Samples that fail are left out, counted and
    reported by one warning.

    Draw markets where the products of a market share shocks: intervals from products are too narrow then.

    Examples
    --------
    >>> from compecon.blp.examples import cereal_logit
    >>> problem = cereal_logit().problem
    >>> resampled = problem.bootstrap(draws=100, seed=0, method="1s")
    >>> resampled.standard_errors, resampled.n_failed
    (array([[0.87065]]), 0)
    """
    results = solve(
        problem, optimization=optimization or Optimization("gauss-newton"), iteration=iteration, W_type=W_type,
        center_moments=center_moments, **solve_options,
    )  # fmt: skip
    return replicate(results, draws, seed, resample, optimization, iteration, W_type, center_moments, progress)


def replicate(
    results, draws=200, seed=None, resample="markets", optimization=None, iteration=None, W_type="robust",
    center_moments=True, progress=False,
):  # fmt: skip
    """`bootstrap`, from results at hand."""
    draws = positive_integer(draws, "draws", least=2)
    one_of(resample, ("markets", "products"), "resample")
    if results.micro_moments:
        raise ParameterError("these results match micro data, of which samples of markets or products know nothing. "
                             "Use results.bootstrap(...), whose covariance matrix holds both.")  # fmt: skip
    iteration = iteration or Iteration("newton")
    check_kinds(results.problem, W_type, "robust", optimization or Optimization("gauss-newton"), iteration)
    first, default = results.last_results if results.step == 2 else results, _inverse(results.problem.linear_part.ZZ)
    given = None if first is None or np.allclose(first.W, default, rtol=1e-9, atol=0) else first.W
    objective = Objective(results.problem, results.parameters_, results.problem.linear_part, results.W, iteration)
    how = results.step, given, (W_type, center_moments), resample, optimization
    replication = Replication(objective, objective(results.theta), *how)
    if isinstance(seed, np.random.RandomState):
        seed = seed.randint(2**32, size=4, dtype=np.uint32)
    streams = np.random.default_rng(seed).spawn(draws)
    found = in_batches(lambda first, last: joblib.delayed(replication.of_each)(streams[first:last]), draws, progress)
    return _gather(results, resample, list(found))


@dataclass(frozen=True, eq=False)
class Replication:
    """How a sample is estimated: as the full sample was, and from what was found there."""

    objective: Objective  # the full sample's
    start: Evaluation  # its last
    steps: int
    W: np.ndarray | None  # of the first step, if it was given
    kinds: tuple  # W_type, center_moments
    resample: str
    optimization: Optimization | None

    def of_each(self, streams):
        """For each stream (theta, beta, delta), or a str that says why there is none."""
        return [self._try(stream) for stream in streams]

    def _try(self, stream):
        try:
            return self.estimate(self.weights(stream))
        except (CompEconError, np.linalg.LinAlgError) as error:
            return str(error).split(". ")[0]

    def weights(self, stream):
        """(N,) how often each row is drawn."""
        sizes = np.diff(self.objective.problem.sorted_products.starts)
        n = sizes.size if self.resample == "markets" else sizes.sum()
        counts = np.bincount(stream.integers(n, size=n), minlength=n).astype(np.float64)
        return np.repeat(counts, sizes) if self.resample == "markets" else counts

    def estimate(self, weights):
        """(theta, beta, delta) with rows that count `weights` : (N,) times."""
        problem, last = self.objective.problem, self.start
        part, full = problem.reweighted(weights), problem.linear_part
        _refuse_loss(part.ZZ, full.ZZ, "the instruments (Z'Z) are singular")
        for step in range(self.steps):
            W = self._updated(part, last) if step else _inverse(part.ZZ) if self.W is None else self.W
            _refuse_loss(part.A.T @ W @ part.A, full.A.T @ W @ full.A, "X1 on the instruments (X'ZWZ'X) is singular")
            search = Search(replace(self.objective, part=part, W=W), last)
            theta, converged, _ = self._search(search, last.theta)
            last = search(theta)
            if not last.inversion.converged.all():
                raise ConvergenceError("the inner fixed point failed in some market")
            if not converged:
                raise ConvergenceError("the search of theta did not converge")
        return last.theta, last.beta, last.inversion.delta

    def _search(self, search, theta):
        parameters = self.objective.parameters
        if self.optimization is None and theta.size:
            return minimize_squares(search, theta, _GTOL, lower=parameters.lower, upper=parameters.upper)
        optimization = self.optimization or Optimization("return")
        return optimization.search(search, theta, parameters.lower, parameters.upper)

    def _updated(self, part, last):
        """W = S^-1 at the first step's estimates."""
        problem, (kind, center) = self.objective.problem, self.kinds
        delta = problem.fixed_effects.residualize(last.inversion.delta[:, None], part.weights)[:, 0]
        xi = delta - np.sum(part.X1 * last.beta, axis=1)
        return _inverse(moment_covariances(xi, part, kind, problem.sorted_products.clustering_ids, center))


def _inverse(matrix):
    return invert(matrix, "a matrix of moments", "Drop collinear instruments.")


def _refuse_loss(matrix, full, what):
    """DataError where some direction has nearly no variation, compared with that in the full sample."""
    if scipy.linalg.eigh(matrix, full, eigvals_only=True)[0] < _LOST:
        raise DataError(what)


def _gather(results, resample, found):
    """The samples that could be estimated, and a warning of those that could not."""
    kept = [estimates for estimates in found if not isinstance(estimates, str)]
    failures = Counter(reason for reason in found if isinstance(reason, str))
    reasons = "; ".join(f"{count} times {reason}" for reason, count in failures.most_common())
    message = f"{len(found) - len(kept)} of {len(found)} samples could not be estimated ({reasons})"
    if len(kept) < 2:
        raise ConvergenceError(
            f"{message}. Try another optimization= or a looser gtol; where matrices are singular, drop instruments or "
            "effects that rest on a few rows."
        )
    if failures:
        warnings.warn(f"{message} and are left out.", CompEconWarning, stacklevel=4)
    theta, beta, delta = (np.array(parts) for parts in zip(*kept, strict=True))
    converged = np.array([not isinstance(estimates, str) for estimates in found])
    return ResampledResults(results, theta, beta[:, :, None], delta, resample, converged, dict(failures))


@dataclass(frozen=True, eq=False, repr=False)
class ResampledResults(BootstrappedResults):
    """Estimates from samples of the data; those that could not be estimated are left out.

    Everything that `BootstrappedResults` has, with the mean utilities that each sample's theta implies in the data.

    Attributes
    ----------
    mean_utilities : (draws, N), rows sorted by market
    resample : 'markets' | 'products'
    converged : (samples,) bool, which samples were estimated; `draws` counts these
    failures : dict, from a reason to the number of samples
    n_failed : int
    """

    mean_utilities: np.ndarray
    resample: str
    converged: np.ndarray
    failures: dict

    n_failed = property(lambda self: int((~self.converged).sum()))

    @property
    def bootstrapped_parameters(self):
        """(draws, P + K1) theta, then beta."""
        return np.hstack([self.bootstrapped_theta, self.bootstrapped_beta[:, :, 0]])

    @property
    def standard_errors(self):
        """(P + K1, 1) standard deviations over the draws, beside `ProblemResults.parameters`."""
        return self.bootstrapped_parameters.std(axis=0, ddof=1)[:, None]

    def intervals(self, level=0.95):
        """(P + K1, 2) percentile intervals of theta and beta: the (1 - level) / 2 quantiles from below and above.

        Examples
        --------
        >>> from compecon.blp.examples import cereal_logit
        >>> cereal_logit().resample(draws=100, seed=0).intervals(0.9).round(1)
        array([[-31.7, -29. ]])
        """
        tail = (1 - share(level, "level")) / 2
        return np.quantile(self.bootstrapped_parameters, [tail, 1 - tail], axis=0).T

    def _delta(self, d):
        return self.mean_utilities[d]

    def _batch(self, first, last):
        return replace(super()._batch(first, last), mean_utilities=self.mean_utilities[first:last])

    def _tables(self):
        results, names = self.problem_results, ("Bootstrap\nDraws", "Draws\nFailed", "Units\nDrawn")
        facts = dict(zip(names, (self.converged.size, self.n_failed, self.resample), strict=True))
        columns = np.hstack([results.parameters, self.standard_errors, self.intervals()])
        labels = [*results.theta_labels, *results.beta_labels]
        rows = tuple((label, *row) for label, row in zip(labels, columns.tolist(), strict=True))
        header = ("Parameter:", "Estimate", "Bootstrap\nSE", "Lower\n2.5%", "Upper\n97.5%")
        return (
            tables.summary_table("Bootstrapped Results Summary", facts),
            tables.Table("Bootstrapped Estimates (Percentile Intervals)", header, rows, labels=(0,)),
        )
