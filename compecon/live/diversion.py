"""Chapter 14: elasticities and diversion of a product pair, at small and at large changes of a price."""

import numpy as np

from compecon.live.controls import Choice, Slider
from compecon.live.diversion_kernels import ITSELF
from compecon.live.figure import LiveFigure
from compecon.live.merger_room import cereal_demand, market_arrays
from compecon.live.parts import Axis, Dots, Line, Panel, Readout, Rule, Run

MARKETS = {name: name for name in ("C01Q1", "C61Q2", "C31Q1", "C08Q1")}
LOWEST, HIGHEST, N = -20, 100, 24
PRODUCT = "product, firm by firm"
PAIR = (Rule(x="product", label="its price moves"), Rule(y="other", dashed=False, label="its share is watched"))


class Diversion(LiveFigure):
    """Who gains what a product loses when its price moves by little, by much, or without end. See `LiveFigure`."""

    name = "diversion"
    title = "Elasticities and diversion"
    caption = (
        "A market of 24 cereals, with demand estimated from Nevo's simulated data. One price moves; mean utilities and "
        "all other prices stay, and nobody answers. In the first picture an area stands for a cross elasticity: of the "
        "row's share, by the column's price; drag the cross to choose the pair. The second shows the share by the "
        "price, beside two demands with the same own elasticity at the observed price. The third shows where the lost "
        "buyers go: in a plain logit in proportion to shares, whatever the change. In the fourth the elasticity of all "
        "sales belongs to all prices that move together, by the same percentage, and is divided by the inside share."
    )

    market = Choice("C01Q1", "Market", MARKETS)
    product = Slider(14, "Product whose price moves", low=1, high=N, step=1, format=".0f")
    other = Slider(6, "Product whose share is watched", low=1, high=N, step=1, format=".0f")
    change = Slider(50, "Change of the price", low=LOWEST, high=HIGHEST, step=1, format=".0f", unit="%")

    runs = (Run("diversion"),)
    panels = (
        Panel("Cross elasticities", Axis("price of product", (0, N + 1)), Axis("share of product", (N + 1, 0)),
              (Dots("columns_of", "rows_of", sizes="dots"), *PAIR),
              "A matrix of dots. The elasticity of product {other}'s share by product {product}'s price is {cross}; of "
              "product {product}'s share by product {other}'s price {back}.",
              drag=("product", "other")),
        Panel("Demand for the product", Axis("change of its price, %", (LOWEST, HIGHEST)),
              Axis("share, % of the observed", (0.15, 500), log=True, format=".0f"),
              (Line("percents", "curves[0]", "the model"), Line("percents", "curves[1]", "plain logit", tone=2),
               Line("percents", "curves[2]", "constant elasticity", tone=4, dashed=True),
               Dots("change", "here[0]", size=5), Dots("change", "here[1]", tone=2, size=5)),
              "Three falling curves with one slope at no change. At {change} the model keeps {kept} of the share, the "
              "plain logit {kept_logit}."),
        Panel("Where the lost buyers go", Axis(PRODUCT + "; outside 26", (0, N + 3)),
              Axis("part of them", (3e-5, 1), log=True, format=".1g"),
              (Dots("places", "bars[3]", "plain logit", tone=2, hollow=True),
               Dots("places", "bars[0]", "small change", tone=4, size=3),
               Dots("places", "bars[2]", "removal", tone=3, size=3),
               Dots("places", "bars[1]", "this change", size=4.5, hollow=True)),
              "Of the buyers lost {to_other} go to product {other}, in the plain logit {to_other_logit}; {outside} go "
              "to the outside good."),
        Panel("Own elasticities", Axis(PRODUCT, (0, N + 1)), Axis("elasticity", (-7, 0)),
              (Dots("numbers", "own[1]", "of products, by their own price"),
               Dots("product", "summary[0]", tone=2, size=5),
               Rule(y="summary[7]", label="their mean", tone=1), Rule(y="summary[8]", label="of all sales", tone=3)),
              "Own elasticities of 24 products, {mean_own} on average; the elasticity of all sales is {aggregate}."),
    )  # fmt: skip
    readouts = (
        Readout("own", "Own elasticity", "summary[0]", ".2f"),
        Readout("cross", "Cross elasticity", "summary[1]"),
        Readout("back", "Cross elasticity, pair swapped", "summary[2]"),
        Readout("kept", "Share kept", "here[0]", ".1f", "%"),
        Readout("kept_logit", "Share kept, plain logit", "here[1]", ".1f", "%"),
        Readout("to_other", "Diversion to the watched product", "summary[4]", words=((ITSELF, "itself"),)),
        Readout("to_other_logit", "The same diversion, plain logit", "summary[6]", words=((ITSELF, "itself"),)),
        Readout("outside", "Diversion to the outside good", "flows[1][24]"),
        Readout("mean_own", "Mean own elasticity", "summary[7]", ".2f"),
        Readout("aggregate", "Elasticity of all sales", "summary[8]", ".2f"),
    )

    def arrays(self):
        """The markets, and room for the results."""
        known = market_arrays(cereal_demand(), MARKETS)
        known.pop("firms")
        people, numbers, percents = known["weights"].shape[1], np.arange(1.0, N + 1), np.arange(LOWEST, HIGHEST + 1, 2)
        return known | {
            "percents": percents, "numbers": numbers, "places": np.append(numbers, N + 2.0),
            "columns_of": np.tile(numbers, N), "rows_of": np.repeat(numbers, N),
            "agents": np.zeros((4, people, N)), "people": np.zeros((2, people)), "columns": np.zeros((2, N)),
            "square": np.zeros((N, N)), "elasticities": np.zeros((N, N)), "dots": np.zeros(N * N),
            "own": np.zeros((2, N)), "curves": np.zeros((3, percents.size)), "here": np.zeros(3),
            "flows": np.zeros((4, N + 1)), "bars": np.zeros((4, N + 1)), "summary": np.zeros(9),
        }  # fmt: skip
