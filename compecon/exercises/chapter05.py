"""Exercises of chapter 5: testing."""

import numpy as np
from scipy import stats

from compecon.exercises.exercise import Exercise, Mistake

# 5.2: three statistics of Poisson counts

N, MEAN, NULL = 50, 2.4, 2.0


def _statistics():
    lr = 2 * N * (MEAN * np.log(MEAN / NULL) - (MEAN - NULL))
    return np.array([lr, N * (MEAN - NULL) ** 2 / MEAN, N * (MEAN - NULL) ** 2 / NULL])


# 5.3: Wald


def wald(theta, cov, R, r):
    """The solution of exercise 5.3."""
    gap = R @ theta - r
    return gap @ np.linalg.solve(R @ cov @ R.T, gap)


def _draw_wald(rng):
    root = rng.normal(0, 1, (4, 4))
    return rng.normal(0, 1, 4), root @ root.T + np.eye(4), rng.normal(0, 1, (2, 4)), rng.normal(0, 1, 2)


def _without_inverse(theta, cov, R, r):
    gap = R @ theta - r
    return gap @ R @ cov @ R.T @ gap


def _one_at_a_time(theta, cov, R, r):
    return np.sum((R @ theta - r) ** 2 / np.diag(R @ cov @ R.T))


# 5.4: the p-value of a likelihood ratio


def lr_pvalue(llf_r, llf_u, k_r, k_u):
    """The solution of exercise 5.4."""
    return stats.chi2.sf(2 * (llf_u - llf_r), k_u - k_r)


def _draw_likelihoods(rng):
    llf_r, k_r = -100 * rng.uniform(1, 2), int(rng.integers(1, 4))
    return llf_r, llf_r + rng.uniform(1, 5), k_r, k_r + int(rng.integers(2, 5))


# 5.5: a likelihood ratio in a model whose counts vary too much

DISPERSION = 2.0


# 5.6: the p-value of a bootstrap


def bootstrap_pvalue(statistic, draws):
    """The solution of exercise 5.6."""
    return (1 + np.sum(draws >= statistic)) / (len(draws) + 1)


def _draw_bootstrap(rng):
    draws = rng.integers(0, 12, int(rng.integers(40, 99))) / 4
    return float(rng.choice(draws)), draws


EXERCISES = (
    Exercise(
        "5.1",
        "predict",
        lambda: "wald in m",
        options={
            "wald in m": "Right. Wald's interval is symmetric around 0.2 with a half-width of 1.96 standard errors, "
            "0.39. It does not know where the parameter ends.",
            "wald in log m": "Its ends are exponentials, and so positive: it is symmetric in log m, not in m.",
            "lr": "The log-likelihood log m - 5 m falls without bound as m goes to zero. LR rejects every null that is "
            "near enough to zero.",
        },
    ),
    Exercise(
        "5.2",
        "compute",
        _statistics,
        (
            Mistake("Wald and LM are swapped: Wald takes the information at the estimate, 1 / 2.4, LM at the null.",
                    lambda: _statistics()[[0, 2, 1]]),
            Mistake("The order is LR, Wald, LM.", lambda: _statistics()[[1, 0, 2]]),
            Mistake("The factor 2 of LR is missing.", lambda: _statistics() / [2, 1, 1]),
            Mistake("Those are for one observation. Log-likelihood and information add up over 50.",
                    lambda: _statistics() / N),
            Mistake(
                "You multiply by the variance in Wald and LM, and should divide: the information of a Poisson is 1/m.",
                lambda: _statistics() * [1, MEAN**2, NULL**2],
            ),
            Mistake("Wald and LM are squares here: those are their roots.", lambda: _statistics() ** [1, 0.5, 0.5]),
        ),
    ),
    Exercise(
        "5.3",
        "implement",
        wald,
        (
            Mistake("You multiply by the covariance of R theta. Divide by it: solve.", _without_inverse),
            Mistake(
                "You test the restrictions one at a time and add up. Their estimates are correlated: take the whole "
                "matrix R cov R'.",
                _one_at_a_time,
            ),
            Mistake("You test R theta = 0. Subtract r.", lambda t, c, R, r: wald(t, c, R, 0 * r)),
            Mistake("That is the root of the statistic. Wald is the squared distance.",
                    lambda t, c, R, r: np.sqrt(wald(t, c, R, r))),
            Mistake("That is a p-value. Return the statistic.",
                    lambda t, c, R, r: stats.chi2.sf(wald(t, c, R, r), len(r))),
            Mistake("The covariance is missing: a distance counts in standard errors.",
                    lambda t, c, R, r: (R @ t - r) @ (R @ t - r)),
            Mistake(
                "You put the information where the covariance belongs.",
                lambda t, c, R, r: wald(t, np.linalg.inv(c), R, r),
            ),
        ),
        draw=_draw_wald,
    ),
    Exercise(
        "5.4",
        "implement",
        lr_pvalue,
        (
            Mistake(
                "Still the number of parameters. Degrees of freedom count restrictions, k_u - k_r.",
                lambda a, b, p, q: stats.chi2.sf(2 * (b - a), q),
            ),
            Mistake("The factor 2 of LR is missing.", lambda a, b, p, q: stats.chi2.sf(b - a, q - p)),
            Mistake("k_r counts the parameters that are left. Degrees of freedom count restrictions, k_u - k_r.",
                    lambda a, b, p, q: stats.chi2.sf(2 * (b - a), p)),
            Mistake("The sign: the unrestricted maximum is the higher one, so LR is 2 (llf_u - llf_r).",
                    lambda a, b, p, q: stats.chi2.sf(2 * (a - b), q - p)),
            Mistake("That is one minus the p-value.", lambda a, b, p, q: stats.chi2.cdf(2 * (b - a), q - p)),
            Mistake("One degree of freedom is for one restriction only.",
                    lambda a, b, p, q: stats.chi2.sf(2 * (b - a), 1)),
        ),
        draw=_draw_likelihoods,
    ),
    Exercise(
        "5.5",
        "compute",
        lambda: stats.chi2.sf(stats.chi2.ppf(0.95, 1) / DISPERSION, 1),
        (
            Mistake(
                "The wrong way round: LR is twice a chi-squared, so it passes 3.84 whenever the chi-squared passes "
                "half of that.",
                lambda: stats.chi2.sf(stats.chi2.ppf(0.95, 1) * DISPERSION, 1),
            ),
            Mistake("You divide by the root of the dispersion. LR is a square, so it is multiplied by all of it.",
                    lambda: stats.chi2.sf(stats.chi2.ppf(0.95, 1) / np.sqrt(DISPERSION), 1)),
            Mistake("That is how often it does not reject.",
                    lambda: stats.chi2.cdf(stats.chi2.ppf(0.95, 1) / DISPERSION, 1)),
            Mistake("Twice 5%? Tails are not proportional. Use the distribution.", lambda: 0.05 * DISPERSION),
        ),
    ),
    Exercise(
        "5.6",
        "implement",
        bootstrap_pvalue,
        (
            Mistake("Draws equal to the statistic count too: they are at least as large.",
                    lambda s, d: (1 + np.sum(d > s)) / (len(d) + 1)),
            Mistake(
                "The sample itself is one more draw under the null: add 1 above and below. A p-value of 0 is "
                "impossible.",
                lambda s, d: np.mean(d >= s),
            ),
            Mistake("You count the draws below the statistic. Large values speak against the model.",
                    lambda s, d: (1 + np.sum(d <= s)) / (len(d) + 1)),
            Mistake("Add 1 above too: the sample's own statistic is as large as itself.",
                    lambda s, d: np.sum(d >= s) / (len(d) + 1)),
            Mistake("That is a number of draws. A p-value is a share.", lambda s, d: np.sum(d >= s)),
            Mistake("Add 1 below too: there are B + 1 statistics with the sample's own.",
                    lambda s, d: (1 + np.sum(d >= s)) / len(d)),
        ),
        draw=_draw_bootstrap,
    ),
)
