"""Exercises of chapter 11: logit demand."""

from functools import cache

import numpy as np

from compecon import blp, datasets
from compecon.exercises.exercise import Exercise, Mistake

# 11.2: from shares to utilities


def mean_utilities(shares, markets):
    """The solution of exercise 11.2."""
    _, place = np.unique(markets, return_inverse=True)
    outside = 1 - np.bincount(place, weights=shares)
    return np.log(shares) - np.log(outside[place])


def _draw_markets(rng):
    markets = np.repeat([3, 1, 7], [4, 2, 3])
    shares = np.concatenate([rng.uniform(0.3, 0.8) * rng.dirichlet(np.ones(n)) for n in (4, 2, 3)])
    order = rng.permutation(markets.size)
    # Of all markets together the shares would sum to more than one: so they stay below.
    return 0.4 * shares[order], markets[order]


def _inside(shares, markets):
    _, place = np.unique(markets, return_inverse=True)
    return np.bincount(place, weights=shares)[place]


# 11.3: everybody's elasticity


@cache
def _alpha(absorb="C(product_ids)", instruments=True):
    """The price coefficient with these effects."""
    products, _ = datasets.load_cereal()
    names = list(products.filter(like="demand_instruments"))
    if not instruments:
        products = products.drop(columns=names[1:]).assign(demand_instruments0=products["prices"])
    results = blp.Problem(blp.Formulation("0 + prices", absorb=absorb), products).solve(method="1s")
    return float(results.beta[0, 0])


@cache
def _largest():
    """(price, share) of product F2B19 in market C01Q1."""
    products, _ = datasets.load_cereal()
    row = products[(products["market_ids"] == "C01Q1") & (products["product_ids"] == "F2B19")].iloc[0]
    return float(row["prices"]), float(row["shares"])


def _cross(alpha=None):
    price, share = _largest()
    return -(_alpha() if alpha is None else alpha) * price * share


# 11.4: two stages by hand


def iv_standard_error(y, p, z):
    """The solution of exercise 11.4."""
    p_hat = z @ np.linalg.lstsq(z, p)[0]
    xi = y - p_hat @ y / (p_hat @ p) * p
    return np.sqrt(np.sum(p_hat**2 * xi**2)) / (p_hat @ p)


def _draw_regression(rng):
    n = 60
    z, xi = rng.normal(size=(n, 2)), rng.normal(size=n)
    p = z @ [0.8, -0.5] + 0.7 * xi + rng.normal(size=n)
    return -2 * p + xi * (1 + 0.5 * np.abs(z[:, 0])), p, z


def _of_residuals(y, p, z, residual, robust=True):
    """The standard error from other residuals, residual(p, p_hat) times alpha away from y, or of one variance."""
    p_hat = z @ np.linalg.lstsq(z, p)[0]
    xi = y - p_hat @ y / (p_hat @ p) * residual(p, p_hat)
    variances = xi**2 if robust else np.mean(xi**2)
    return np.sqrt(np.sum(p_hat**2 * variances)) / (p_hat @ p)


def _weighed_by_price(y, p, z):
    p_hat = z @ np.linalg.lstsq(z, p)[0]
    return np.sqrt(np.sum(p**2 * (y - p_hat @ y / (p_hat @ p) * p) ** 2)) / (p_hat @ p)


# 11.5: what consumers lose


def surplus_change(before, after, alpha):
    """The solution of exercise 11.5."""
    return np.log((1 - after.sum()) / (1 - before.sum())) / alpha


def _draw_change(rng):
    before, after = (rng.uniform(0.2, 0.8) * rng.dirichlet(np.ones(4)) for _ in range(2))
    return before, after, float(rng.uniform(-30, -5))


EXERCISES = (
    Exercise(
        "11.1",
        "predict",
        lambda: "same",
        options={
            "larger": "More buyers leave the product if alpha is larger in size. Does that change which part of them "
            "goes outside?",
            "smaller": "Look at the formula of the diversion ratio: s_0 / (1 - s_j). Where is alpha in it?",
            "same": "Right. Alpha cancels: diversion is s_0 / (1 - s_j), a matter of observed shares. No estimate, "
            "good or bad, changes where a logit's buyers go.",
        },
    ),
    Exercise(
        "11.2",
        "implement",
        mean_utilities,
        (
            Mistake("You sum over all rows. Each market has its own outside good.",
                    lambda shares, markets: np.log(shares) - np.log(1 - shares.sum())),
            Mistake("That is the log odds of the product, with 1 - s_j. The reference is the outside share s_0.",
                    lambda shares, markets: np.log(shares) - np.log(1 - shares)),
            Mistake("You divide by the inside share. The outside share is one minus it.",
                    lambda shares, markets: np.log(shares) - np.log(_inside(shares, markets))),
            Mistake("The sign is wrong: a larger share means a higher utility.",
                    lambda shares, markets: -mean_utilities(shares, markets)),
            Mistake("The outside good is missing: that is the log of the share.",
                    lambda shares, markets: np.log(shares)),
        ),
        draw=_draw_markets,
    ),
    Exercise(
        "11.3",
        "compute",
        _cross,
        (
            Mistake("The sign is wrong: rivals gain when its price rises, and -alpha is positive.",
                    lambda: -_cross()),
            Mistake("That is its own elasticity, alpha p (1 - s).",
                    lambda: _alpha() * _largest()[0] * (1 - _largest()[1])),
            Mistake("The price is missing: that is the relative change of a share for a dollar.",
                    lambda: -_alpha() * _largest()[1]),
            Mistake("The share is missing: -alpha p_k s_k.", lambda: -_alpha() * _largest()[0]),
            Mistake("You use the least squares estimate. The exercise asks for `iv`.",
                    lambda: _cross(_alpha(instruments=False))),
        ),
    ),
    Exercise(
        "11.4",
        "implement",
        iv_standard_error,
        (
            Mistake("Those are the second stage's residuals, the student's error: xi = y - alpha p, with the actual "
                    "price.", lambda y, p, z: _of_residuals(y, p, z, lambda p, p_hat: p_hat)),
            Mistake("You assume one variance of xi. The formula weighs each squared residual with its own p_hat.",
                    lambda y, p, z: _of_residuals(y, p, z, lambda p, p_hat: p, robust=False)),
            Mistake("That is the standard error of least squares. The instruments are not used.",
                    lambda y, p, z: iv_standard_error(y, p, p[:, None])),
            Mistake("That is the variance. Take its square root.",
                    lambda y, p, z: iv_standard_error(y, p, z) ** 2),
            Mistake("You divide by the root of n too. The sums have it already.",
                    lambda y, p, z: iv_standard_error(y, p, z) / np.sqrt(y.size)),
            Mistake("You weigh the residuals with the actual price. The formula has the fitted one, p_hat, there.",
                    _weighed_by_price),
        ),
        draw=_draw_regression,
    ),
    Exercise(
        "11.5",
        "implement",
        surplus_change,
        (
            Mistake("The sign is wrong: when fewer buy nothing, consumers are better off, and alpha is negative.",
                    lambda before, after, alpha: -surplus_change(before, after, alpha)),
            Mistake("That is in units of utility. Divide by alpha for dollars.",
                    lambda before, after, alpha: np.log((1 - before.sum()) / (1 - after.sum()))),
            Mistake("You use the inside shares. The log-sum is minus the log of the OUTSIDE share.",
                    lambda before, after, alpha: np.log(after.sum() / before.sum()) / alpha),
            Mistake("Take logs before you subtract: surplus moves with log s_0, not with s_0.",
                    lambda before, after, alpha: (before.sum() - after.sum()) / alpha),
        ),
        draw=_draw_change,
    ),
    Exercise(
        "11.6",
        "compute",
        lambda: _alpha("C(product_ids) + C(market_ids)"),
        (
            Mistake("That is the estimate with product effects only.", _alpha),
            Mistake("You have least squares: keep Nevo's instruments in the data.",
                    lambda: _alpha("C(product_ids) + C(market_ids)", instruments=False)),
            Mistake("Those are market effects only. Without product effects, quality is back in the error.",
                    lambda: _alpha("C(market_ids)")),
            Mistake("The sign is wrong: utility falls in the price.",
                    lambda: -_alpha("C(product_ids) + C(market_ids)")),
        ),
    ),
)  # fmt: skip
