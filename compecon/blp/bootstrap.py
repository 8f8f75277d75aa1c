"""The parametric bootstrap: parameters drawn from their estimated distribution, and every answer at each draw."""

import itertools
from dataclasses import dataclass, replace

import joblib
import numpy as np
from tqdm import tqdm

from compecon._options import positive_integer
from compecon.blp import tables
from compecon.blp.demand_system import Demand
from compecon.blp.markets import Markets
from compecon.blp.post_estimation import PostEstimation
from compecon.blp.printed import Printed
from compecon.errors import DataError

# Tasks that each worker gets before results are handed on, and the most draws that one task computes.
_TASKS, _LARGEST_TASK = 4, 64


def in_batches(task, n, progress=False):
    """What n draws give, in order, worked on where `joblib.parallel_config` says.

    task(first, last) is a `joblib.delayed` call, whose result is the list of draws first..last - 1. No draw may depend
    on another; then nothing depends on how they are batched.
    """
    workers = joblib.effective_n_jobs(None)
    size = 1 if workers == 1 else min(_LARGEST_TASK, -(-n // (_TASKS * workers)))
    tasks = (task(first, min(first + size, n)) for first in range(0, n, size))
    alone = (function(*args, **options) for function, args, options in tasks)
    with tqdm(total=n, disable=not progress) as bar:
        for values in alone if workers == 1 else _in_parallel(tasks, _TASKS * workers):
            yield from values
            bar.update(len(values))


def _in_parallel(tasks, at_once):
    # Rounds, because not all backends can hand on results one by one. Arguments as arrays in memory, because kernels
    # would be compiled once more for the read-only ones that joblib maps from files.
    with joblib.Parallel(prefer="threads", max_nbytes=None) as parallel:
        while batch := list(itertools.islice(tasks, at_once)):
            yield from parallel(batch)


class BootstrapMethods:
    """Methods of results that draw samples; they need what `ProblemResults` has."""

    def bootstrap(self, draws=1000, seed=None):
        """The parametric bootstrap: (theta, beta) ~ N(estimates, V / N), drawn `draws` times.

            delta_d = delta + X1 (beta_d - beta),    s_d = s(delta_d, theta_d),    prices as observed

        Parameters
        ----------
        draws : int
        seed : int, numpy RandomState or Generator, optional
            An int gives the draws that pyblp makes of it.

        Returns
        -------
        BootstrappedResults

        Raises
        ------
        DataError
            When the covariance matrix of the estimates is not finite.

        Notes
        -----
        Draws stop at the bounds of sigma and pi. `joblib.parallel_config` says where they are worked on: see
        `BootstrappedResults`. The ordinary bootstrap is `resample`.

        Examples
        --------
        >>> from compecon.blp.examples import cereal_logit
        >>> results = cereal_logit()
        >>> results.bootstrap(draws=500, seed=0).bootstrapped_beta.std(axis=0), results.beta_se
        (array([[1.01678]]), array([[1.01866]]))
        """
        draws, V = positive_integer(draws, "draws"), self.parameter_covariances
        if not np.isfinite(V).all():
            raise DataError("the covariance matrix of the estimates is not finite: some parameter is not identified. "
                            "Fix some of sigma and pi at zero, or add instruments.")  # fmt: skip
        given = isinstance(seed, (np.random.RandomState, np.random.Generator))
        state = seed if given else np.random.RandomState(seed)
        drawn = state.multivariate_normal(self.parameters[:, 0], V / self.problem.N, draws)
        theta, beta = np.split(drawn, [self.theta.size], axis=1)
        theta = np.clip(theta, self.parameters_.lower, self.parameters_.upper)
        return BootstrappedResults(self, theta, beta[:, :, None])

    def resample(self, draws=200, seed=None, resample="markets", **options):
        """The ordinary bootstrap: estimate again on samples drawn from the data.

        Parameters, result and method are those of `Problem.bootstrap`, which solves first.

        Examples
        --------
        >>> from compecon.blp.examples import cereal_logit
        >>> cereal_logit().resample(draws=100, seed=0).n_failed
        0
        """
        from compecon.blp.resampling import replicate

        return replicate(self, draws, seed, resample, **options)


@dataclass(frozen=True, eq=False, repr=False)
class BootstrappedResults(Printed, PostEstimation):
    """Estimates drawn `draws` times; all `compute_*` of `ProblemResults`, with a leading axis of draws.

    Attributes
    ----------
    problem_results : ProblemResults, whose estimates these vary
    bootstrapped_theta : (draws, P)
    bootstrapped_sigma, bootstrapped_pi, bootstrapped_beta : (draws, K2, K2), (draws, K2, D), (draws, K1, 1)
    bootstrapped_delta, bootstrapped_shares : (draws, N, 1), computed when asked for
    bootstrapped_prices : (draws, N, 1), the observed ones, in memory once and read-only

    Notes
    -----
    Only parameters are kept. What a method returns is computed draw by draw, so that thousands of draws fit in memory
    where each returns little: with `market_id`, by `compute_mean_own_elasticities`, or by `apply`.

    Draws are worked on one after another, unless joblib is told otherwise: `with joblib.parallel_config(n_jobs=4)`
    takes threads, `backend="loky"` processes, `backend="dask"` the workers of a cluster. The numbers are bitwise the
    same.

    Examples
    --------
    >>> import joblib
    >>> from compecon.blp.examples import cereal_results
    >>> bootstrapped = cereal_results().bootstrap(draws=5, seed=0)
    >>> bootstrapped.compute_costs().shape
    (5, 2256, 1)
    >>> with joblib.parallel_config(n_jobs=2):
    ...     bootstrapped.apply(lambda draw: draw.compute_markups().mean()).tolist()
    [0.4087, 0.3594, 0.3999, 0.3811, 0.3565]
    """

    problem_results: object
    bootstrapped_theta: np.ndarray
    bootstrapped_beta: np.ndarray

    _stacked = True

    problem = property(lambda self: self.problem_results.problem)
    draws = property(lambda self: len(self.bootstrapped_theta))

    @property
    def bootstrapped_sigma(self):
        """(draws, K2, K2)"""
        return np.array([self.problem_results.parameters_.split(theta)[0] for theta in self.bootstrapped_theta])

    @property
    def bootstrapped_pi(self):
        """(draws, K2, D)"""
        return np.array([self.problem_results.parameters_.split(theta)[1] for theta in self.bootstrapped_theta])

    @property
    def bootstrapped_delta(self):
        """(draws, N, 1) mean utilities, rows as in product_data."""
        return np.array([self.problem.to_file_order(self._delta(d)) for d in range(self.draws)])[:, :, None]

    @property
    def bootstrapped_shares(self):
        """(draws, N, 1) shares at each draw's parameters, rows as in product_data."""
        return self.compute_shares()

    @property
    def bootstrapped_prices(self):
        """(draws, N, 1) observed prices, rows as in product_data; a read-only view of one copy."""
        prices = self.problem.to_file_order(self.problem.sorted_products.prices)
        return np.broadcast_to(prices[:, None], (self.draws, prices.size, 1))

    def demand(self, d):
        """The demand system of draw `d`."""
        problem, beta = self.problem, self.bootstrapped_beta[d, :, 0]
        sigma, pi = self.problem_results.parameters_.split(self.bootstrapped_theta[d])
        return Demand(problem, sigma, pi, beta, self._delta(d), problem.sorted_products.prices)

    def draw(self, d):
        """Draw `d` by itself, with all `compute_*` in the shapes of a point estimate."""
        return Draw(self.problem, self.demand(d))

    def apply(self, function):
        """function(draw) for each draw, stacked; nothing else is kept.

        Parameters
        ----------
        function : takes what `draw` returns, and returns a number or an array, of one shape for all draws

        Returns
        -------
        (draws, ...) float

        Notes
        -----
        A quantity that is not defined is NaN for that draw and market, as in other methods, and warnings count them.

        Examples
        --------
        >>> from compecon.blp.examples import cereal_logit
        >>> bootstrapped = cereal_logit().bootstrap(draws=500, seed=0)
        >>> means = bootstrapped.apply(lambda draw: draw.extract_diagonal_means(draw.compute_elasticities()))
        >>> means.shape
        (500, 94, 1)
        """

        def one(_, demand):
            draw = Draw(demand.problem, demand, [])
            return np.asarray(function(draw), dtype=np.float64), draw.log

        values, logs = zip(*self._map_draws(one), strict=True)
        self._report_logs(logs)
        return np.array(values)

    def _report_logs(self, logs):
        # The k-th question of one draw is the k-th of all, unless `function` asks differently in each.
        asked = {}
        for log in logs:
            for k, (market_id, failed) in enumerate(log):
                asked.setdefault((k, market_id), []).append(failed)
        for (_, market_id), failures in asked.items():
            self._report(failures, Markets(self.problem, market_id))

    def _delta(self, d):
        """(N,) sorted mean utilities of draw `d`."""
        results = self.problem_results
        change = self.bootstrapped_beta[d, :, 0] - results.beta[:, 0]
        # Not a matrix product: BLAS may sum in another order where it has another number of threads.
        moved = np.sum(self.problem.sorted_products.X1 * change, axis=1)
        return self.problem.to_market_order(results.delta)[:, 0] + moved

    def _demands(self):
        return map(self.demand, range(self.draws))

    def _map_draws(self, function):
        def task(first, last):
            return joblib.delayed(_map)(function, self._batch(first, last), first)

        return in_batches(task, self.draws)

    def _batch(self, first, last):
        """Draws first..last - 1 by themselves: what a worker needs."""
        theta, beta = self.bootstrapped_theta[first:last], self.bootstrapped_beta[first:last]
        return replace(self, bootstrapped_theta=theta, bootstrapped_beta=beta)

    def _tables(self):
        return (tables.summary_table("Bootstrapped Results Summary", {"Bootstrap\nDraws": self.draws}),)


@dataclass(frozen=True, eq=False)
class Draw(PostEstimation):
    """One draw. With a `log`, what is not defined is NaN and noted there; without, it raises."""

    problem: object
    system: Demand
    log: list | None = None

    def _demands(self):
        return [self.system]

    def _report(self, failures, markets):
        if self.log is None:
            super()._report(failures, markets)
        else:
            self.log.append((None if markets.ids.size == self.problem.T else markets.ids[0], failures[0]))


def _map(function, bootstrapped, first):
    return [function(first + d, bootstrapped.demand(d)) for d in range(bootstrapped.draws)]
