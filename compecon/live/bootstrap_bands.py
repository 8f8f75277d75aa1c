"""Chapter 17: four ways to draw again, four intervals, and how often they hold the truth."""

import numpy as np

from compecon.live import bootstrap_bands_kernels as kernels
from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Bars, Dots, Line, Panel, Readout, Rule, Run, Spans

SAMPLES, SHOWN = 400, 40
BUSES = (8, 15, 30, 60)
DRAWS = (25, 50, 100, 200, 400)
WAYS = {"normal": "parameters", "model": "data of the model", "lives": "engines", "buses": "buses"}
OUTPUTS = {"life": "mean life", "hazard": "hazard", "beyond": "life beyond 50"}
INTERVALS = {"normal": "normal", "percentile": "percentile", "basic": "basic", "t": "percentile-t"}
BIN = 0.25
KIND = Axis("1 normal, 2 percentile, 3 basic, 4 percentile-t", (0.4, 4.6))


class BootstrapBands(LiveFigure):
    """Four bootstraps and four intervals of a small model, and their coverage in repeated samples. See `LiveFigure`."""

    name = "bootstrap-bands"
    title = "The bootstrap"
    caption = (
        f"Each sample holds the lives of {kernels.ENGINES} engines on each of some buses. The model has one hazard for "
        "all; its estimate is the inverse of the mean life, which truly is 50 months. When buses differ, engines live "
        "longer on half of them and shorter on the others, by the share that you set: the model is wrong then, and "
        "lives on one bus are alike. A bootstrap draws again: parameters from their estimated normal distribution, "
        "data from the estimated model, single engines, or whole buses of the sample. In the first picture, its "
        f"deviations from the estimate in one sample should look like those of {SAMPLES} estimates from the truth. The "
        f"others show how often the intervals of all {SAMPLES} samples hold the truth, give or take two standard "
        f"errors, on which side the rest miss it, and the intervals of the first {SHOWN}. Outputs are the mean life in "
        "months, the hazard in percent a month, and the life beyond 50 months or else 0, which has a kink at the "
        "truth. Look for the ways that fail as buses differ, and for what few buses do even to the right one."
    )

    way = Choice("lives", "Draw again", WAYS)
    interval = Choice("percentile", "Interval", INTERVALS)
    output = Choice("life", "Output", OUTPUTS)
    level = Slider(90, "Level", low=50, high=99, step=1, format=".0f", unit="%")
    draws = Slider(200, "Draws", stops=DRAWS, format=".0f")
    buses = Slider(15, "Buses", stops=BUSES, format=".0f")
    spread = Slider(0.6, "Buses differ by", low=0, high=0.9, step=0.1, format=".0%")
    seed = Slider(1, "Number of the simulation", low=1, high=50, step=1, format=".0f")

    runs = (Run("bootstrap_bands"),)
    panels = (
        Panel("One bootstrap, and what it stands for", Axis("deviation, in true standard deviations", (-4, 4)),
              Axis("density", (0, 1.2)),
              (Bars("histogram[0]", "histogram[1]", "draws − estimate, first sample", tone=4, width=BIN),
               Line("histogram[0]", "histogram[2]", "estimates − truth", tone=2, step=True)),
              "A histogram of the bootstrapped deviations, of standard error {error}, and that of the estimates from "
              "the truth, of standard deviation {sd}."),
        Panel("Coverage by kind of interval", KIND, Axis("share that hold the truth", (0, 1.02), format=".0%"),
              (Rule(y="summary[8]", label="level"), Spans("coverage[0]", "coverage[2]", "coverage[3]", tone=4),
               Dots("coverage[0]", "coverage[1]", "coverage", tone=1, size=5)),
              "Four dots beside the level of {level}; that of the chosen interval is at {coverage}."),
        Panel("Intervals that miss, by side", KIND, Axis("share", (0, 0.5), format=".0%"),
              (Rule(y="summary[9]", label="half of what the level leaves"),
               Bars("coverage[0]", "coverage[4]", "too low", tone=2, width=0.3, shift=-0.17),
               Bars("coverage[0]", "coverage[5]", "too high", tone=3, width=0.3, shift=0.17)),
              "Two bars for each kind of interval: the shares that lie below the truth and above it."),
        Panel("Intervals of forty samples", Axis("sample", (0, SHOWN + 1), format=".0f"), Axis("output"),
              (Rule(y="summary[7]", label="truth", tone=4),
               Spans("shown[0]", "shown[2]", "shown[3]", "holds it", tone=1),
               Spans("shown[0]", "shown[4]", "shown[5]", "misses it", tone=2),
               Dots("shown[0]", "shown[1]", "estimate", tone=4, size=2)),
              "Forty vertical lines, most of which cross the true value; the first runs from {low} to {high}."),
    )  # fmt: skip
    readouts = (
        Readout("estimate", "Estimate, first sample", "summary[0]", ".2f"),
        Readout("low", "Lower end of its interval", "summary[2]", ".2f"),
        Readout("high", "Upper end", "summary[3]", ".2f"),
        Readout("error", "Its standard error, by the bootstrap", "summary[1]", ".3f"),
        Readout("sd", "Standard deviation of all estimates", "summary[4]", ".3f"),
        Readout("coverage", "Coverage", "summary[5]", ".1%"),
        Readout("length", "Mean length of the intervals", "summary[6]", ".2f"),
    )

    def arrays(self):
        """Middles of bins and numbers of samples, and room for what is drawn."""
        engines, most = max(BUSES) * kernels.ENGINES, max(DRAWS)
        middles = np.arange(-4 + BIN / 2, 4, BIN)
        shown, coverage = np.zeros((6, SHOWN)), np.zeros((6, 4))
        shown[0], coverage[0] = np.arange(1, SHOWN + 1), np.arange(1, 5)
        return {
            "count": np.zeros(1), "lives": np.zeros(engines), "totals": np.zeros(max(BUSES)),
            "random": np.zeros(max(engines + max(BUSES), most)), "stars": np.zeros(most), "ratios": np.zeros(most),
            "estimates": np.zeros(SAMPLES), "bounds": np.zeros((4, 2, SAMPLES)),
            "histogram": np.array([middles, 0 * middles, 0 * middles]), "shown": shown, "coverage": coverage,
            "summary": np.zeros(10),
        }  # fmt: skip
