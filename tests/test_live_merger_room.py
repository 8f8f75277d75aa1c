"""The merger room says what the estimates' own compute_* methods say, whoever merges, saves and competes how."""

import itertools

import numpy as np
import pytest

from compecon.errors import ConvergenceError
from compecon.live import MergerRoom
from compecon.live.merger_kernels import Room
from compecon.live.merger_room import MARKETS

FIRMS = (1, 2, 3, 4, 6)
# Market, firms that merge, percent saved, conduct before.
STATES = [
    ("C61Q2", (1, 2), 0.0, "firms"), ("C61Q2", (), 20.0, "firms"), ("C44Q1", (3, 6), 3.3, "firms"),
    ("C26Q1", (2,), 20.0, "firms"), ("C29Q2", FIRMS, 0.1, "firms"), ("C61Q2", (1, 4), 5.0, "alone"),
    ("C44Q1", (1,), 0.0, "alone"), ("C26Q1", FIRMS, 20.0, "alone"), ("C29Q2", (), 0.0, "alone"),
    ("C61Q2", (3, 4, 6), 20.0, "cartel"), ("C44Q1", (1, 2), 0.0, "cartel"), ("C29Q2", (4,), 12.5, "cartel"),
]  # fmt: skip


class Answer:
    """The same merger by the library's public methods, and who owns what in plain NumPy."""

    def __init__(self, cereal, cereal_products, market, partners, savings, conduct):
        self.cereal, self.market = cereal, market
        data = cereal_products[cereal_products.market_ids == market]
        self.firms, self.prices = data.firm_ids.to_numpy(), data.prices.to_numpy()
        self.observed, self.saving = data.shares.to_numpy(), savings / 100
        self.partner = np.isin(self.firms, partners)
        groups = {"firms": self.firms, "alone": np.arange(24) + 100, "cartel": np.zeros(24)}
        self.ids = groups[conduct]
        self.merged = np.where(self.partner & (conduct != "cartel"), -1, self.ids)
        # Given as matrices, where the figure uses codes or matrices of its own.
        self.before, self.after = (np.equal.outer(ids, ids).astype(float) for ids in (self.ids, self.merged))
        self.costs = self.ask("costs", ownership=self.before)
        self.saved = self.costs * (1 - self.saving * self.partner)
        self.new_prices = self.ask("prices", ownership=self.after, costs=self.saved)
        self.new_shares = self.ask("shares", prices=self.new_prices)

    def ask(self, what, *options, **arguments):
        """results.compute_<what> in this market, flat."""
        compute = getattr(self.cereal, f"compute_{what}")
        return compute(*options, market_id=self.market, **arguments).ravel()

    def gains(self):
        """Changes of profits by product, dollars a consumer."""
        after = self.ask("profits", prices=self.new_prices, shares=self.new_shares, costs=self.saved)
        return after - self.ask("profits", costs=self.costs)

    def surplus(self):
        """Consumer surplus before and after."""
        return self.ask("consumer_surpluses")[0], self.ask("consumer_surpluses", prices=self.new_prices)[0]


@pytest.fixture(scope="module")
def figure():
    return MergerRoom()


def move(figure, market, partners, savings, conduct):
    """Set all controls."""
    figure.market, figure.savings, figure.conduct = market, savings, conduct
    for firm in FIRMS:
        setattr(figure, f"firm{firm}", firm in partners)


@pytest.fixture(scope="module", params=STATES, ids=lambda state: "-".join(map(str, state)))
def both(request, figure, cereal, cereal_products):
    """The figure's arrays and read-outs in a state, and the library's answer."""
    move(figure, *request.param)
    arrays = {name: values.copy() for name, values in figure.outputs().items() if isinstance(values, np.ndarray)}
    return arrays, figure.read(), Answer(cereal, cereal_products, *request.param)


def by_kind(rows, answer):
    """The row of partners and that of others as one, after a look that each holds its own kind only."""
    np.testing.assert_array_equal(np.isnan(rows[0]), ~answer.partner)
    np.testing.assert_array_equal(np.isnan(rows[1]), answer.partner)
    return np.where(answer.partner, *rows)


def close(found, expected, scale=1.0):
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=2e-9 * scale)


def test_prices_after_the_merger_are_those_of_compute_prices(both):
    arrays, _, answer = both
    np.testing.assert_allclose(arrays["columns"][Room._fields.index("found")], answer.new_prices, rtol=0, atol=1e-13)
    step = answer.new_prices - answer.prices
    close(by_kind(arrays["change"][:2], answer), 100 * step / answer.prices, 1e3)
    close(by_kind(arrays["pressure"][1:], answer), 100 * step, 1e2)


def test_the_approximation_is_that_of_compute_approximate_prices(both):
    arrays, readouts, answer = both
    prices = answer.ask("approximate_prices", ownership=answer.after, costs=answer.saved)
    close(arrays["change"][2], 100 * (prices / answer.prices - 1), 1e3)
    close(readouts["error"], np.max(100 * np.abs(prices - answer.new_prices) / answer.prices), 1e3)


def test_pricing_pressure_is_that_of_compute_upp(both):
    arrays, _, answer = both
    pressure = answer.ask("upp", answer.merged, answer.ids, efficiency=answer.saving)
    close(arrays["pressure"][0], 100 * pressure, 1e-4)
    if len(set(answer.merged)) < len(set(answer.ids)):
        assert np.any(pressure != 0)


def test_margins_are_those_of_compute_markups(both):
    arrays, _, answer = both
    close(arrays["margin"][0], 100 * answer.ask("markups", costs=answer.costs), 1e-3)
    after = 100 * answer.ask("markups", prices=answer.new_prices, costs=answer.saved)
    close(arrays["margin"][1], after, 1e-3)
    close(by_kind(arrays["margin"][2:], answer), after, 1e-3)


def test_concentration_is_that_of_compute_hhi_with_firms_that_merge_as_one(both):
    _, readouts, answer = both
    merged = np.where(answer.partner, -1, answer.firms)
    before, after = answer.ask("hhi")[0], answer.ask("hhi", merged, shares=answer.new_shares)[0]
    found = [readouts[key] for key in ("hhi_before", "hhi_after", "hhi_change")]
    np.testing.assert_allclose(found, [before, after, after - before], rtol=1e-10, atol=1e-5)


def test_consumer_surplus_is_that_of_compute_consumer_surpluses(both):
    arrays, readouts, answer = both
    before, after = answer.surplus()
    close(readouts["surplus"], 100 * (after / before - 1), 1e4)
    close(readouts["consumers"], 100 * (after - before), 1e2)
    assert arrays["gains"][1, 0] == readouts["consumers"] and np.isnan(arrays["gains"][1, 1:]).all()


def test_each_firms_gain_is_that_of_compute_profits(both):
    arrays, readouts, answer = both
    gains, mine = answer.gains(), np.array([np.any(answer.partner & (answer.firms == firm)) for firm in FIRMS])
    expected = [100 * gains[answer.firms == firm].sum() for firm in FIRMS]
    np.testing.assert_array_equal(arrays["gains"][0], (0, *FIRMS))
    np.testing.assert_array_equal(np.isnan(arrays["gains"][2:]), [[True, *~mine], [True, *mine]])
    close(np.where(mine, *arrays["gains"][2:, 1:]), expected, 1e2)
    earned = answer.ask("profits", costs=answer.costs)
    for key, members in (("partners", answer.partner), ("rivals", ~answer.partner)):
        if members.any():
            close(readouts[key], 100 * gains[members].sum() / earned[members].sum(), 1e4)
        else:
            assert readouts[key] == 0
    before, after = answer.surplus()
    close(readouts["welfare"], 100 * (gains.sum() + after - before), 1e3)


def test_the_other_read_outs_are_means_counts_and_shares(both):
    _, readouts, answer = both
    percent = 100 * (answer.new_prices / answer.prices - 1)
    for key, members in (("ours", answer.partner), ("theirs", ~answer.partner)):
        mean = np.average(percent[members], weights=answer.observed[members]) if members.any() else 0
        close(readouts[key], mean, 1e3)
    assert readouts["cheaper"] == np.sum(percent < -1e-6)
    close(readouts["outside_before"], 100 * (1 - answer.observed.sum()))
    close(readouts["outside_after"], 100 * (1 - answer.new_shares.sum()))


@pytest.mark.parametrize("conduct", ["firms", "alone", "cartel"])
@pytest.mark.parametrize("market", MARKETS)
def test_without_merger_and_savings_nothing_changes(figure, market, conduct):
    move(figure, market, (), 0.0, conduct)
    arrays, readouts = figure.outputs(), figure.read()
    found, row = arrays["columns"][Room._fields.index("found")], list(MARKETS).index(market)
    np.testing.assert_allclose(found, arrays["prices"][row], rtol=0, atol=1e-12)
    still = set(readouts) - {"hhi_before", "hhi_after", "outside_before", "outside_after", "rounds"}
    assert {readouts[key] for key in still} == {0}
    assert readouts["rounds"] == 1


def test_one_firm_of_firms_as_they_are_and_firms_of_a_cartel_have_nobody_to_merge_with(figure):
    for partners, conduct in (((2,), "firms"), ((1, 2), "cartel"), (FIRMS, "cartel")):
        move(figure, "C29Q2", partners, 0.0, conduct)
        assert np.nanmax(np.abs(figure.outputs()["change"])) == 0
    move(figure, "C29Q2", (2,), 0.0, "alone")
    assert figure.read()["ours"] > 1


def test_savings_pass_into_prices_and_end_the_consumers_loss(figure):
    move(figure, "C61Q2", (1, 2), 0.0, "firms")
    assert figure.read()["consumers"] < -0.3 and figure.read()["rivals"] > figure.read()["partners"] > 0
    losses = []
    for savings in range(0, 21):
        figure.savings = savings
        losses.append(figure.read()["consumers"])
    assert np.all(np.diff(losses) > 0) and losses[-1] > 0


def test_in_every_reachable_state_all_numbers_are_finite_and_stay_on_the_axes(figure):
    change, pressure, margins, _ = figure.panels
    for market, conduct, savings in itertools.product(MARKETS, ("firms", "alone", "cartel"), (0.0, 7.0, 20.0)):
        for switches in itertools.product((False, True), repeat=5):
            move(figure, market, tuple(itertools.compress(FIRMS, switches)), savings, conduct)
            assert np.isfinite(list(figure.read().values())).all()
            arrays = figure.outputs()
            for values, axis in ((arrays["change"], change.y), (arrays["pressure"][0], pressure.x),
                                 (arrays["pressure"][1:], pressure.y), (arrays["margin"], margins.y)):
                known = values[~np.isnan(values)]
                assert known.min() > axis.range[0] and known.max() < axis.range[1]


def test_the_caption_counts_markets_as_the_estimates_do(cereal, cereal_products):
    costs = cereal.compute_costs(ownership=np.ones((len(cereal_products), 24)))[:, 0]
    refuted = set(cereal_products.market_ids[costs < 0])
    assert (len(refuted), cereal_products.market_ids.nunique()) == (85, 94) and not refuted & set(MARKETS)
    assert "85 of the 94" in MergerRoom.caption
    for conduct in (cereal_products.firm_ids, cereal_products.product_ids):
        costs = cereal.compute_costs(conduct)[:, 0]
        assert costs[cereal_products.market_ids.isin(list(MARKETS))].min() > 0


def test_the_switches_name_the_products_that_firms_own(cereal_products):
    for firm in FIRMS:
        for market in MARKETS:
            places = np.flatnonzero(cereal_products.firm_ids[cereal_products.market_ids == market] == firm) + 1
            known = f"{places[0]}–{places[-1]}" if places.size > 1 else str(places[0])
            assert MergerRoom.controls()[f"firm{firm}"].label.endswith(f" {known}")


@pytest.mark.parametrize("slope", [0.0, 1e3])
def test_consumers_who_like_higher_prices_leave_nothing_to_show(slope):
    figure = MergerRoom()
    figure._engine.arrays["base"][:] = slope
    figure._engine.arrays["x2dot"][:] = 0
    with pytest.raises(ConvergenceError, match="No equilibrium prices were found"):
        figure.read()
