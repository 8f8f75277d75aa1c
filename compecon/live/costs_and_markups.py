"""Chapter 15: what marginal costs explain the same prices, under one conduct and another."""

import numpy as np

from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.merger_room import BORDERS, PRODUCT, cereal_demand, market_arrays
from compecon.live.parts import Axis, Bars, Dots, Line, Panel, Readout, Rule, Run, Spans

MARKETS = {name: name for name in ("C01Q1", "C61Q2", "C48Q1", "C08Q2")}
CONDUCTS = {"firms": "firms as they are", "alone": "each product alone", "one": "one owner of all"}


class CostsAndMarkups(LiveFigure):
    """Marginal costs that make observed prices an equilibrium, by who sets them. See `LiveFigure`."""

    name = "costs-and-markups"
    title = "Costs and markups"
    caption = (
        "A market of 24 cereals, with demand estimated from Nevo's simulated data. Prices, shares and demand stay as "
        "they are whatever you move; what moves are the costs that explain the prices. Whoever sets a price counts the "
        "profit of products set together with it in full, and that of all others with the weight kappa. Where each "
        "product stands alone and kappa is 0, margins are inverse elasticities, and the dots of the second picture lie "
        "on its line. Look for the weight at which the first cost falls below zero: no firm produces for less than "
        "nothing, so that conduct, or the demand, must be wrong."
    )

    conduct = Choice("firms", "Prices are set by", CONDUCTS)
    kappa = Slider(0, "Weight of others, kappa", low=0, high=1, step=0.01)
    market = Choice("C01Q1", "Market", MARKETS)

    runs = (Run("costs_and_markups"),)
    messages = {"costs_and_markups": "The first-order conditions are singular: no costs explain these prices."}
    panels = (
        Panel("Prices and the costs that explain them", PRODUCT, Axis("cents a serving", (-6, 20)),
              (*BORDERS, Rule(y="nothing[0]", dashed=False), Spans("product", "costs[1]", "costs[0]"),
               Dots("product", "costs[0]", "price", tone=4), Dots("product", "costs[2]", "cost"),
               Dots("product", "costs[3]", "negative cost", tone=2),
               Dots("product", "costs[4]", "cost, firms as they are", tone=3, hollow=True, size=5)),
              "Prices and costs of 24 products; the lowest cost is {lowest}, and {negative} costs are negative."),
        Panel("Markups and elasticities", Axis("1 / |own elasticity|", (0.15, 1), log=True, format=".1f"),
              Axis("(price − cost) / price", (0.15, 2.2), log=True, format=".1f"),
              (Line("ends", "ends", "single-product rule", tone=4, dashed=True),
               Rule(y="whole[0]", label="cost 0", tone=2),
               Dots("lerner[0]", "lerner[1]", "products")),
              "Lerner indices against inverse own elasticities: {markup} and {inverse} on average."),
        Panel("Costs by the weight", Axis("kappa", (0, 1)), Axis("cents a serving", (-6, 11)),
              (Line("kappas", "path[0]", "mean cost", tone=3), Line("kappas", "path[1]", "lowest cost"),
               Rule(y="nothing[0]", dashed=False), Rule("kappa"), Dots("kappa", "summary[2]", size=5)),
              "Mean and lowest cost fall as kappa rises from 0 to 1; at {kappa} the lowest is {lowest}."),
        Panel("Profits", Axis("firm", (0.4, 6.6), format=".0f"), Axis("cents a consumer"),
              (Bars("profits[0]", "profits[1]", "implied"),
               Dots("profits[0]", "profits[2]", "firms as they are", tone=3, hollow=True, size=5)),
              "Profits of five firms at the same prices and shares: {profit} a consumer together."),
    )  # fmt: skip
    readouts = (
        Readout("markup", "Mean (price − cost) / price", "summary[0]"),
        Readout("inverse", "Mean 1 / |own elasticity|", "summary[1]"),
        Readout("margin", "Margin of the mean serving sold", "summary[4]", ".2f", " cents"),
        Readout("lowest", "Lowest cost", "summary[2]", ".2f", " cents"),
        Readout("negative", "Negative costs", "summary[3]", ".0f", " of 24"),
        Readout("profit", "Profits", "summary[5]", ".2f", " cents"),
    )

    def arrays(self):
        """The markets, and room for the results."""
        known = market_arrays(cereal_demand(), MARKETS)
        people, n = known["weights"].shape[1], known["prices"].shape[1]
        firms, borders = np.unique(known["firms"], return_index=True)
        profits = np.zeros((3, firms.size))
        profits[0] = firms
        return known | {
            "product": np.arange(1, n + 1), "borders": borders[1:] + 0.5, "nothing": [0.0],
            "whole": [1.0], "ends": [0.15, 1.0], "kappas": np.linspace(0, 1, 41),
            "agents": np.zeros((2, people, n)), "people": np.zeros(people), "squares": np.zeros((3, n, n)),
            "margins": np.zeros(n), "eta": np.zeros((n, 1)), "costs": np.zeros((5, n)), "lerner": np.zeros((2, n)),
            "path": np.zeros((2, 41)), "profits": profits, "summary": np.zeros(6),
        }  # fmt: skip
