"""Exercises of chapter 14: elasticities and diversion."""

from functools import cache

import numpy as np

from compecon.blp.examples import cereal_results
from compecon.datasets import load_cereal
from compecon.exercises.exercise import Exercise, Mistake

_results = cache(cereal_results)
_MARKET = "C01Q1"


@cache
def _shares():
    products = load_cereal().products
    return products.loc[products["market_ids"] == _MARKET, "shares"].to_numpy()


def _per_sale(factor):
    """The elasticity of all sales of exercise 14.2, at a rise of so much."""
    return _results().compute_aggregate_elasticities(factor, market_id=_MARKET)[0, 0] / _shares().sum()


@cache
def _elasticities():
    return _results().compute_elasticities(market_id=_MARKET)


# 14.3: derivatives of shares


def share_derivatives(P, slopes, weights):
    """The solution of exercise 14.3."""
    pull = weights[:, None] * P * slopes
    return np.diag(pull.sum(axis=0)) - P.T @ pull


def draw_agents(rng):
    """Choice probabilities, slopes that differ from product to product, and weights that are not all the same."""
    utilities = rng.normal(0, 1.5, (7, 4))
    P = np.exp(utilities) / (1 + np.exp(utilities).sum(axis=1, keepdims=True))
    weights = rng.uniform(0.2, 1, 7)
    return P, -rng.uniform(1, 9, (7, 4)), weights / weights.sum()


def _logit_derivatives(P, slopes, weights):
    """Those of a plain logit with the mean probabilities and the mean slopes."""
    s, a = weights @ P, weights @ slopes
    return np.diag(a * s) - np.outer(s, a * s)


# 14.4: diversion ratios from derivatives that are not symmetric


def diversion_ratios(jacobian):
    """The solution of exercise 14.4."""
    ratios = -jacobian.T / np.diag(jacobian)[:, None]
    np.fill_diagonal(ratios, 0)
    np.fill_diagonal(ratios, 1 - ratios.sum(axis=1))
    return ratios


def _along_rows(jacobian):
    return diversion_ratios(jacobian.T)


def _without_outside(jacobian):
    return -jacobian.T / np.diag(jacobian)[:, None]


# 14.5: long-run diversion


def long_run_diversion(P, weights):
    """The solution of exercise 14.5."""
    return _second_choices(P, weights[:, None] * P)


def _second_choices(P, leavers):
    """Diversion when so many of each agent, (I, J), leave each product; the outside good on the diagonal."""
    second = P[:, None, :] / (1 - P[:, :, None])
    ratios = np.einsum("ij,ijk->jk", leavers / leavers.sum(axis=0), second)
    np.fill_diagonal(ratios, 0)
    np.fill_diagonal(ratios, 1 - ratios.sum(axis=1))
    return ratios


def _draw_choices(rng):
    P, _, weights = draw_agents(rng)
    return P, weights


def _by_shares(P, weights):
    """A plain logit's."""
    return long_run_diversion((weights @ P)[None], np.ones(1))


def _zero_diagonal(P, weights):
    ratios = long_run_diversion(P, weights)
    np.fill_diagonal(ratios, 0)
    return ratios


# 14.6: diversion from elasticities


def _diversion_to(j, k, scale=lambda j, k: _shares()[k] / _shares()[j]):
    """Of what product j loses by its price, the part that k gains; of the data's products 0, 1, ..."""
    return -_elasticities()[k, j] / _elasticities()[j, j] * scale(j, k)


EXERCISES = (
    Exercise(
        "14.1",
        "predict",
        lambda: "falls",
        options={
            "falls": "Right. The first to leave are those who mind prices most, and the outside good is what they like "
            "next. Those who leave only at a doubled price want another cereal.",
            "rises": "At a small rise the leavers are the buyers who mind prices most. Who among the buyers would take "
            "nothing rather than another cereal: they, or those who leave last?",
            "stays": "So it would be in a plain logit, where all buyers have the same second choices. Here those who "
            "leave first and last differ.",
        },
    ),
    Exercise(
        "14.2",
        "compute",
        lambda: _per_sale(0.01),
        (
            Mistake(
                "You did not divide by the inside share: that is the change of sales in units of the market's size.",
                lambda: _per_sale(0.01) * _shares().sum(),
            ),
            Mistake(
                "That is for a rise by 10%, the default of `factor`. The question is about 1%, `factor=0.01`.",
                lambda: _per_sale(0.1),
            ),
            Mistake("That is for a rise by 100%: `factor` is a share, not in percent.", lambda: _per_sale(1.0)),
            Mistake(
                "That is the mean own elasticity. When all prices rise, buyers cannot flee to another cereal.",
                lambda: np.diag(_elasticities()).mean(),
            ),
        ),
    ),
    Exercise(
        "14.3",
        "implement",
        share_derivatives,
        (
            Mistake(
                "Your matrix is transposed: row j is whose share, column k whose price. It shows where slopes differ "
                "by product.",
                lambda P, a, w: share_derivatives(P, a, w).T,
            ),
            Mistake(
                "You multiply means: that is a plain logit. The mean of a product is not the product of the means; sum "
                "over agents last.",
                _logit_derivatives,
            ),
            Mistake(
                "The sign is wrong: a slope is negative, and so must be the diagonal.",
                lambda P, a, w: -share_derivatives(P, a, w),
            ),
            Mistake(
                "On the diagonal the first term, sum_i w_i a_ij P_ij, is missing: 1[j=k] - P_ik.",
                lambda P, a, w: -P.T @ (w[:, None] * P * a),
            ),
            Mistake(
                "You leave out the weights: agents count as if all had the same.",
                lambda P, a, w: share_derivatives(P, a, np.full(w.size, 1 / w.size)),
            ),
        ),
        draw=draw_agents,
    ),
    Exercise(
        "14.4",
        "implement",
        diversion_ratios,
        (
            Mistake(
                "You read along the rows. D_jk asks what ONE price, p_j, does to all shares: column j of the "
                "derivatives.",
                _along_rows,
            ),
            Mistake(
                "The right entries at transposed places: row j must hold where j's buyers go, and sum to one.",
                lambda J: diversion_ratios(J).T,
            ),
            Mistake(
                "The diagonal is -1. Put the outside good there: what the row leaves to one.",
                _without_outside,
            ),
            Mistake(
                "You divide by the other product's own derivative. D_jk is a part of what j loses: divide by "
                "ds_j/dp_j.",
                lambda J: _along_rows(J).T,
            ),
        ),
        draw=lambda rng: (share_derivatives(*draw_agents(rng)),),
    ),
    Exercise(
        "14.5",
        "implement",
        long_run_diversion,
        (
            Mistake(
                "That is a plain logit: s_k / (1 - s_j). Each agent has second choices of its own.",
                _by_shares,
            ),
            Mistake(
                "You average second choices over all agents. Those who bought j count, each by w_i P_ij.",
                lambda P, w: _second_choices(P, w[:, None] * np.ones_like(P)),
            ),
            Mistake(
                "Your weights w_i P_ij (1 - P_ij) are those of a small price change. On removal every buyer leaves.",
                lambda P, w: _second_choices(P, w[:, None] * P * (1 - P)),
            ),
            Mistake("The outside good is missing on the diagonal: what the row leaves to one.", _zero_diagonal),
            Mistake(
                "You leave out the weights: agents count as if all had the same.",
                lambda P, w: long_run_diversion(P, np.ones_like(w)),
            ),
        ),
        draw=_draw_choices,
    ),
    Exercise(
        "14.6",
        "compute",
        lambda: _diversion_to(13, 5),
        (
            Mistake(
                "A ratio of elasticities compares percentages. Buyers are counted in shares: multiply by s_k / s_j.",
                lambda: _diversion_to(13, 5, lambda j, k: 1.0),
            ),
            Mistake(
                "Your ratio of shares is upside down.",
                lambda: _diversion_to(13, 5, lambda j, k: _shares()[j] / _shares()[k]),
            ),
            Mistake(
                "That is the diversion the other way, from F1B13 to F2B19.",
                lambda: _diversion_to(5, 13),
            ),
            Mistake(
                "You took the elasticity of F2B19's share by F1B13's price. Rows are shares: you need row F1B13, "
                "column F2B19.",
                lambda: -_elasticities()[13, 5] / _elasticities()[13, 13] * _shares()[5] / _shares()[13],
            ),
            Mistake(
                "That is diversion on removal. The question is about a small change, which elasticities describe.",
                lambda: _results().compute_long_run_diversion_ratios(market_id=_MARKET)[13, 5],
            ),
            Mistake(
                "That goes by shares alone: a plain logit.",
                lambda: _shares()[5] / (1 - _shares()[13]),
            ),
        ),
    ),
)
