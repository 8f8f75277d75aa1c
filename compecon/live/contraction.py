"""Chapter 12: the contraction: mean utilities that explain a market's shares, and what random coefficients are for."""

from functools import cache

import numpy as np

from compecon.blp.examples import cereal_problem
from compecon.blp.inner import logit_delta
from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Bars, Button, Dots, Line, Panel, Readout, Rule, Run, Spans

# What compecon.blp.examples.cereal_results finds: Sigma's diagonal, Pi, and the price coefficient beta.
SIGMA = (0.558094, 3.312489, -0.005784, 0.093414)
PI = ((2.291972, 0, 1.284432, 0), (588.325115, -30.192014, 0, 11.054628),
      (-0.384954, 0, 0.052234, 0), (0.748372, 0, -1.353393, 0))  # fmt: skip
BETA = -62.729896

# In all of them every household that the sliders can make dislikes high prices.
MARKETS = {"C01Q1": "C01Q1 (outside 56%)", "C03Q2": "C03Q2 (outside 66%)", "C31Q1": "C31Q1 (outside 43%)",
           "C08Q2": "C08Q2 (outside 37%)"}  # fmt: skip
SWEEPS, TOLERANCE = 1000, 1e-12
TASTES = ("sigma_one", "sigma_prices", "sigma_sugar", "sigma_mushy", "demographics")
ESTIMATES = (*map(abs, SIGMA), 1)
# Where the buttons lead.
SETTINGS = ((0,) * 5, ESTIMATES, (10, *ESTIMATES[1:]))
PRODUCTS = "crisp 1-16, mushy 17-24, by sugar"


@cache
def cereal_markets():
    """The kernel's arrays of data, of MARKETS; products are sorted by mushiness, then sugar, then name."""
    problem = cereal_problem()
    products, agents = problem.sorted_products, problem.sorted_agents
    places = [list(products.unique_market_ids).index(market) for market in MARKETS]

    def rows(values, starts):
        return np.stack([values[starts[t] : starts[t + 1]] for t in places])

    x2, firms, names = (rows(v, products.starts) for v in (products.X2, products.firm_ids, products.product_ids))
    order = np.lexsort((names[0], x2[0, :, 2], x2[0, :, 3]))
    traits = rows(agents.traits, agents.starts)
    # Sliders are positive: a negative sigma is the positive one with the draws' signs changed.
    traits[:, :, : len(SIGMA)] *= np.sign(SIGMA)
    return {
        "shares": rows(products.shares, products.starts)[:, order],
        "logit": rows(logit_delta(products), products.starts)[:, order],
        "x2": x2[:, order], "firms": firms[0, order], "traits": traits, "weights": rows(agents.weights, agents.starts),
    }  # fmt: skip


class Contraction(LiveFigure):
    """Berry's inversion by three methods, and diversion at its solution, at every move. See `LiveFigure`."""

    name = "contraction"
    title = "The contraction"
    caption = (
        "A market of Nevo's cereals: 24 products, and 20 simulated households whose tastes vary by Sigma and, with "
        "demographics, by Pi. Starting at the plain logit's, three methods look for the mean utilities that explain "
        "the observed shares S to 1e-12, and stop after 1,000 sweeps. A sweep is one evaluation of the shares s; one "
        "of Newton's, which also solves linear equations, costs about four others. The second picture shows what "
        "there is to close. The third shows where a product's buyers go when its price rises: in the plain logit "
        "wherever shares are large, but where tastes vary, to what is alike. The price coefficient beta stays at its "
        "estimate, -62.7, in the plain logit too, which by itself would be estimated at -30.1."
    )

    market = Choice("C01Q1", "Market", MARKETS)
    product = Slider(3, "Product", low=1, high=24, step=1, format=".0f")
    sigma_one = Slider(ESTIMATES[0], "Sigma, constant", low=0, high=10, step=0.01)
    sigma_prices = Slider(ESTIMATES[1], "Sigma, price", low=0, high=15, step=0.01)
    sigma_sugar = Slider(ESTIMATES[2], "Sigma, sugar", low=0, high=1, step=0.001, format=".3f")
    sigma_mushy = Slider(ESTIMATES[3], "Sigma, mushy", low=0, high=8, step=0.01)
    demographics = Slider(ESTIMATES[4], "Pi, times its estimate", low=0, high=1, step=0.01)

    runs = (Run("contraction"),)
    buttons = tuple(
        Button(key, label, "contraction", once=True, moves=tuple((name, f"settings[{row}][{place}]")
                                                                for place, name in enumerate(TASTES)))
        for row, (key, label) in enumerate((("logit", "Plain logit"), ("estimates", "Estimates"),
                                            ("strong", "Cereal lovers and haters")))
    )  # fmt: skip
    messages = {"contraction": "Newton's method did not find the mean utilities within 1,000 sweeps."}
    panels = (
        Panel("Error of the shares", Axis("sweep", (0.8, 1.25 * SWEEPS), log=True, format=",.0f"),
              Axis("largest |log S - log s|", (1e-16, 100), log=True, format=".0e"),
              (Line("sweeps", "errors[0]", "contraction", tone=2), Line("sweeps", "errors[1]", "SQUAREM", tone=3),
               Line("sweeps", "errors[2]", "Newton"),
               *(Dots(f"ends[0][{m}]", f"ends[2][{m}]", tone=tone) for m, tone in enumerate((2, 3, 1))),
               Dots("ends[0][0]", "ends[3][0]", "stopped", tone=2, size=4.5, hollow=True),
               Dots("ends[0][1]", "ends[3][1]", tone=3, size=4.5, hollow=True), Rule(y="tolerance[0]")),
              "Errors by sweep, down to 1e-12: the contraction takes {plain}, SQUAREM {squarem}, Newton {newton}."),
        Panel("Shares at the plain logit's mean utilities", Axis(PRODUCTS, (0, 25)),
              Axis("share", (3e-5, 1), log=True, format=".1g"),
              (Spans("products", "observed", "predicted"), Dots("products", "observed", "observed, S"),
               Dots("products", "predicted", "at the start, s", tone=2, hollow=True)),
              "Observed shares of the 24 products, and the model's shares at the plain logit's mean utilities."),
        Panel("Diversion, when the product's price rises", Axis(PRODUCTS + "; outside 26", (0, 27)),
              Axis("share of the buyers lost"),
              (Bars("places", "bars[0]", "to its own firm", tone=3), Bars("places", "bars[1]", "to other firms"),
               Bars("places", "bars[2]", "to the outside good", tone=4),
               Dots("places", "bars[3]", "plain logit", tone=2, hollow=True), Rule("product", label="the product")),
              "Of the buyers that product {product} loses, {outside} go to the outside good, and most of the others to "
              "product {closest}; in the plain logit {outside_logit} go to the outside good."),
    )  # fmt: skip
    readouts = (
        Readout("plain", "Contraction, sweeps", "ends[0][0]", ",.0f", " of 1,000"),
        Readout("plain_error", "Contraction, last error", "ends[1][0]", ".1e"),
        Readout("rate", "A sweep of the contraction leaves", "summary[8]", ".3f", " of the error"),
        Readout("squarem", "SQUAREM, sweeps", "ends[0][1]", ",.0f", " of 1,000"),
        Readout("squarem_error", "SQUAREM, last error", "ends[1][1]", ".1e"),
        Readout("newton", "Newton, sweeps", "ends[0][2]", ",.0f", " of 1,000"),
        Readout("outside", "To the outside good", "summary[0]"),
        Readout("outside_logit", "Outside good, plain logit", "summary[1]"),
        Readout("firm", "To its own firm", "summary[2]"),
        Readout("firm_logit", "Own firm, plain logit", "summary[3]"),
        Readout("closest", "Most to product", "summary[4]", ".0f"),
        Readout("closest_logit", "Most to product, plain logit", "summary[5]", ".0f"),
        Readout("elasticity", "Own-price elasticity", "summary[6]", ".2f"),
        Readout("elasticity_logit", "Elasticity, plain logit", "summary[7]", ".2f"),
    )

    def arrays(self):
        """Data of the markets, and room for the results."""
        data = cereal_markets()
        J, I = data["shares"].shape[1], data["weights"].shape[1]  # noqa: E741
        x2dot = np.zeros((J, 4))
        x2dot[:, 1] = 1.0
        numbers = np.arange(1.0, J + 1)
        return {
            **data, "pi": PI, "base": np.full(J, BETA), "x2dot": x2dot, "tolerance": [TOLERANCE], "settings": SETTINGS,
            "products": numbers, "places": np.append(numbers, J + 2.0), "sweeps": np.arange(1.0, SWEEPS + 1),
            "loadings": np.zeros((2, 4, 8)), "delta": np.zeros((3, J)), "errors": np.zeros((3, SWEEPS)),
            "ends": np.zeros((4, 3)),
            "observed": np.zeros(J), "predicted": np.zeros(J), "diversion": np.zeros((2, J, J)),
            "elasticities": np.zeros((2, J, J)), "bars": np.zeros((4, J + 1)), "summary": np.zeros(9),
            "pairs": np.zeros((3, I, J)), "by_agent": np.zeros((2, I)), "square": np.zeros((J, J)),
            "by_product": np.zeros((8, J)),
        }  # fmt: skip
