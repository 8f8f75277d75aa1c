"""Exercises of chapter 3: the information matrix equality."""

import numpy as np
from scipy import stats

from compecon.exercises.exercise import Exercise, Mistake

# 3.2: the coverage of an interval with a wrong standard error. Limits for sigma = 1, times the root of n.

KURTOSIS = 6.0
_OPG, _HESSIAN, _SANDWICH = 1 / np.sqrt(KURTOSIS - 1), np.sqrt(1 / 2), np.sqrt(KURTOSIS - 1) / 2


def _coverage(ratio):
    """How often an interval holds the truth whose half-width is `ratio` times the right one."""
    return 2 * stats.norm.cdf(stats.norm.ppf(0.975) * ratio) - 1


# 3.3: the sandwich


def sandwich(scores, hessian, weights):
    """The solution of exercise 3.3."""
    meat = (scores * weights[:, None]).T @ scores
    bread = np.linalg.inv(np.tensordot(weights, hessian, axes=1))
    return bread @ meat @ bread


def _draw_sandwich(rng):
    root = rng.normal(0, 1, (30, 2, 2))
    hessian = -(root @ root.transpose(0, 2, 1)) - 0.1 * np.eye(2)
    return rng.normal(0.2, 1, (30, 2)) * [1.0, 3.0], hessian, rng.integers(1, 9, 30).astype(float)


def _inside_out(scores, hessian, weights):
    bread = np.linalg.inv((scores * weights[:, None]).T @ scores)
    return -bread @ np.tensordot(weights, hessian, axes=1) @ bread


def _one_slice(scores, hessian, weights):
    return sandwich(scores, hessian, weights) @ np.tensordot(weights, hessian, axes=1)


def _weights_squared(scores, hessian, weights):
    return sandwich(scores * np.sqrt(weights)[:, None], hessian, weights)


def _entry_by_entry(scores, hessian, weights):
    bread = np.linalg.inv(np.tensordot(weights, hessian, axes=1))
    return bread * ((scores * weights[:, None]).T @ scores) * bread


# 3.4: clusters


def clustered(scores, hessian, clusters):
    """The solution of exercise 3.4."""
    sums = np.array([scores[clusters == g].sum(axis=0) for g in np.unique(clusters)])
    bread = np.linalg.inv(hessian)
    return bread @ (sums.T @ sums) @ bread


def _draw_clusters(rng):
    root = rng.normal(0, 1, (3, 3))
    return rng.normal(0, 1, (40, 3)), -(root @ root.T) - np.eye(3), rng.integers(0, 8, 40)


def _square_of_means(scores, hessian, clusters):
    means = np.array([scores[clusters == g].mean(axis=0) for g in np.unique(clusters)])
    bread = np.linalg.inv(hessian)
    return bread @ (means.T @ means) @ bread


# 3.5: three informations of the Cauchy model


def informations(y, theta):
    """The solution of exercise 3.5."""
    u = y - theta
    scores, second = 2 * u / (1 + u**2), 2 * (u**2 - 1) / (1 + u**2) ** 2
    return np.array([scores @ scores, -second.sum(), y.size / 2])


def _draw_cauchy(rng):
    return rng.standard_cauchy(rng.integers(10, 40)), rng.normal()


def _square_of_the_sum(y, theta):
    u = y - theta
    return np.array([(2 * u / (1 + u**2)).sum() ** 2, *informations(y, theta)[1:]])


EXERCISES = (
    Exercise(
        "3.1",
        "predict",
        lambda: "opg",
        options={
            "opg": "Right. With little kurtosis scores of sigma vary less than the model expects. Their outer product "
            "is small, and its inverse large.",
            "hessian": "The Hessian does not notice kurtosis: at the maximum it is 2n / sigma^2 whatever the shape of "
            "the outcomes.",
            "sandwich": "The sandwich has the outer product in its middle, not in its inverse. Scores that vary little "
            "make it small.",
        },
    ),
    Exercise(
        "3.2",
        "compute",
        lambda: _coverage(_HESSIAN / _SANDWICH),
        (
            Mistake(
                "You divide the variances: an interval's width goes with the standard error. (Yours is the coverage of "
                "OPG's interval, since the Hessian's variance is the geometric mean of the other two.)",
                lambda: _coverage(_OPG / _SANDWICH),
            ),
            Mistake(
                "You divide the wrong way round: the interval is too narrow, so it covers less than 95%.",
                lambda: _coverage(_SANDWICH / _HESSIAN),
            ),
            Mistake(
                "You count one tail only: the interval misses sigma on both sides.",
                lambda: (1 + _coverage(_HESSIAN / _SANDWICH)) / 2,
            ),
            Mistake("That is how often it misses. Coverage is the rest.", lambda: 1 - _coverage(_HESSIAN / _SANDWICH)),
        ),
    ),
    Exercise(
        "3.3",
        "implement",
        sandwich,
        (
            Mistake(
                "Bread and meat are swapped: the Hessian is inverted, on both sides, and the outer product stands "
                "between.",
                _inside_out,
            ),
            Mistake("One slice of bread is missing: the inverse Hessian stands on both sides of B.", _one_slice),
            Mistake("You multiply entry by entry. A product of matrices is @, not *.", _entry_by_entry),
            Mistake(
                "One slice of bread is missing: the inverse Hessian stands on both sides of B.",
                lambda s, h, w: -_one_slice(s, h, w),
            ),
            Mistake(
                "That is the inverse of minus the Hessian, which is enough in a correct model only.",
                lambda s, h, w: np.linalg.inv(-np.tensordot(w, h, axes=1)),
            ),
            Mistake(
                "That is the inverse of B, which is enough in a correct model only.",
                lambda s, h, w: np.linalg.inv((s * w[:, None]).T @ s),
            ),
            Mistake(
                "You weight both scores of a product: a row then counts as often as its weight squared.",
                _weights_squared,
            ),
            Mistake(
                "You leave out the weights: a row stands for as many observations as its weight.",
                lambda s, h, w: sandwich(s, h, np.ones_like(w)),
            ),
            Mistake(
                "That is the covariance of one observation: with means in place of sums, divide the result by the "
                "number of observations.",
                lambda s, h, w: sandwich(s, h, w) * w.sum(),
            ),
        ),
        draw=_draw_sandwich,
    ),
    Exercise(
        "3.4",
        "implement",
        clustered,
        (
            Mistake(
                "Still the sum of squares within clusters, which is B. Sum the scores of a cluster first, and square "
                "the sum.",
                lambda s, h, c: clustered(s, h, np.arange(len(c))),
            ),
            Mistake("You average within clusters. A cluster counts with its sum.", _square_of_means),
            Mistake(
                "That is the square of the sum over all clusters, which is zero at a maximum. Square cluster by "
                "cluster.",
                lambda s, h, c: clustered(s, h, np.zeros_like(c)),
            ),
            Mistake(
                "You multiply by G / (G - 1), as some packages do. Here B_c is the plain sum over the clusters.",
                lambda s, h, c: clustered(s, h, c) / (1 - 1 / np.unique(c).size),
            ),
            Mistake(
                "That is the middle of the sandwich. Put the inverse Hessian on both sides.",
                lambda s, h, c: h @ clustered(s, h, c) @ h,
            ),
        ),
        draw=_draw_clusters,
    ),
    Exercise(
        "3.5",
        "implement",
        informations,
        (
            Mistake(
                "The sign of the Hessian: observed information is minus the second derivative.",
                lambda y, t: informations(y, t) * [1, -1, 1],
            ),
            Mistake("You square the sum of the scores. Sum their squares.", _square_of_the_sum),
            Mistake(
                "Those are per observation. All three are sums over the sample.",
                lambda y, t: informations(y, t) / y.size,
            ),
            Mistake(
                "The expected information of the normal model is 1 an observation; the Cauchy's is 1/2.",
                lambda y, t: informations(y, t) * [1, 1, 2],
            ),
            Mistake("The order is B, -H, expected.", lambda y, t: informations(y, t)[[1, 0, 2]]),
        ),
        draw=_draw_cauchy,
    ),
    Exercise(
        "3.6",
        "predict",
        lambda: "agree",
        options={
            "agree": "Right. The score of mu is z / sigma. Its square averages 1 / sigma^2 at the maximum, and so does "
            "minus the curvature, whatever the kurtosis. The model has the variance right, and mu needs no more.",
            "part": "The score of sigma holds z^2, so its variance holds the fourth moment. Which moment does the "
            "variance of mu's score z / sigma hold?",
            "opg alone": "For mu the outer product holds the second moment of z. The fitted sigma makes that 1.",
        },
    ),
)
