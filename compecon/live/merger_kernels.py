"""The scene of the merger room: one market's costs, its merger, and what follows, by the kernels of compecon.blp.

A scene returns DONE, or FAILED when there is nothing to show.
"""

import math
from typing import NamedTuple

import numpy as np

from compecon._jit import kernel
from compecon._linalg import add_bilinear
from compecon.blp import demand_kernels as demand
from compecon.blp import supply_kernels as supply

FAILED, DONE = 0, 1

# Conduct before the merger.
_FIRMS, _ALONE = 0.0, 1.0

# Those of `compute_prices`. The states of the figure need up to about 115 rounds, half a millisecond.
_TOLERANCE, _MOST_ROUNDS = 1e-12, 5000

# Prices in dollars, and shares, that are no farther apart are the same.
_SAME = 1e-9


class Market(NamedTuple):
    """One market as it was observed, J products and I agents; the names are those of demand_kernels."""

    firms: np.ndarray  # (J,)
    prices: np.ndarray  # (J,)
    shares: np.ndarray  # (J,)
    delta: np.ndarray  # (J,)
    x2: np.ndarray  # (J, K2)
    base: np.ndarray  # (J,)  the derivative of delta by the price
    x2dot: np.ndarray  # (J, K2)  and that of x2
    weights: np.ndarray  # (I,)
    traits: np.ndarray  # (I, C)
    loadings: np.ndarray  # (K2, C)


class Room(NamedTuple):
    """What is found out about a merger, and workspace."""

    partner: np.ndarray  # (J,)  1 for products of firms that merge, else 0
    costs: np.ndarray  # (J,)
    saved: np.ndarray  # (J,)  costs after the merger
    approximate: np.ndarray  # (J,)  prices with observed shares and derivatives
    pressure: np.ndarray  # (J,)  UPP
    found: np.ndarray  # (J,)  prices after the merger
    sold: np.ndarray  # (J,)  shares after the merger
    codes: np.ndarray  # (J,)  whose the products are after the merger
    before: np.ndarray  # (J, J)  who owns what
    after: np.ndarray  # (J, J)
    jacobian: np.ndarray  # (J, J)
    square: np.ndarray  # (J, J)
    utilities: np.ndarray  # (I, J)  at observed prices
    slopes: np.ndarray  # (I, J)
    moved: np.ndarray  # (I, J)  utilities, then choice probabilities, at some prices
    pull: np.ndarray  # (I, J)
    outside: np.ndarray  # (I,)  probabilities of the outside good
    surpluses: np.ndarray  # (I,)


@kernel
def merger_room(
    firm1, firm2, firm3, firm4, firm6, savings, conduct, market, firms, prices, shares, delta, x2, base, x2dot,
    weights, traits, loadings, columns, squares, agents, people, eta, report, flat, change, pressure, margin, gains,
    summary,
):  # fmt: skip
    """Let the firms that are switched on merge in one of M markets, and solve for the prices that follow.

    savings : percent of the partners' costs; conduct : 0 firms as they are, 1 each product alone, 2 one cartel.
    firms : (J,) of 1, 2, 3, 4, 6; prices, shares, delta : (M, J); x2 : (M, J, K2); base : (J,); x2dot : (J, K2);
    weights : (M, I); traits : (M, I, C); loadings : (K2, C). columns : (8, J), squares : (4, J, J),
    agents : (4, I, J), people : (2, I), eta : (J, 1), report : (1,) and `flat` are workspace. The others are drawn:
    see `tell` and `account`; summary[0] is the number of rounds.
    """
    m = int(market)
    here = Market(firms, prices[m], shares[m], delta[m], x2[m], base, x2dot, weights[m], traits[m], loadings)
    room = Room(columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], columns[6], columns[7],
                squares[0], squares[1], squares[2], squares[3], agents[0], agents[1], agents[2], agents[3],
                people[0], people[1])  # fmt: skip
    for j in range(firms.size):
        room.partner[j] = switch_of(firms[j], firm1, firm2, firm3, firm4, firm6)
    own(here, room, conduct)
    if explain(here, room, 0.01 * savings, eta) == 0:
        return FAILED
    rounds = settle(here, room, report, flat)
    if report[0] != 1.0:
        return FAILED
    summary[0] = rounds
    tell(here, room, change, pressure, margin, summary)
    account(here, room, gains, summary)
    # A consumer who likes higher prices has no surplus.
    return DONE if abs(summary[14]) < math.inf else FAILED


@kernel
def switch_of(firm, firm1, firm2, firm3, firm4, firm6):
    """1 if the firm's switch is on, else 0."""
    if firm == 1.0:
        return firm1
    if firm == 2.0:
        return firm2
    if firm == 3.0:
        return firm3
    return firm4 if firm == 4.0 else firm6


@kernel
def own(here, room, conduct):
    """Who sets prices together: before as `conduct` says; after it, all products of the firms that merge, too."""
    supply.ownership_of(here.firms, room.before)
    for j in range(here.firms.size):
        for k in range(here.firms.size):
            if conduct == _ALONE:
                room.before[j, k] = 1.0 if j == k else 0.0
            elif conduct != _FIRMS:
                room.before[j, k] = 1.0
            room.after[j, k] = max(room.before[j, k], room.partner[j] * room.partner[k])


@kernel
def explain(here, room, saving, eta):
    """Costs that make observed prices an equilibrium, lower ones, and the two short cuts to a merger's prices.

    Returns 0 when the conditions are singular, else 1.
    """
    add_bilinear(here.x2, here.delta, here.traits, here.loadings, room.utilities)
    add_bilinear(here.x2dot, here.base, here.traits, here.loadings, room.slopes)
    choose(here, room, here.prices)
    to_outside = room.sold
    demand.market_jacobian(room.moved, room.outside, room.slopes, here.weights, room.pull, room.jacobian, to_outside)
    if supply.bertrand_margins(here.shares, room.jacobian, room.before, room.square, eta) == 0:
        return 0
    for j in range(here.prices.size):
        room.costs[j] = here.prices[j] - eta[j, 0]
        room.saved[j] = room.costs[j] * (1.0 - saving * room.partner[j])
    if supply.bertrand_margins(here.shares, room.jacobian, room.after, room.square, eta) == 0:
        return 0
    for j in range(here.prices.size):
        room.approximate[j] = room.saved[j] + eta[j, 0]
    demand.response_rows(room.jacobian, to_outside, here.shares, here.prices, demand.DIVERSION, room.square)
    supply.pricing_pressure(room.square, here.prices, room.costs, room.before, room.after, saving, room.pressure)
    return 1


@kernel
def settle(here, room, report, flat):
    """Prices after the merger into room.found: p <- c + zeta(p) from observed ones, a round at a time, to count them.

    Returns the rounds; report[0] is 1 if the prices converged.
    """
    products, agents, rounds = (0, here.prices.size), (0, here.weights.size), 0
    report[0] = 0.0
    for j in range(here.prices.size):
        room.found[j] = here.prices[j]
    while report[0] == 0.0 and rounds < _MOST_ROUNDS:
        demand.prices_of_markets(
            0, 1, products, agents, here.weights, here.traits, here.loadings, here.delta, here.x2, here.base,
            here.x2dot, here.prices, room.saved, room.after, _TOLERANCE, 1, room.found, report, flat,
        )  # fmt: skip
        rounds += 1
    return rounds


@kernel
def choose(here, room, prices):
    """Choice probabilities at `prices` into room.moved and room.outside; returns the surplus, dollars a consumer."""
    for i in range(here.weights.size):
        for j in range(prices.size):
            room.moved[i, j] = room.utilities[i, j] + room.slopes[i, j] * (prices[j] - here.prices[j])
    supply.agent_surpluses(room.moved, room.slopes, room.surpluses)
    demand.choice_probabilities(room.moved, room.outside)
    total = 0.0
    for i in range(here.weights.size):
        total += here.weights[i] * room.surpluses[i]
    return total


@kernel
def without_noise(difference):
    """A difference of dollars or shares, 0 where it is nothing but rounding and what the iteration tolerates."""
    # Not `> _SAME`: a NaN must stay.
    return 0.0 if abs(difference) <= _SAME else difference


@kernel
def percent(part, whole):
    """100 part / whole; 0 where nobody is counted."""
    return 100.0 * part / whole if whole > 0.0 else 0.0


@kernel
def tell(here, room, change, pressure, margin, summary):
    """What happens to each product; each row has J numbers, NaN where a product is not of the kind.

    change : (3, J), percent of the price: of partners, of others, and of all by the approximation. pressure : (3, J),
    cents: UPP, and the change of the price of partners and of others. margin : (4, J), percent of the price: before,
    after, and after of partners and of others. summary[1:5] : mean change of partners' and of others' prices in
    percent, weighted by observed shares; how many prices fall; the largest error of the approximation, in percent.
    """
    ours = theirs = our_sales = their_sales = falls = error = 0.0
    for j in range(here.prices.size):
        price, share, partner = here.prices[j], here.shares[j], room.partner[j] > 0.0
        step, short = without_noise(room.found[j] - price), without_noise(room.approximate[j] - price)
        change[0, j] = 100.0 * step / price if partner else math.nan
        change[1, j] = math.nan if partner else 100.0 * step / price
        change[2, j] = 100.0 * short / price
        pressure[0, j] = 100.0 * room.pressure[j]
        pressure[1, j] = 100.0 * step if partner else math.nan
        pressure[2, j] = math.nan if partner else 100.0 * step
        margin[0, j] = 100.0 * (price - room.costs[j]) / price
        margin[1, j] = 100.0 * (room.found[j] - room.saved[j]) / room.found[j]
        margin[2, j] = margin[1, j] if partner else math.nan
        margin[3, j] = math.nan if partner else margin[1, j]
        our_sales += share * room.partner[j]
        their_sales += share * (1.0 - room.partner[j])
        ours += share * room.partner[j] * step / price
        theirs += share * (1.0 - room.partner[j]) * step / price
        falls += 1.0 if step < 0.0 else 0.0
        error = max(error, 100.0 * abs(short - step) / price)
    summary[1], summary[2] = percent(ours, our_sales), percent(theirs, their_sales)
    summary[3], summary[4] = falls, error


@kernel
def account(here, room, gains, summary):
    """Who gains and who pays, cents a consumer.

    gains : (4, 1 + F), row 0, which is read: 0 for consumers, then the firms' numbers; rows 1 to 3: what consumers,
    merging firms and other firms gain, NaN elsewhere. summary[5:15] : HHI before, after, and its change; consumer
    surplus, its change in percent and in cents; changes of partners' and of others' profits in percent; how many buy
    nothing, before and after, in percent; and the sum of all gains in cents.
    """
    worth, staying, leaving = choose(here, room, here.prices), 1.0, 1.0
    gains[1, 0] = 100.0 * without_noise(choose(here, room, room.found) - worth)
    gains[2, 0] = gains[3, 0] = math.nan
    demand.market_shares(room.moved, here.weights, room.sold)
    for j in range(here.prices.size):
        room.codes[j] = -1.0 if room.partner[j] > 0.0 else here.firms[j]
        staying -= here.shares[j]
        leaving -= room.sold[j]
    summary[5], summary[6] = supply.hhi(here.firms, here.shares), supply.hhi(room.codes, room.sold)
    summary[7] = 1e4 * without_noise(1e-4 * (summary[6] - summary[5]))
    summary[8], summary[9], summary[14] = gains[1, 0] / worth, gains[1, 0], gains[1, 0]
    for other in range(2):
        earned = gained = 0.0
        for f in range(1, gains.shape[1]):
            profit, more, members = profits_of(gains[0, f], 1.0 - other, here, room)
            gains[1, f], gains[2 + other, f] = math.nan, more if members > 0.0 else math.nan
            earned, gained = earned + 100.0 * profit, gained + more
        summary[10 + other] = percent(gained, earned)
        summary[14] += gained
    summary[12], summary[13] = 100.0 * staying, 100.0 * leaving


@kernel
def profits_of(firm, partner, here, room):
    """A firm's profit before the merger in dollars, how many cents more it is after it, and its number of products.

    All three are 0 when room.partner of the firm is not `partner`.
    """
    profit = more = members = 0.0
    for j in range(here.prices.size):
        if here.firms[j] == firm and room.partner[j] == partner:
            before = (here.prices[j] - room.costs[j]) * here.shares[j]
            profit, members = profit + before, members + 1.0
            more += (room.found[j] - room.saved[j]) * room.sold[j] - before
    return profit, 100.0 * without_noise(more), members
