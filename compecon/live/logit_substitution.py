"""Chapter 11: the plain logit, substitution by share alone, and four estimates of the price coefficient."""

from functools import cache

import numpy as np

from compecon import datasets
from compecon.blp import Formulation, Problem
from compecon.live import logit_substitution_kernels as kernels
from compecon.live.contraction import MARKETS, PRODUCTS, cereal_markets
from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Bars, Dots, Line, Panel, Readout, Rule, Run, Spans

ESTIMATES = {
    "ols": "1 OLS", "iv": "2 IV", "ols_effects": "3 OLS, product effects", "iv_effects": "4 IV, product effects",
}  # fmt: skip
PERCENTS = tuple(range(-50, 51, 2))
PLACES = PRODUCTS + "; outside 26"


@cache
def logits():
    """Results of the plain logit on the cereal data, in the order of ESTIMATES."""
    table, _ = datasets.load_cereal()
    exogenous = table.drop(columns=[name for name in table if name.startswith("demand_instruments")])
    # The price as its own instrument: least squares.
    least_squares = exogenous.assign(demand_instruments0=exogenous["prices"])
    plain, effects = Formulation("1 + prices + sugar + mushy"), Formulation("0 + prices", absorb="C(product_ids)")
    return [Problem(formulation, data).solve(method="1s") for formulation in (plain, effects)
            for data in (least_squares, table)]  # fmt: skip


def price_coefficients():
    """(2, 4): the estimates of alpha and their standard errors."""
    found = []
    for results in logits():
        row = results.beta_labels.index("prices")
        found.append([results.beta[row, 0], results.beta_se[row, 0]])
    return np.array(found).T


class LogitSubstitution(LiveFigure):
    """One price moves in a market with logit demand, at four estimates of its coefficient. See `LiveFigure`."""

    name = "logit-substitution"
    title = "Logit demand"
    caption = (
        "A market of 24 cereals from Nevo's simulated data, with logit demand. One price moves; the other prices and "
        "the rest of utility stay. Every rival gains the same percentage, whatever it is like, so that lost buyers go "
        "where shares are large: the circles are s_k/(1 − s_j). The price coefficient alpha is estimated four ways "
        "from all 94 markets: by least squares (OLS) and with Nevo's instruments (IV), first with a constant, sugar "
        "and mushiness beside the price, then with an effect of each product; bars are 95% intervals. The estimate "
        "sets by how much shares move, but not to where."
    )

    market = Choice("C01Q1", "Market", MARKETS)
    product = Slider(12, "Product", low=1, high=24, step=1, format=".0f")
    change = Slider(20, "Change of its price", low=-50, high=50, step=2, format="+.0f", unit="%")
    estimate = Choice("iv_effects", "Estimate of alpha", ESTIMATES)

    runs = (Run("logit_substitution"),)
    panels = (
        Panel("Demand for the product", Axis("change of its price, %", (-50, 50)), Axis("its share, %"),
              (*(Line("percents", f"curves[{row}]", "" if row else "each estimate", tone=4) for row in range(4)),
               Line("percents", "curves[4]", "the one in use"), Rule(x="zero[0]"),
               Dots("change", "here[0]", "now", tone=2, size=6)),
              "Four falling curves, one for each estimate; at {change} the share is {share}."),
        Panel("Change of every share", Axis(PLACES, (0, 27)), Axis("% of the share"),
              (Bars("places", "changes[0]", "the product", tone=2), Bars("places", "changes[1]", "other products"),
               Bars("places", "changes[2]", "outside good", tone=4)),
              "Shares of all other products and of the outside good change by {others}, the same for all."),
        Panel("Where its lost buyers go", Axis(PRODUCTS, (0, 25)), Axis("part of them", format=".0%"),
              (Bars("numbers", "diversion[0]", "to the other products"),
               Dots("numbers", "diversion[1]", "their share / (1 − the product's)", tone=2, hollow=True)),
              "Of the buyers lost {outside} go to the outside good, and the others in proportion to shares."),
        Panel("The price coefficient", Axis("estimate, by its number", (-0.5, 5.5), format=".0f"),
              Axis("alpha", (-34, 0)),
              (Spans("four", "interval[0]", "interval[1]"), Dots("four", "alphas", "estimates"),
               Dots("chosen[0]", "chosen[1]", "in use", tone=2, size=7, hollow=True)),
              "Four estimates of alpha: with product effects it is about three times as large."),
    )  # fmt: skip
    readouts = (
        Readout("price", "Its price", f"summary[{kernels.PRICE}]", ".2f", " cents"),
        Readout("share", "Its share", f"summary[{kernels.SHARE}]", ".2f", "%"),
        Readout("others", "Every other share changes by", f"summary[{kernels.OTHERS}]", "+.2f", "%"),
        Readout("own", "Own elasticity, at this price", f"summary[{kernels.OWN}]", ".2f"),
        Readout("cross", "Elasticity of all other shares", f"summary[{kernels.CROSS}]", ".4f"),
        Readout("outside", "Of its lost buyers, outside", f"summary[{kernels.OUTSIDE}]", ".1%"),
        Readout("alike", "To products as mushy", f"summary[{kernels.ALIKE}]", ".1%"),
        Readout("surplus", "Consumers gain", f"summary[{kernels.SURPLUS}]", "+.3f", " cents each"),
        Readout("mean", "Mean own elasticity, observed prices", f"summary[{kernels.MEAN}]", ".2f"),
        Readout("inelastic", "Products with inelastic demand", f"summary[{kernels.INELASTIC}]", ".0f", " of 24"),
    )

    def arrays(self):
        """The markets and the estimates, and room for the results."""
        known, (alphas, errors) = cereal_markets(), price_coefficients()
        shares, J = known["shares"], known["shares"].shape[1]
        return {
            "shares": shares, "prices": known["x2"][:, :, 1], "mushy": known["x2"][0, :, 3], "alphas": alphas,
            "interval": [alphas - 1.96 * errors, alphas + 1.96 * errors], "four": np.arange(1, 5), "zero": [0.0],
            "percents": PERCENTS, "curves": np.zeros((5, len(PERCENTS))), "here": np.zeros(1),
            "numbers": np.arange(1, J + 1), "places": np.append(np.arange(1, J + 1), J + 2),
            "changes": np.zeros((3, J + 1)), "diversion": np.zeros((2, J)), "chosen": np.zeros(2),
            "summary": np.zeros(kernels.SUMMARY_SIZE), "agents": np.zeros((kernels.AGENT_ROWS, 1, J)),
            "products": np.zeros((kernels.PRODUCT_ROWS, J)), "one": np.zeros((kernels.ONE_ROWS, 1)),
            "matrix": np.zeros((J, J)),
        }  # fmt: skip
