"""The same estimation from several starting values, because the objective can have several minima."""

import warnings
from dataclasses import dataclass

import numpy as np

from compecon._options import positive, positive_integer
from compecon.blp.parameters import build_parameters
from compecon.blp.printed import Printed
from compecon.blp.results import ProblemResults
from compecon.blp.solve import solve
from compecon.blp.tables import Table
from compecon.errors import ConvergenceError, ConvergenceWarning, DataError, ParameterError


@dataclass(frozen=True, eq=False, repr=False)
class MultistartResults(Printed):
    """Runs of one estimation from several starting values.

    Attributes
    ----------
    best : ProblemResults
        Of the least objective among the runs that converged, or of all when none did; of the first where several agree.
    starts : (S, P) starting values of theta
    runs : tuple of S ProblemResults, or the errors raised in their place
    messages : tuple of S tuples of str, what each run warned of
    objective, converged : (S,) float and bool; an error has NaN and False
    distance : (S,) float
        Largest difference to the best theta, in standard errors; a column of Sigma that has the other sign is the same.
    """

    best: ProblemResults
    starts: np.ndarray
    runs: tuple
    messages: tuple

    objective = property(lambda self: np.array([getattr(run, "objective", np.nan) for run in self.runs]))
    converged = property(lambda self: np.array([getattr(run, "converged", False) for run in self.runs]))
    distance = property(lambda self: np.array([_distance(self.best, run) for run in self.runs]))

    def table(self):
        """A Table with a row for each run."""
        names = [f"{s + 1}{' (best)' * (run is self.best)}" for s, run in enumerate(self.runs)]
        numbers = (column.tolist() for column in (self.objective, self.converged, self.distance))
        header = ("Start:", "Objective\nValue", "Converged", "Distance\nin SEs", "Warnings")
        rows = zip(names, *numbers, map(len, self.messages), strict=True)
        return Table("Multistart", header, tuple(rows), labels=(0,))


def multistart(
    problem, sigma, pi=None, *, starts=10, seed=0, scale=0.5, sigma_bounds=None, pi_bounds=None, **solve_options
):
    """Estimate from several starting values, and keep the best run.

    The first run starts at theta, the values in sigma and pi; the others at theta (1 + scale nu), nu ~ N(0, I), or
    halfway between theta and a bound where that lies beyond it.

    Parameters
    ----------
    sigma, pi, sigma_bounds, pi_bounds, **solve_options : as in `Problem.solve`
    starts : int, S
    seed : int or numpy Generator
    scale : float, above 0

    Returns
    -------
    MultistartResults

    Raises
    ------
    ParameterError
        When nothing is to be searched, or an option is outside its domain.
    DataError, ConvergenceError
        When every run raises one; the first is raised.

    Notes
    -----
    Warnings are those of the best run, and one that counts the runs which did not converge; `messages` has them all.
    With method='2s' runs that part in the first step have different W: compare their objectives with method='1s'.

    Examples
    --------
    >>> from compecon.blp.examples import PI, SIGMA, cereal_problem
    >>> cereal_problem().multistart(SIGMA, PI, starts=3, method="1s").objective
    array([4.561514, 4.561514, 4.561514])
    """
    bounds = {"sigma_bounds": sigma_bounds, "pi_bounds": pi_bounds}
    parameters = build_parameters(problem, sigma, pi, **bounds)
    if parameters.theta.size == 0:
        raise ParameterError("sigma and pi have nothing to search (all is zero, fixed or missing). Use problem.solve.")
    drawn = _draw(parameters, positive_integer(starts, "starts"), positive(scale, "scale"), np.random.default_rng(seed))
    tried = [_run(problem, parameters.split(theta), bounds | solve_options) for theta in drawn]
    runs, said = zip(*tried, strict=True)
    finished = [run for run in runs if isinstance(run, ProblemResults)]
    if not finished:
        raise runs[0]
    # The objective is a chi-squared statistic: differences below 1e-8 mean nothing.
    best = min(finished, key=lambda run: (not run.converged, round(run.objective, 8)))
    found = MultistartResults(best, drawn, runs, tuple(tuple(map(str, heard)) for heard in said))
    for warning in said[runs.index(best)]:
        warnings.warn(warning, stacklevel=2)
    if not found.converged.all():
        count = f"{np.sum(~found.converged)} of {len(runs)} starts did not converge"
        warnings.warn(f"{count}: the table tells which, `messages` why.", ConvergenceWarning, stacklevel=2)
    return found


def _draw(parameters, starts, scale, rng):
    """(S, P) starting values within the bounds; the first are the caller's."""
    theta, lower, upper = parameters.theta, parameters.lower, parameters.upper
    drawn = theta * (1 + scale * np.vstack([np.zeros(theta.size), rng.normal(size=(starts - 1, theta.size))]))
    drawn = np.where(drawn < lower, (theta + lower) / 2, drawn)
    return np.where(drawn > upper, (theta + upper) / 2, drawn)


def _run(problem, start, options):
    """Results, or the error in their place; and what was said: warnings, or the error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            return solve(problem, *start, **options), [one.message for one in caught]
        except (DataError, ConvergenceError) as error:
            return error, [error]


def _distance(best, run):
    if not isinstance(run, ProblemResults):
        return np.nan
    errors = np.hstack([best.sigma_se, best.pi_se])
    signs = np.where(np.sum(run.sigma * best.sigma, axis=0) < 0, -1, 1)
    apart = np.hstack([run.sigma * signs - best.sigma, run.pi - best.pi])
    return float(np.max(np.abs(apart) / np.where(errors > 0, errors, 1.0)))
