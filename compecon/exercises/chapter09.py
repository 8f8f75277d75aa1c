"""Exercises of chapter 9: the nested fixed point estimator."""

import numpy as np
from scipy import stats

from compecon import datasets, zurcher
from compecon.exercises.exercise import Exercise, Mistake


def _fit(groups, likelihood):
    data = zurcher.discretize(datasets.load_bus_panel(), groups=groups, n_states=90)
    return zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), data, likelihood)


def _separate_minus_pooled(likelihood="joint"):
    """What separate estimates gain over the pooled one in exercise 9.2, in log-likelihood."""
    first, second, pooled = (_fit(groups, likelihood).llf for groups in ([1, 2, 3], [4], [1, 2, 3, 4]))
    return first + second - pooled


# 9.3: a stable log-probability


def log_choice(gap, d):
    """The solution of exercise 9.3."""
    return -np.logaddexp(0, np.where(d == 1, gap, -gap))


def _draw_gaps(rng):
    gap = np.concatenate([rng.normal(3, 4, 30), [800.0, -800.0, 0.0]])
    return gap, rng.integers(0, 2, gap.size)


def _naive_log_choice(gap, d):
    keep = np.exp(gap) / (1 + np.exp(gap))
    return np.log(np.where(d == 1, 1 - keep, keep))


# 9.4: the BHHH direction


def bhhh_direction(scores, weights):
    """The solution of exercise 9.4."""
    gradient = weights @ scores
    opg = (scores * weights[:, None]).T @ scores
    return np.linalg.solve(opg, gradient)


def _draw_scores(rng):
    weights = rng.integers(1, 50, 40).astype(float)
    return rng.normal(0.3, 1, (40, 3)) * [1.0, 5.0, 0.2], weights


def _square_of_the_sum(scores, weights):
    """One outer product of the summed score has rank one; the pseudo-inverse hides that it cannot be solved."""
    gradient = weights @ scores
    return np.linalg.pinv(np.outer(gradient, gradient)) @ gradient


# 9.5: standard errors


def standard_errors(scores, weights):
    """The solution of exercise 9.5."""
    return np.sqrt(np.diag(np.linalg.inv((scores * weights[:, None]).T @ scores)))


# 9.6: a misprint


def _printed_p_value():
    """What Table IX prints beside the statistic of myopia in groups 1 to 4."""
    table = datasets.load_rust_tables().query("table == 'IX' and sample == '1-4' and entry == 'myopia'")
    return float(table.set_index("statistic")["printed"]["p-value"])


EXERCISES = (
    Exercise(
        "9.1",
        "predict",
        lambda: "falls",
        options={
            "rises": "Upkeep at 200,000 miles should not depend on the grid. Which state is that on each of the two, "
            "and what is theta11 multiplied by?",
            "falls": "Right. theta11 is upkeep for a state of mileage. A state is half as wide, so it adds half as "
            "much: upkeep for a mile stays about what it was.",
            "stays": "Upkeep for a mile stays, and so does RC, nearly. But c(x) is 10^-3 theta11 times the state, and "
            "the same mileage is now twice the state.",
        },
    ),
    Exercise(
        "9.2",
        "compute",
        lambda: 2 * _separate_minus_pooled(),
        (
            Mistake(
                "The factor 2 is missing: LR = 2 (l_unrestricted - l_restricted).",
                _separate_minus_pooled,
            ),
            Mistake(
                "The sign is wrong: separate estimates fit at least as well as the pooled one, so LR cannot be "
                "negative.",
                lambda: -2 * _separate_minus_pooled(),
            ),
            Mistake(
                "That is the test on the partial likelihoods. Table IX uses the joint ones: mileage differs between "
                "the groups most of all.",
                lambda: 2 * _separate_minus_pooled("partial"),
            ),
        ),
    ),
    Exercise(
        "9.3",
        "implement",
        log_choice,
        (
            Mistake(
                "At large gaps exp overflows, or 1 - P rounds to 0 and its log is -inf. Write log P = "
                "-log(1 + exp(-gap)) with np.logaddexp.",
                _naive_log_choice,
            ),
            Mistake("Keep and replace are swapped: gap = v_keep - v_replace.", lambda gap, d: log_choice(-gap, d)),
            Mistake("Those are probabilities. Take their logarithm.", lambda gap, d: np.exp(log_choice(gap, d))),
            Mistake("You ignore d: every month counts as keep.", lambda gap, d: log_choice(gap, 0 * d)),
        ),
        draw=_draw_gaps,
    ),
    Exercise(
        "9.4",
        "implement",
        bhhh_direction,
        (
            Mistake(
                "Your step goes downhill. The outer product stands for MINUS the Hessian.",
                lambda s, w: -bhhh_direction(s, w),
            ),
            Mistake(
                "You leave out the weights: a cell stands for as many observations as its count.",
                lambda s, w: bhhh_direction(s, np.ones_like(w)),
            ),
            Mistake(
                "You square the summed score. BHHH sums the squares: sum_i w_i s_i s_i'. At the maximum the sum "
                "is zero.",
                _square_of_the_sum,
            ),
            Mistake("That is the gradient. Solve with the outer product for the direction.", lambda s, w: w @ s),
            Mistake(
                "Your outer product is a mean and your gradient a sum, so the step is N times too long.",
                lambda s, w: w.sum() * bhhh_direction(s, w),
            ),
        ),
        draw=_draw_scores,
    ),
    Exercise(
        "9.5",
        "implement",
        standard_errors,
        (
            Mistake(
                "Those are the standard errors of one observation: your outer product is a mean, and the division of "
                "the covariance by N is missing.",
                lambda s, w: standard_errors(s, w) * np.sqrt(w.sum()),
            ),
            Mistake(
                "You divide by N twice. The inverse of the summed outer product already is the covariance.",
                lambda s, w: standard_errors(s, w) / np.sqrt(w.sum()),
            ),
            Mistake("Those are variances. Take the square root.", lambda s, w: standard_errors(s, w) ** 2),
            Mistake(
                "You invert the diagonal instead of taking the diagonal of the inverse: that treats the other "
                "parameters as known.",
                lambda s, w: 1 / np.sqrt(np.diag((s * w[:, None]).T @ s)),
            ),
            Mistake(
                "You leave out the weights: a cell stands for as many observations as its count.",
                lambda s, w: standard_errors(s, np.ones_like(w)),
            ),
        ),
        draw=_draw_scores,
    ),
    Exercise(
        "9.6",
        "compute",
        lambda: stats.chi2.sf(12.782, df=1),
        (
            Mistake(
                "That is the distribution function. The p-value is its complement.",
                lambda: stats.chi2.cdf(12.782, df=1),
            ),
            Mistake("That is the printed number. Compute it from the statistic.", _printed_p_value),
            Mistake(
                "That is the normal distribution's tail at the statistic. LR is the square of a standard normal.",
                lambda: stats.norm.sf(12.782),
            ),
            Mistake(
                "That is half of it: the chi-squared counts both tails of the normal.",
                lambda: stats.norm.sf(np.sqrt(12.782)),
            ),
        ),
        rtol=0.02,
    ),
)
