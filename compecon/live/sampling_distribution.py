"""Chapter 2: the distribution of an estimate becomes normal, and intervals begin to keep their promise."""

import numpy as np
from scipy.stats import norm

from compecon.live import sampling_distribution_kernels as kernels
from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Bars, Dots, Line, Panel, Readout, Rule, Run, Spans

SIZES = (5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 1000)
# Four times the samples, half the Monte Carlo error.
SAMPLES = (100, 400, 1600, 6400)
TRUTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
BIN, INTERVALS = 0.25, 40


class SamplingDistribution(LiveFigure):
    """Estimates of many samples, standardised, and the coverage of two intervals by sample size. See `LiveFigure`.

    >>> from compecon import live
    >>> figure = live.SamplingDistribution(model="poisson", n=10, truth=0.1)
    >>> round(figure.read()["wald_exact"], 3), round(figure.read()["lr_exact"], 3)
    (0.632, 0.981)
    """

    name = "sampling-distribution"
    title = "Large samples"
    caption = (
        "Samples of n counts from a geometric model with chance p, or from a Poisson model with mean m; the parameter "
        "is estimated from each by maximum likelihood. The first panel shows the estimates less the truth, divided by "
        "the standard error that the information of one observation gives; counts come in steps, and each estimate is "
        "drawn as wide as its step. The second shows the first 40 Wald intervals: estimate plus and minus 1.96 "
        "standard errors. The third shows how often 95% intervals hold the truth: dots are shares of these samples "
        "with two Monte Carlo standard errors, lines are exact, summed over all samples that there can be. The exact "
        "line moves in jumps, because counts do."
    )

    model = Choice("geometric", "Model", {"geometric": "geometric, p", "poisson": "Poisson, m"})
    truth = Slider(0.3, "True p or m", stops=TRUTHS, format=".1f")
    n = Slider(10, "Counts in a sample, n", stops=SIZES, format=".0f")
    samples = Slider(1600, "Samples", stops=SAMPLES, format=".0f")
    seed = Slider(1, "Number of the simulation", low=1, high=50, step=1, format=".0f")

    runs = (Run("exact_coverage", on=("model", "truth")), Run("sampling_distribution"))
    panels = (
        Panel("Standardised estimates", Axis("(estimate − truth) / standard error", (-4, 4)),
              Axis("density", (0, 0.8)),
              (Bars("histogram[0]", "histogram[1]", "estimates", tone=4, width=BIN),
               Line("normal[0]", "normal[1]", "standard normal", tone=2)),
              "A histogram of the standardised estimates, with mean {mean} and standard deviation {spread}, and the "
              "standard normal density."),
        Panel("Wald intervals of the first samples", Axis("sample", (0, INTERVALS + 1)), Axis("p or m", "window"),
              (Spans("held[0]", "held[1]", "held[2]", "holds the truth", tone=1),
               Spans("missed[0]", "missed[1]", "missed[2]", "misses", tone=2),
               Rule(y="truth", label="truth", tone=4), Rule(y="zero", label="0", tone=3)),
              "Forty intervals around the truth, {truth}. Of all samples {wald} hold it."),
        Panel("Coverage of 95% intervals", Axis("n", (4, 1250), log=True), Axis("share", (0.5, 1.02), format=".0%"),
              (Line("exact[0]", "exact[1]", "Wald, exact", tone=2), Line("exact[0]", "exact[2]", "LR, exact", tone=1),
               Rule(y="level"), Spans("n", "wald_bar[0]", "wald_bar[1]", tone=2),
               Spans("n", "lr_bar[0]", "lr_bar[1]", tone=1),
               Dots("n", f"summary[{kernels.WALD}]", "simulated", tone=2, size=4.5),
               Dots("n", f"summary[{kernels.LR}]", tone=1, size=4.5)),
              "Coverage by sample size: both approach 95%. At n {n} the Wald interval covers {wald_exact}, the "
              "likelihood ratio interval {lr_exact}."),
    )  # fmt: skip
    readouts = (
        Readout("mean", "Mean, standardised", f"summary[{kernels.MEAN}]"),
        Readout("spread", "Standard deviation", f"summary[{kernels.SPREAD}]"),
        Readout("wald", "Wald, simulated", f"summary[{kernels.WALD}]", ".1%"),
        Readout("wald_error", "Its Monte Carlo error", f"summary[{kernels.WALD_ERROR}]", ".2%"),
        Readout("wald_exact", "Wald, exact", f"summary[{kernels.WALD_EXACT}]", ".1%"),
        Readout("lr", "LR, simulated", f"summary[{kernels.LR}]", ".1%"),
        Readout("lr_error", "Its Monte Carlo error", f"summary[{kernels.LR_ERROR}]", ".2%"),
        Readout("lr_exact", "LR, exact", f"summary[{kernels.LR_EXACT}]", ".1%"),
    )

    def arrays(self):
        """Grids, and room for one sample and for what is kept of all."""
        histogram, exact, intervals = np.zeros((2, 33)), np.zeros((3, len(SIZES))), np.zeros((3, INTERVALS))
        histogram[0], exact[0], intervals[0] = BIN * np.arange(-16, 17), SIZES, np.arange(1, INTERVALS + 1)
        z = np.linspace(-4, 4, 121)
        return {
            "histogram": histogram, "tally": np.zeros(33), "normal": np.array([z, norm.pdf(z)]), "exact": exact,
            "held": intervals, "missed": intervals, "window": [0, 1], "zero": np.zeros(1), "level": [0.95],
            "y": np.zeros(max(SIZES)), "count": np.zeros(1), "sums": np.zeros(kernels.SUMS_SIZE),
            "wald_bar": np.zeros(2), "lr_bar": np.zeros(2), "summary": np.zeros(kernels.SUMMARY_SIZE),
        }  # fmt: skip
