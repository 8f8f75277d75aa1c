"""Exercises of chapter 15: costs and markups."""

from functools import cache

import numpy as np
from scipy.optimize import brentq

from compecon.blp.examples import cereal_results
from compecon.datasets import load_cereal
from compecon.exercises.chapter14 import draw_agents, share_derivatives
from compecon.exercises.exercise import Exercise, Mistake

_results = cache(cereal_results)


@cache
def _costs(conduct):
    """Implied costs and prices of all products: of 'firms', or of 'products' each on its own."""
    products = load_cereal().products
    ids = products["firm_ids"] if conduct == "firms" else products["product_ids"]
    return _results().compute_costs(ids)[:, 0], products["prices"].to_numpy()


def _over_cost(conduct="firms", average=np.median):
    """The markup over cost of exercise 15.2."""
    costs, prices = _costs(conduct)
    return average((prices - costs) / costs)


# 15.3: margins from derivatives


def bertrand_margins(shares, jacobian, ownership):
    """The solution of exercise 15.3."""
    return np.linalg.solve(-ownership * jacobian.T, shares)


def _draw_market(rng):
    """Shares, derivatives that are not symmetric, and who owns what."""
    P, slopes, weights = draw_agents(rng)
    ids = rng.permutation([0, 0, 1, 1])
    return weights @ P, share_derivatives(P, slopes, weights), np.equal.outer(ids, ids).astype(float)


def _not_transposed(shares, jacobian, ownership):
    return bertrand_margins(shares, jacobian.T, ownership)


def _alone(shares, jacobian, ownership):
    return bertrand_margins(shares, jacobian, np.eye(shares.size))


def _one_owner(shares, jacobian, ownership):
    return bertrand_margins(shares, jacobian, np.ones_like(ownership))


def _owned_later(shares, jacobian, ownership):
    return -(ownership * np.linalg.inv(jacobian.T)) @ shares


# 15.4: costs from a table of elasticities


def costs_from_elasticities(prices, shares, elasticities, firm_ids):
    """The solution of exercise 15.4."""
    jacobian = elasticities * shares[:, None] / prices
    return prices - bertrand_margins(shares, jacobian, np.equal.outer(firm_ids, firm_ids).astype(float))


def _draw_table(rng):
    shares, jacobian, ownership = _draw_market(rng)
    prices = rng.uniform(1, 3, shares.size)
    return prices, shares, jacobian * prices / shares[:, None], ownership.argmax(axis=1)


def _as_if_derivatives(prices, shares, elasticities, firm_ids):
    """What the student of the exercise does."""
    return prices - bertrand_margins(shares, elasticities, np.equal.outer(firm_ids, firm_ids).astype(float))


def _other_way(prices, shares, elasticities, firm_ids):
    jacobian = elasticities * shares / prices[:, None]
    return prices - bertrand_margins(shares, jacobian, np.equal.outer(firm_ids, firm_ids).astype(float))


# 15.5: the zeta markup


def zeta(prices, costs, P, alpha, weights, ownership):
    """The solution of exercise 15.5."""
    lamda = (weights * alpha) @ P
    gamma = P.T @ ((weights * alpha)[:, None] * P)
    return ((ownership * gamma) @ (prices - costs) - weights @ P) / lamda


def _draw_prices(rng):
    P, slopes, weights = draw_agents(rng)
    ids = rng.permutation([0, 0, 1, 1])
    prices = rng.uniform(1, 3, 4)
    costs = prices * rng.uniform(0.3, 0.9, 4)
    return prices, costs, P, slopes[:, 0], weights, np.equal.outer(ids, ids).astype(float)


def _eta_instead(prices, costs, P, alpha, weights, ownership):
    jacobian = share_derivatives(P, np.repeat(alpha[:, None], P.shape[1], axis=1), weights)
    return bertrand_margins(weights @ P, jacobian, ownership)


def _undivided(prices, costs, P, alpha, weights, ownership):
    return zeta(prices, costs, P, alpha, weights, ownership) * ((weights * alpha) @ P)


# 15.6: the weight at which a cost reaches zero


def _lowest_cost(kappa, own):
    """The lowest cost in market C01Q1 when products outside the `own` pairs count kappa."""
    here = load_cereal().products.query("market_ids == 'C01Q1'")
    ids = here["firm_ids"] if own == "firms" else here["product_ids"]
    H = np.where(np.equal.outer(ids.to_numpy(), ids.to_numpy()), 1.0, kappa)
    return _results().compute_costs(ownership=H, market_id="C01Q1").min()


@cache
def _critical_weight(own="firms"):
    return brentq(_lowest_cost, 0, 1, args=(own,), xtol=1e-12)


def _straight_line():
    low, high = _lowest_cost(1.0, "firms"), _lowest_cost(0.0, "firms")
    return high / (high - low)


EXERCISES = (
    Exercise(
        "15.1",
        "predict",
        lambda: "fall",
        options={
            "fall": "Right. One owner of all would want higher prices at the same costs. If it chose THESE prices, its "
            "costs must be lower.",
            "rise": "One owner sets higher prices at given costs. Here prices are given, and costs are what adjusts: "
            "prices no higher than these speak for lower costs.",
            "stay": "Costs are not observed. They are backed out from prices and conduct, p - eta, and eta depends on "
            "conduct.",
        },
    ),
    Exercise(
        "15.2",
        "compute",
        _over_cost,
        (
            Mistake(
                "That is the Lerner index, the markup over the PRICE. The report means (p - c) / c.",
                lambda: np.median((_costs("firms")[1] - _costs("firms")[0]) / _costs("firms")[1]),
            ),
            Mistake("That is the mean. Costs near zero make it meaningless: take the median.",
                    lambda: _over_cost(average=np.mean)),
            Mistake("That is with each product on its own. Firms as they are: the data's firm_ids.",
                    lambda: _over_cost("products")),
            Mistake("That is price over cost: subtract one.", lambda: 1 + _over_cost()),
        ),
    ),
    Exercise(
        "15.3",
        "implement",
        bertrand_margins,
        (
            Mistake(
                "You forget to transpose. The condition of p_j holds ds_k/dp_j, COLUMN j of the derivatives. They are "
                "not symmetric here.",
                _not_transposed,
            ),
            Mistake("You leave out the ownership: that is one owner of all products.", _one_owner),
            Mistake(
                "Those are margins of single products, -s_j / (ds_j/dp_j). A firm also earns what goes to its other "
                "products.",
                _alone,
            ),
            Mistake("The sign is wrong: derivatives by the own price are negative, margins positive.",
                    lambda s, J, H: -bertrand_margins(s, J, H)),
            Mistake("You invert first and multiply by the ownership after. The ownership belongs inside the inverse.",
                    _owned_later),
        ),
        draw=_draw_market,
    ),
    Exercise(
        "15.4",
        "implement",
        costs_from_elasticities,
        (
            Mistake("You use elasticities as if they were derivatives. ds_j/dp_k = e_jk s_j / p_k.",
                    _as_if_derivatives),
            Mistake("Your factor is upside down: e_jk has p_k above and s_j below, so multiply by s_j / p_k, not "
                    "s_k / p_j.", _other_way),
            Mistake(
                "Your firms are missing: each product prices on its own. H_jk is 1 where firm_ids are equal.",
                lambda p, s, e, f: costs_from_elasticities(p, s, e, np.arange(p.size)),
            ),
            Mistake("Those are margins. Costs are prices less margins.",
                    lambda p, s, e, f: p - costs_from_elasticities(p, s, e, f)),
            Mistake(
                "You forget to transpose the derivatives: the condition of p_j holds ds_k/dp_j.",
                lambda p, s, e, f: p - _not_transposed(s, e * s[:, None] / p, np.equal.outer(f, f).astype(float)),
            ),
        ),
        draw=_draw_table,
    ),
    Exercise(
        "15.5",
        "implement",
        zeta,
        (
            Mistake("That is eta, which needs a linear system. The two agree at equilibrium prices only.",
                    _eta_instead),
            Mistake("That is the new price, c + zeta. Return the markup alone.",
                    lambda p, c, P, a, w, H: c + zeta(p, c, P, a, w, H)),
            Mistake("You did not divide by Lambda.", _undivided),
            Mistake("You leave out the ownership: Gamma counts only where one firm owns both products.",
                    lambda p, c, P, a, w, H: zeta(p, c, P, a, w, np.ones_like(H))),
            Mistake("You count whole prices. What Gamma sends back earns the margin, p - c.",
                    lambda p, c, P, a, w, H: zeta(p, 0 * c, P, a, w, H)),
            Mistake("The sign of the shares is wrong: the bracket is the recaptured margins LESS s.",
                    lambda p, c, P, a, w, H: zeta(p, c, P, a, w, H) + 2 * (w @ P) / ((w * a) @ P)),
            Mistake("Your Gamma has no diagonal. A product's own P_ij P_ij belongs to Gamma; Lambda holds P_ij.",
                    lambda p, c, P, a, w, H: zeta(p, c, P, a, w, H - np.eye(p.size))),
        ),
        draw=_draw_prices,
    ),
    Exercise(
        "15.6",
        "compute",
        _critical_weight,
        (
            Mistake("You start from single products: products of one firm must keep the weight 1, whatever kappa.",
                    lambda: _critical_weight("products")),
            Mistake("You draw a straight line between the costs at 0 and 1. Margins bend: solve, or try many weights.",
                    _straight_line),
        ),
    ),
)
