"""Chapter 16: the merger room: which firms merge, what they save, and who pays."""

from functools import cache

import numpy as np

from compecon.blp.demand_kernels import workspace_size
from compecon.blp.examples import cereal_results
from compecon.live.controls import Choice, Slider, Switch
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Bars, Dots, Line, Panel, Readout, Rule, Run, Spans

# Under each conduct the costs of all products are positive here, as in five more of the 94 markets.
MARKETS = {"C61Q2": "City 61, quarter 2", "C44Q1": "City 44, quarter 1", "C26Q1": "City 26, quarter 1",
           "C29Q2": "City 29, quarter 2"}  # fmt: skip
CONDUCTS = {"firms": "firms as they are", "alone": "each product alone", "cartel": "one cartel of all"}
PRODUCT = Axis("product, firm by firm", (0, 25))
BORDERS = tuple(Rule(x=f"borders[{place}]") for place in range(4))


@cache
def cereal_demand():
    """The demand for cereals at the estimates of pyblp's tutorial."""
    return cereal_results().demand()


def market_arrays(demand, ids):
    """What the kernel needs to know of markets that sell the same products to equally many agents, stacked."""
    problem = demand.problem
    products, agents, known = problem.sorted_products, problem.sorted_agents, problem.unique_market_ids.tolist()
    sold = [slice(*products.starts[known.index(name) :][:2]) for name in ids]
    buyers = [slice(*agents.starts[known.index(name) :][:2]) for name in ids]
    base, x2dot = demand.derivatives("prices")
    by_product = {"prices": demand.prices, "shares": demand.shares, "delta": demand.delta, "x2": products.X2}
    by_agent = {"weights": agents.weights, "traits": agents.traits}
    stacks = {name: np.stack([values[here] for here in sold]) for name, values in by_product.items()}
    stacks |= {name: np.stack([values[here] for here in buyers]) for name, values in by_agent.items()}
    # Firms and derivatives are those of any market: the products are the same, and prices enter linearly.
    return stacks | {"firms": products.firm_ids[sold[0]], "base": base[sold[0]], "x2dot": x2dot[sold[0]],
                     "loadings": demand.loadings}  # fmt: skip


class MergerRoom(LiveFigure):
    """A merger of cereal firms: costs from observed prices, the new equilibrium, who pays. See `LiveFigure`."""

    name = "merger-room"
    title = "The merger room"
    caption = (
        "A market of 24 cereals, with demand estimated from Nevo's simulated data. The firms that are ticked merge: "
        "they price all their products together from then on, at costs that fall by the savings; a firm ticked alone "
        "just saves. Conduct before the merger decides which costs explain the observed prices. A cartel of all leaves "
        "nothing to merge. In 85 of the 94 markets it would mean negative costs; these four are among the other nine. "
        "UPP, upward pricing pressure, is what a raised price sends to new partners, valued at their margins, less the "
        "savings; without new partners it is zero. The approximation solves for prices with the observed shares and "
        "derivatives. HHI goes by firms, whatever the conduct. Look for rivals, who gain without merging, and for the "
        "savings at which consumers lose nothing."
    )

    firm1 = Switch(True, "Firm 1, products 1–9")
    firm2 = Switch(True, "Firm 2, products 10–18")
    firm3 = Switch(False, "Firm 3, products 19–20")
    firm4 = Switch(False, "Firm 4, products 21–23")
    firm6 = Switch(False, "Firm 6, product 24")
    savings = Slider(0, "Cost savings", low=0, high=20, step=0.1, format=".1f", unit="%")
    conduct = Choice("firms", "Conduct before", CONDUCTS)
    market = Choice("C61Q2", "Market", MARKETS)

    runs = (Run("merger_room"),)
    messages = {"merger_room": "No equilibrium prices were found for this merger. Change the firms or the savings."}
    panels = (
        Panel("Change of prices", PRODUCT, Axis("% of the price", (-25, 55)),
              (*BORDERS, Bars("product", "change[0]", "merging firms", tone=2),
               Bars("product", "change[1]", "other firms"),
               Dots("product", "change[2]", "approximation", tone=3, hollow=True)),
              "Price changes by product: of merging firms {ours} on average, of other firms {theirs}."),
        Panel("Pricing pressure and change of prices", Axis("UPP, cents a serving", (-3.5, 3.5)),
              Axis("change, cents a serving", (-4, 6)),
              (Line("diagonal", "diagonal", "change = UPP", tone=4, dashed=True),
               Dots("pressure[0]", "pressure[2]", "other firms"),
               Dots("pressure[0]", "pressure[1]", "merging firms", tone=2)),
              "Price changes against upward pricing pressure, which the products of other firms do not have."),
        Panel("Margins", PRODUCT, Axis("% of the price", (0, 100)),
              (*BORDERS, Spans("product", "margin[0]", "margin[1]"),
               Dots("product", "margin[0]", "before", tone=4, hollow=True),
               Dots("product", "margin[2]", "after, merging firms", tone=2),
               Dots("product", "margin[3]", "after, other firms")),
              "Price less cost by product, before and after, in percent of the price."),
        Panel("Who gains, who pays", Axis("firm (0: consumers)", (-0.6, 6.6), format=".0f"), Axis("cents a consumer"),
              (Rule(y="tenths[0]", label="0.1 cents"), Rule(y="tenths[1]", dashed=False), Rule(y="tenths[2]"),
               Bars("gains[0]", "gains[1]", "consumers", tone=3),
               Bars("gains[0]", "gains[2]", "merging firms", tone=2), Bars("gains[0]", "gains[3]", "other firms")),
              "Consumers gain {consumers}; profits of merging firms change by {partners}, of other firms by {rivals}."),
    )  # fmt: skip
    readouts = (
        Readout("ours", "Prices of merging firms", "summary[1]", "+.2f", "%"),
        Readout("theirs", "Prices of other firms", "summary[2]", "+.2f", "%"),
        Readout("cheaper", "Products that get cheaper", "summary[3]", ".0f"),
        Readout("error", "Approximation off by up to", "summary[4]", ".1f", "% of the price"),
        Readout("hhi_before", "HHI before", "summary[5]", ",.0f"),
        Readout("hhi_after", "HHI after", "summary[6]", ",.0f"),
        Readout("hhi_change", "Change of the HHI", "summary[7]", "+,.0f"),
        Readout("surplus", "Consumer surplus", "summary[8]", "+.1f", "%"),
        Readout("consumers", "Consumers gain", "summary[9]", "+.2f", " cents each"),
        Readout("partners", "Profits of merging firms", "summary[10]", "+.1f", "%"),
        Readout("rivals", "Profits of other firms", "summary[11]", "+.1f", "%"),
        Readout("welfare", "All gains together", "summary[14]", "+.2f", " cents each"),
        Readout("outside_before", "Buy no cereal, before", "summary[12]", ".1f", "%"),
        Readout("outside_after", "Buy no cereal, after", "summary[13]", ".1f", "%"),
        Readout("rounds", "Rounds of iteration", "summary[0]", ".0f"),
    )

    def arrays(self):
        """The markets, and room for the results."""
        known = market_arrays(cereal_demand(), MARKETS)
        firms, (J, I) = known["firms"], (known["prices"].shape[1], known["weights"].shape[1])  # noqa: E741
        numbers, gains = np.unique(firms), np.zeros((4, 6))
        gains[0, 1:] = numbers
        return known | {
            "product": np.arange(1, J + 1), "borders": np.searchsorted(firms, numbers[1:]) + 0.5,
            "diagonal": [-3.5, 3.5], "tenths": [-0.1, 0.0, 0.1],
            "columns": np.zeros((8, J)), "squares": np.zeros((4, J, J)), "agents": np.zeros((4, I, J)),
            "people": np.zeros((2, I)), "eta": np.zeros((J, 1)), "report": np.zeros(1),
            "flat": np.zeros(workspace_size(I, J)), "change": np.zeros((3, J)), "pressure": np.zeros((3, J)),
            "margin": np.zeros((4, J)), "gains": gains, "summary": np.zeros(15),
        }  # fmt: skip
