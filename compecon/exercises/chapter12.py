"""Exercises of chapter 12: random coefficients and the contraction."""

from functools import cache

import numpy as np

from compecon.blp.examples import cereal_results
from compecon.exercises.exercise import Exercise, Mistake

# Exercise 12.2: two types of consumers, equally many, and their probabilities of products 1, 2 and 3
TYPES = np.array([[0.3, 0.4, 0.1], [0.1, 0.1, 0.5]])


# 12.2: diversion


def diversion_of_types():
    """The solution of exercise 12.2: from product 1 to products 2 and 3."""
    first, rest = TYPES[:, 0], TYPES[:, 1:]
    return first @ rest / np.sum(first * (1 - first))


def _diversion_by_shares():
    shares = TYPES.mean(axis=0)
    return shares[1:] / (1 - shares[0])


def _mean_of_diversions():
    return np.mean(TYPES[:, 1:] / (1 - TYPES[:, :1]), axis=0)


# 12.3: shares that do not overflow


def stable_shares(delta, mu, weights):
    """The solution of exercise 12.3."""
    V = delta + mu
    top = np.maximum(0, V.max(axis=1, keepdims=True))
    odds = np.exp(V - top)
    return weights @ (odds / (np.exp(-top) + odds.sum(axis=1, keepdims=True)))


def _draw_utilities(rng):
    mu = rng.normal(0, 2, (6, 4))
    mu[0], mu[1] = [900.0, 898.0, 3.0, -850.0], -800.0
    return rng.normal(-1, 1, 4), mu, rng.dirichlet(np.ones(6))


def _overflowing(delta, mu, weights):
    odds = np.exp(delta + mu)
    return weights @ (odds / (1 + odds.sum(axis=1, keepdims=True)))


def _outside_not_shifted(delta, mu, weights):
    V = delta + mu
    odds = np.exp(V - np.maximum(0, V.max(axis=1, keepdims=True)))
    return weights @ (odds / (1 + odds.sum(axis=1, keepdims=True)))


def _without_outside(delta, mu, weights):
    V = delta + mu
    odds = np.exp(V - V.max(axis=1, keepdims=True))
    return weights @ (odds / odds.sum(axis=1, keepdims=True))


# 12.4: the Jacobian of shares


def share_jacobian(P, weights):
    """The solution of exercise 12.4."""
    return np.diag(weights @ P) - P.T @ (weights[:, None] * P)


def _draw_probabilities(rng):
    P = rng.dirichlet(np.ones(5), 7)[:, :4]
    return P, rng.dirichlet(np.ones(7))


def _logit_jacobian(P, weights):
    shares = weights @ P
    return np.diag(shares) - np.outer(shares, shares)


# 12.5: the rate of the contraction


@cache
def cereal_market(market_id="C01Q1"):
    """(P, weights) of a market at the cereal estimates: choice probabilities (I, J) and weights (I,)."""
    results = cereal_results()
    P = results.compute_probabilities(market_id=market_id)
    agents, t = results.problem.sorted_agents, list(results.problem.unique_market_ids).index(market_id)
    weights = agents.weights[agents.starts[t] : agents.starts[t + 1]]
    return np.asarray(P)[:, : weights.size].T, weights


def map_derivative():
    """(J, J) derivative of the contraction at its fixed point."""
    P, weights = cereal_market()
    return P.T @ (weights[:, None] * P) / (weights @ P)[:, None]


def rate():
    """The solution of exercise 12.5."""
    return np.abs(np.linalg.eigvals(map_derivative())).max()


# 12.6: how mean utilities respond to sigma


def delta_slope(P, weights, x, nu):
    """The solution of exercise 12.6."""
    return -np.linalg.solve(share_jacobian(P, weights), _share_slope(P, weights, x, nu))


def _share_slope(P, weights, x, nu):
    return (weights * nu) @ (P * (x - (P @ x)[:, None]))


def _draw_market(rng):
    return *_draw_probabilities(rng), rng.normal(size=4), rng.normal(size=7)


EXERCISES = (
    Exercise(
        "12.1",
        "predict",
        lambda: "more",
        options={
            "more": "Right. A sweep leaves a part rho of the error, and rho is at least one minus the outside share: a "
            "smaller outside good moves it towards one.",
            "fewer": "Large shares are easier to measure, but sweeps depend on the rate: it is at least one minus the "
            "outside share.",
            "the same": "Rescaling all shares is no change of units: the outside share changes with them, and it sets "
            "the rate.",
        },
    ),
    Exercise(
        "12.2",
        "compute",
        diversion_of_types,
        (
            Mistake(
                "That is the plain logit's diversion, by aggregate shares. Sum P_1 P_k over the types, then divide.",
                _diversion_by_shares,
            ),
            Mistake(
                "You average each type's diversion with equal weights. Those who buy product 1 and are near leaving it "
                "count more: P_1 (1 - P_1).",
                _mean_of_diversions,
            ),
            Mistake(
                "You divide by the share of product 1. The buyers lost are the sum of P_1 (1 - P_1) over types.",
                lambda: TYPES[:, 0] @ TYPES[:, 1:] / TYPES[:, 0].sum(),
            ),
            Mistake("The sign is wrong: diversion ratios of substitutes are positive.", lambda: -diversion_of_types()),
        ),
    ),
    Exercise(
        "12.3",
        "implement",
        stable_shares,
        (
            Mistake(
                "exp overflows for large utilities: inf / inf is NaN. Take the largest utility of each agent off "
                "first, and off the outside good's zero too.",
                _overflowing,
            ),
            Mistake(
                "You shift the products but not the outside good, whose 1 = exp(0) must become exp(-shift).",
                _outside_not_shifted,
            ),
            Mistake("The outside good is missing: these shares sum to one.", _without_outside),
            Mistake(
                "You leave out the weights, and average all agents alike.",
                lambda delta, mu, w: stable_shares(delta, mu, np.full(w.size, 1 / w.size)),
            ),
            Mistake(
                "That is the logit of the average agent. Average the probabilities, not the utilities.",
                lambda delta, mu, w: stable_shares(delta, (w @ mu)[None], np.ones(1)),
            ),
        ),
        draw=_draw_utilities,
    ),
    Exercise(
        "12.4",
        "implement",
        share_jacobian,
        (
            Mistake(
                "That is the plain logit's Jacobian. Products of probabilities are averaged over agents; the product "
                "of the averages leaves out the covariance.",
                _logit_jacobian,
            ),
            Mistake(
                "You leave out the weights in the second term.",
                lambda P, w: np.diag(w @ P) - P.T @ P / w.size,
            ),
            Mistake(
                "You sum the second term over agents without their weights.",
                lambda P, w: np.diag(w @ P) - P.T @ P,
            ),
            Mistake(
                "The sign is wrong: a product's own share rises with its mean utility.",
                lambda P, w: -share_jacobian(P, w),
            ),
            Mistake(
                "That is the derivative of log shares: each row is divided by the share.",
                lambda P, w: share_jacobian(P, w) / (w @ P)[:, None],
            ),
        ),
        draw=_draw_probabilities,
    ),
    Exercise(
        "12.5",
        "compute",
        rate,
        (
            Mistake(
                "That is one minus the outside share: the plain logit's rate. Buyers' own probabilities count here.",
                lambda: float(np.sum(cereal_market()[1] @ cereal_market()[0])),
            ),
            Mistake(
                "That is the largest row sum, which bounds the rate. The rate is the largest eigenvalue.",
                lambda: map_derivative().sum(axis=1).max(),
            ),
            Mistake(
                "That is what a sweep removes. The rate is what it leaves.",
                lambda: 1 - rate(),
            ),
            Mistake(
                "You have not divided the rows by the shares.",
                lambda: np.linalg.eigvalsh(map_derivative() * (cereal_market()[1] @ cereal_market()[0])[:, None]).max(),
            ),
        ),
    ),
    Exercise(
        "12.6",
        "implement",
        delta_slope,
        (
            Mistake(
                "The sign is wrong: delta must undo what sigma does to the shares.",
                lambda *given: -delta_slope(*given),
            ),
            Mistake(
                "That is how shares move at fixed delta. Solve with the Jacobian for the delta that keeps them.",
                lambda *given: _share_slope(*given),
            ),
            Mistake(
                "Your share slope lacks the other products' part: P_j (x_j - sum_k P_k x_k), not P_j x_j.",
                lambda P, w, x, nu: -np.linalg.solve(share_jacobian(P, w), (w * nu) @ P * x),
            ),
            Mistake(
                "You use the plain logit's Jacobian.",
                lambda P, w, x, nu: -np.linalg.solve(_logit_jacobian(P, w), _share_slope(P, w, x, nu)),
            ),
            Mistake(
                "The taste draws nu are missing: sigma multiplies nu_i x_j.",
                lambda P, w, x, nu: delta_slope(P, w, x, np.ones_like(nu)),
            ),
            Mistake(
                "You take off the market's mean of x. Each agent has a mean of its own: sum_k P_ik x_k, P @ x.",
                lambda P, w, x, nu: -np.linalg.solve(share_jacobian(P, w), (w * nu) @ P * (x - w @ P @ x)),
            ),
        ),
        draw=_draw_market,
    ),
)
