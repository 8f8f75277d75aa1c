"""Exercises of chapter 16: mergers."""

from functools import cache

import numpy as np
from scipy.optimize import brentq

from compecon import datasets
from compecon.blp.examples import cereal_results
from compecon.exercises.exercise import Exercise, Mistake


@cache
def _merger():
    """(estimates, owners after 1 buys 2, whose products are partners', costs)."""
    merged = datasets.load_cereal()[0]["firm_ids"].replace(2, 1)
    results = cereal_results()
    return results, merged, (merged == 1).to_numpy(), results.compute_costs()[:, 0]


# 16.2: the change of the HHI


@cache
def _shares():
    """Shares before and after the merger, (N, 1)."""
    results, merged, _, costs = _merger()
    return results.compute_shares(), results.compute_shares(results.compute_prices(merged, costs=costs))


def _hhi_change(new_owners=True, new_shares=True):
    results, merged, *_ = _merger()
    owners = merged if new_owners else None
    return (results.compute_hhi(owners, _shares()[int(new_shares)]) - results.compute_hhi()).mean()


def _hhi_change_of_plain_shares():
    """The same without a renormalisation of inside shares."""
    results, merged, *_ = _merger()
    market = np.unique(datasets.load_cereal()[0]["market_ids"], return_inverse=True)[1]
    before, after = (
        results.compute_hhi(owners, shares)[:, 0] * np.bincount(market, shares[:, 0]) ** 2
        for owners, shares in zip((None, merged), _shares())
    )
    return (after - before).mean()


# 16.3: a merger's prices


def merger_prices(p0, c, V, alpha, w, H):
    """The solution of exercise 16.3."""
    return _iterate(p0, c, lambda p: V + alpha * (p - p0)[:, None], alpha, w, H)


def _iterate(p, c, utilities, alpha, w, H, most=5000):
    """The zeta iteration from p, for `most` rounds at most."""
    for _ in range(most):
        terms = np.exp(utilities(p))
        P = terms / (1 + terms.sum(axis=0))
        Lambda, Gamma = P @ (w * alpha), (w * alpha * P) @ P.T
        change = c + ((H * Gamma) @ (p - c) - P @ w) / Lambda - p
        p = p + change
        if np.abs(Lambda * change).max() < 1e-12:
            break
    return p


def _draw_market(rng):
    firms = rng.permutation([1, 1, 2, 2, 2, 3])
    weights, p0 = rng.uniform(0.5, 1.5, 9), rng.uniform(1, 2, 6)
    V, alpha, H = rng.normal(-1, 1, (6, 9)), -rng.uniform(1, 3, 9), np.equal.outer(firms, firms).astype(float)
    return p0, p0 * rng.uniform(0.3, 0.7, 6), V, alpha, weights / weights.sum(), H


# 16.4: upward pricing pressure


def pressure(D, p, c, firms, merged):
    """The solution of exercise 16.4."""
    gained = np.equal.outer(merged, merged) & ~np.equal.outer(firms, firms)
    return (gained * D) @ (p - c)


def _pressure_of_all(D, p, c, firms, merged):
    return (np.equal.outer(merged, merged) * D) @ (p - c)


def _pressure_with_own_products(D, p, c, firms, merged):
    return ((np.equal.outer(merged, merged) & ~np.eye(p.size, dtype=bool)) * D) @ (p - c)


def _draw_diversion(rng):
    firms = rng.permutation([1, 1, 2, 2, 3, 4, 4])
    ratios = rng.uniform(0.2, 1, (7, 7))
    p = rng.uniform(1, 2, 7)
    return ratios / ratios.sum(axis=1)[:, None], p, p * rng.uniform(0.3, 0.8, 7), firms, np.where(firms == 2, 1, firms)


# 16.5: consumer surplus


def consumer_surplus(V, alpha, w):
    """The solution of exercise 16.5."""
    return w @ (_log_sums(V) / -alpha)


def _log_sums(V):
    return np.logaddexp.reduce(np.vstack([np.zeros((1, V.shape[1])), V]))


def _draw_utilities(rng):
    V = rng.normal(0, 2, (4, 6))
    V[0, 0] = 800.0
    w = rng.uniform(0.5, 1.5, 6)
    return V, -rng.uniform(1, 5, 6), w / w.sum()


# 16.6: savings that keep the total


@cache
def _saving_that_keeps(consumers=1.0, firms=1.0, at_old_costs=False):
    """In percent, what keeps consumers * their surplus + firms * their profits."""
    results, merged, partner, costs = _merger()

    def total(prices, lower):
        profits = results.compute_profits(prices, results.compute_shares(prices), costs if at_old_costs else lower)
        return consumers * results.compute_consumer_surpluses(prices).sum() + firms * profits.sum()

    def gain(saving):
        lower = costs * (1 - saving * partner)
        return total(results.compute_prices(merged, costs=lower), lower) - before

    before = total(datasets.load_cereal()[0]["prices"].to_numpy(), costs)
    return 100 * brentq(gain, 0, 0.6)


EXERCISES = (
    Exercise(
        "16.1",
        "predict",
        lambda: "rise",
        options={
            "rise": "Right. The partners' higher prices send them customers, and with more demand they charge more: "
            "by 0.56% on average. A few of their prices fall: whom they win matters, too.",
            "fall": "They would compete harder only if the partners did. But the partners raise prices, and that sends "
            "customers to the others.",
            "stay": "Their conditions hold their own shares and derivatives, and both change when the partners' prices "
            "do. The approximation says that they stay; that is its error.",
        },
    ),
    Exercise(
        "16.2",
        "compute",
        _hhi_change,
        (
            Mistake(
                "That is the change at observed shares, 20,000 times the product of the two firms' shares. Use the "
                "shares at the new prices.",
                lambda: _hhi_change(new_shares=False),
            ),
            Mistake(
                "You keep the old owners: pass the owners after the merger as firm_ids.",
                lambda: _hhi_change(new_owners=False),
            ),
            Mistake("The sign is that of before less after.", lambda: -_hhi_change()),
            Mistake(
                "Your shares add up to less than one. The index is one of inside sales: divide by their sum.",
                _hhi_change_of_plain_shares,
            ),
        ),
    ),
    Exercise(
        "16.3",
        "implement",
        merger_prices,
        (
            Mistake(
                "You stop after one round. Repeat until Lambda times the change is below 1e-12.",
                lambda p0, c, V, alpha, w, H: _iterate(p0, c, lambda p: V, alpha, w, H, most=1),
            ),
            Mistake(
                "You keep the choice probabilities at observed prices: that is the approximation. Let utilities follow "
                "the prices.",
                lambda p0, c, V, alpha, w, H: _iterate(p0, c, lambda p: V, alpha, w, H),
            ),
            Mistake(
                "V already holds the observed prices. Add alpha times their change, p - p0, not alpha times p.",
                lambda p0, c, V, alpha, w, H: _iterate(p0, c, lambda p: V + alpha * p[:, None], alpha, w, H),
            ),
            Mistake(
                "You leave out ownership: that is one firm that owns all. Multiply Gamma by H, entry by entry.",
                lambda p0, c, V, alpha, w, H: merger_prices(p0, c, V, alpha, w, np.ones_like(H)),
            ),
            Mistake(
                "You use the diagonal of H alone: each product would be priced by itself.",
                lambda p0, c, V, alpha, w, H: merger_prices(p0, c, V, alpha, w, np.eye(p0.size)),
            ),
            Mistake(
                "You leave out the weights of agents.",
                lambda p0, c, V, alpha, w, H: merger_prices(p0, c, V, alpha, np.ones_like(w), H),
            ),
        ),
        draw=_draw_market,
    ),
    Exercise(
        "16.4",
        "implement",
        pressure,
        (
            Mistake(
                "That is the student's function: it counts products that the firm had before, and diversion to the "
                "outside good on the diagonal.",
                _pressure_of_all,
            ),
            Mistake(
                "You have taken out the diagonal alone. The firm's other old products are no gain either: their pull "
                "was there before.",
                _pressure_with_own_products,
            ),
            Mistake(
                "Diversion is transposed: row j of D says where the customers go that j loses.",
                lambda D, *rest: pressure(D.T, *rest),
            ),
            Mistake("A diverted sale earns the margin p - c, not the price.", lambda D, p, c, *rest:
                    pressure(D, p, 0 * c, *rest)),
            Mistake("The margin is that of the product k that gains the sale, not that of j which loses it.",
                    lambda D, p, c, *rest: pressure(D, np.ones_like(p), 0 * c, *rest) * (p - c)),
            Mistake("That is GUPPI. Pricing pressure is not divided by the price.", lambda D, p, *rest:
                    pressure(D, p, *rest) / p),
        ),
        draw=_draw_diversion,
    ),
    Exercise(
        "16.5",
        "implement",
        consumer_surplus,
        (
            Mistake(
                "exp overflows where a utility is 800. Use np.logaddexp.reduce.",
                lambda V, alpha, w: w @ (np.log(1 + np.exp(V).sum(axis=0)) / -alpha),
            ),
            Mistake(
                "You divide the mean log-sum by the mean alpha. The mean is one of ratios, agent by agent.",
                lambda V, alpha, w: (w @ _log_sums(V)) / -(w @ alpha),
            ),
            Mistake("That is in utility. Divide each agent's log-sum by -alpha.", lambda V, alpha, w: w @ _log_sums(V)),
            Mistake(
                "You leave out the outside good, the 1 in the sum.",
                lambda V, alpha, w: w @ (np.logaddexp.reduce(V) / -alpha),
            ),
            Mistake(
                "The sign is wrong: alpha is negative, so divide by -alpha.",
                lambda V, alpha, w: -consumer_surplus(V, alpha, w),
            ),
            Mistake("You leave out the weights.", lambda V, alpha, w: np.mean(_log_sums(V) / -alpha)),
            Mistake(
                "You add up log(1 + exp V) over products. An agent chooses one of all: the sum is inside the log.",
                lambda V, alpha, w: w @ (np.logaddexp(0, V).sum(axis=0) / -alpha),
            ),
        ),
        draw=_draw_utilities,
    ),
    Exercise(
        "16.6",
        "compute",
        _saving_that_keeps,
        (
            Mistake(
                "That keeps consumer surplus alone. Firms gain, so the total needs less.",
                lambda: _saving_that_keeps(firms=0.0),
            ),
            Mistake(
                "That is a fraction. The answer is asked for in percent.",
                lambda: _saving_that_keeps() / 100,
            ),
            Mistake(
                "Your profits after the merger are at the old costs. Pass the lower ones to compute_profits, too.",
                lambda: _saving_that_keeps(at_old_costs=True),
            ),
            Mistake(
                "You add a mean over 94 markets to a mean over 2,256 products. Sum profits within a market first.",
                lambda: _saving_that_keeps(1 / 94, 1 / 2256),
            ),
        ),
    ),
)  # fmt: skip
