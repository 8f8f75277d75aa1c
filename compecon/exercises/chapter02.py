"""Exercises of chapter 2: large samples."""

from functools import cache

import numpy as np
from scipy import optimize, stats

from compecon import datasets
from compecon.exercises.exercise import Exercise, Mistake

_ALL = tuple(range(1, 9))


@cache
def _counts(groups):
    """(months, replacements) of some groups."""
    panel = datasets.load_bus_panel()
    panel = panel[panel["group"].isin(groups)]
    return len(panel), int(panel["replaced"].sum())


def _hazard(groups):
    """(hazard, its standard error) of some groups."""
    months, replacements = _counts(groups)
    p = replacements / months
    return p, np.sqrt(p * (1 - p) / months)


def _life_error(groups=_ALL):
    p, error = _hazard(groups)
    return error / p**2


def _ends(groups=(3,), level=0.95, factor=2.0):
    """The interval of hazards at which `factor` times the log-likelihood lacks at most the quantile of chi-squared."""
    months, replacements = _counts(groups)
    most = replacements / months

    def excess(p):
        lost = replacements * np.log(most / p) + (months - replacements) * np.log((1 - most) / (1 - p))
        return factor * lost - stats.chi2.ppf(level, 1)

    return np.array([optimize.brentq(excess, 1e-9, most, xtol=1e-14), optimize.brentq(excess, most, 0.9, xtol=1e-14)])


def _wald_ends():
    p, error = _hazard((3,))
    return p + np.array([-1, 1]) * stats.norm.ppf(0.975) * error


# 2.4: coverage


def coverage(estimates, errors, truth):
    """The solution of exercise 2.4."""
    holds = np.abs(estimates - truth) <= stats.norm.ppf(0.975) * errors
    share = holds.mean()
    return share, np.sqrt(share * (1 - share) / holds.size)


def _draw_estimates(rng):
    truth, errors = float(rng.normal(2, 1)), rng.uniform(0.5, 2, 300)
    # Errors that are too small, so that misses on both sides are many.
    return truth + 1.5 * errors * rng.normal(size=300), errors, truth


def _with_share(holds):
    share = np.mean(holds)
    return share, np.sqrt(share * (1 - share) / np.size(holds))


# 2.5: a ratio


def ratio_error(a, b, V):
    """The solution of exercise 2.5."""
    jacobian = np.array([1 / b, -a / b**2])
    return np.sqrt(jacobian @ V @ jacobian)


def _draw_ratio(rng):
    errors, correlation = rng.uniform(0.1, 0.5, 2), rng.uniform(0.5, 0.9)
    V = np.outer(errors, errors) * np.array([[1, correlation], [correlation, 1]])
    return float(rng.uniform(1, 3)), float(-rng.uniform(1.5, 3)), V


EXERCISES = (
    Exercise(
        "2.1",
        "predict",
        lambda: "below",
        options={
            "below": "Right. It holds the truth in 63% of samples: more than a third hold no event at all, and their "
            "interval is the single point 0.",
            "about": "1.96 comes from a normal limit. What is the estimate, and what its standard error, in a sample "
            "of ten zeros? How many samples are like that?",
            "above": "Intervals that are too wide would be. Here a sample with few events has a small estimate, and "
            "with it a small standard error.",
        },
    ),
    Exercise(
        "2.2",
        "compute",
        lambda: 0.95 * 0.05 / 0.001**2,
        (
            Mistake("Square the standard error: R = c (1 - c) / 0.001^2.", lambda: 0.95 * 0.05 / 0.001),
            Mistake("That is the root of c (1 - c) over 0.001. R is its square.", lambda: np.sqrt(0.95 * 0.05) / 0.001),
            Mistake("The variance of a zero or one is c (1 - c), not c.", lambda: 0.95 / 0.001**2),
            Mistake(
                "That is for the worst case, a share of one half. Here it is near 95%.",
                lambda: 0.25 / 0.001**2,
            ),
            Mistake(
                "That is for 1.96 standard errors of 0.001. The question is about one.",
                lambda: stats.norm.ppf(0.975) ** 2 * 0.95 * 0.05 / 0.001**2,
            ),
        ),
    ),
    Exercise(
        "2.3",
        "compute",
        _life_error,
        (
            Mistake("That is the standard error of the hazard. Multiply by |d(1/p)/dp|.", lambda: _hazard(_ALL)[1]),
            Mistake(
                "The standard error of an inverse is not the inverse of the standard error.",
                lambda: 1 / _hazard(_ALL)[1],
            ),
            Mistake(
                "That is the relative error: you divided by p once. The derivative of 1/p is -1/p^2.",
                lambda: _life_error() * _hazard(_ALL)[0],
            ),
            Mistake("That is the variance. Take the square root.", lambda: _life_error() ** 2),
            Mistake(
                "The number of months is missing: the variance of the hazard is p (1 - p) / M.",
                lambda: _life_error() * np.sqrt(_counts(_ALL)[0]),
            ),
            Mistake(
                "You multiplied by p^2. The derivative of 1/p is -1/p^2: divide.",
                lambda: _hazard(_ALL)[0] ** 2 * _hazard(_ALL)[1],
            ),
            Mistake("That is of group 4. The question is about all buses.", lambda: _life_error((4,))),
        ),
    ),
    Exercise(
        "2.4",
        "implement",
        coverage,
        (
            Mistake(
                "Your interval is open on one side: take the absolute value of estimate - truth.",
                lambda e, s, truth: _with_share(e - truth <= stats.norm.ppf(0.975) * s),
            ),
            Mistake(
                "1.645 leaves 5% on each side. A 95% interval leaves 2.5%: the quantile of 0.975.",
                lambda e, s, truth: _with_share(np.abs(e - truth) <= stats.norm.ppf(0.95) * s),
            ),
            Mistake(
                "Those are the intervals that miss. Coverage counts those that hold the truth.",
                lambda e, s, truth: (1 - coverage(e, s, truth)[0], coverage(e, s, truth)[1]),
            ),
            Mistake(
                "The second number is a variance. Take the square root.",
                lambda e, s, truth: (coverage(e, s, truth)[0], coverage(e, s, truth)[1] ** 2),
            ),
            Mistake(
                "The second number is the spread of one zero or one. Divide by the root of the number of samples.",
                lambda e, s, truth: (coverage(e, s, truth)[0], coverage(e, s, truth)[1] * np.sqrt(e.size)),
            ),
            Mistake(
                "The second number takes the share for 0.95. Take the share that you found.",
                lambda e, s, truth: (coverage(e, s, truth)[0], np.sqrt(0.95 * 0.05 / e.size)),
            ),
            Mistake(
                "The second number is the error of the mean estimate. The share has its own: sqrt(c (1 - c) / R).",
                lambda e, s, truth: (coverage(e, s, truth)[0], e.std() / np.sqrt(e.size)),
            ),
        ),
        draw=_draw_estimates,
    ),
    Exercise(
        "2.5",
        "implement",
        ratio_error,
        (
            Mistake(
                "The covariance is still missing: J V J' has a cross term, -2 a V[0, 1] / b^3.",
                lambda a, b, V: ratio_error(a, b, np.diag(np.diag(V))),
            ),
            Mistake(
                "The sign of the cross term is wrong: a/b falls where b rises (for a, b > 0), so its derivative is "
                "-a / b^2.",
                lambda a, b, V: ratio_error(-a, b, V),
            ),
            Mistake(
                "The derivative of a / b with respect to b is -a / b^2, not -a / b.",
                lambda a, b, V: np.sqrt(np.array([1 / b, -a / b]) @ V @ np.array([1 / b, -a / b])),
            ),
            Mistake("That is the variance. Take the square root.", lambda a, b, V: ratio_error(a, b, V) ** 2),
            Mistake(
                "The cross term stands once in your sum. It comes twice: from V[0, 1] and from V[1, 0].",
                lambda a, b, V: ratio_error(a, b, (V + np.diag(np.diag(V))) / 2),
            ),
        ),
        draw=_draw_ratio,
    ),
    Exercise(
        "2.6",
        "compute",
        _ends,
        (
            Mistake(
                "The factor 2 is missing: 2 (l(max) - l(p)) is what is compared with 3.84.",
                lambda: _ends(factor=1.0),
            ),
            Mistake("That is the 90% interval. The 95% quantile of chi-squared is 3.84.", lambda: _ends(level=0.9)),
            Mistake("That is the Wald interval. Look where the log-likelihood is 1.92 below its top.", _wald_ends),
            Mistake("Those are the ends for group 4. The question is about group 3.", lambda: _ends((4,))),
            Mistake("Those are lives. Give the two hazards.", lambda: 1 / _ends()),
            Mistake("The lower end comes first.", lambda: _ends()[::-1]),
        ),
    ),
    Exercise(
        "2.7",
        "predict",
        lambda: "quarter",
        options={
            "quarter": "Right. The gap between theta and the largest observation is about theta / N: the error shrinks "
            "with 1 / N, faster than any theorem of this chapter allows. The support depends on theta, so (g) fails.",
            "half": "That is the rate of the theorem, 1 / sqrt(N). Does (g) hold, where the support depends on theta?",
            "same": "The largest of more observations is nearer to theta. How far is it from it, on average?",
        },
    ),
)
