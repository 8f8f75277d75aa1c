"""Chapter 5: Three tests: what LR, Wald and LM measure on one log-likelihood, and what they say of every null."""

import numpy as np

from compecon.live import three_tests_kernels as kernels
from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Dots, Line, Panel, Readout, Rule, Run, Spans

TRUTH = 2.0
SIZES = (5, 10, 20, 50, 100)
LOWEST, HIGHEST, STEP = 1.0, 4.0, 0.05
SCALES = {"mean": "m, the mean", "log": "log m", "reciprocal": "1 / m"}
# What each scale shows: somewhat more than the nulls.
WINDOWS = ((0.5, 4.5), (-0.4, 1.7), (0.05, 1.25))
TESTS = {"LR": 1, "Wald": 2, "LM": 3}


def _lines(x, array):
    """A line for each test, from the rows of an array."""
    return tuple(Line(x, f"{array}[{row}]", test, tone=tone) for row, (test, tone) in enumerate(TESTS.items()))


class ThreeTests(LiveFigure):
    """LR, Wald and LM of a null on the mean of Poisson counts. See `LiveFigure`.

    >>> from compecon import live
    >>> figure = live.ThreeTests(null=3)
    >>> {test: round(figure.read()[test], 2) for test in ("lr", "wald", "lm")}
    {'lr': 3.78, 'wald': 5.0, 'lm': 3.33}
    >>> figure.scale = "log"
    >>> {test: round(figure.read()[test], 2) for test in ("lr", "wald", "lm")}
    {'lr': 3.78, 'wald': 3.29, 'lm': 3.33}
    """

    name = "three-tests"
    title = "Three tests of one null"
    caption = (
        "Poisson counts, drawn with mean m = 2, and the null that the mean is another. The first panel shows the "
        "log-likelihood below its maximum. LR is twice the fall from the top to the null. Wald takes that fall from "
        "the parabola that touches at the estimate; LM takes the rise from the null to the top of the parabola that "
        "touches there. Both have the model's expected information for curvature, which at the estimate is the "
        "observed one. The scale on which the parameter is written changes Wald's number only. The second panel holds "
        "the sample fixed and moves the null: where a curve is above 5%, the null lies in that test's 95% confidence "
        "interval. The third is computed, not simulated: how often a test at 5% rejects a null that is true. It jumps "
        "because counts are whole numbers."
    )

    null = Slider(3, "Null: the mean is", low=LOWEST, high=HIGHEST, step=STEP)
    n = Slider(10, "Counts in the sample", stops=SIZES, format=".0f")
    scale = Choice("mean", "The parameter is", SCALES)
    seed = Slider(17, "Number of the sample", low=1, high=30, step=1, format=".0f")

    runs = (Run("three_tests_sample", on=("n", "seed")), Run("three_tests"),
            Run("three_tests_size", on=("n", "scale")))  # fmt: skip
    messages = {"three_tests_sample": "All counts of this sample are zero: the log-likelihood has no maximum above 0."}
    panels = (
        Panel("Three measures of one distance", Axis("the parameter, on the chosen scale", "window"),
              Axis("log-likelihood below its maximum", "height"),
              (Line("place", "curve", "log-likelihood", tone=1),
               Line("place", "at_top", "parabola at the estimate", tone=2, dashed=True),
               Line("place", "at_null", "parabola at the null", tone=3, dashed=True),
               *(Spans(f"spans[{row}][0]", f"spans[{row}][1]", f"spans[{row}][2]", f"{test} / 2", tone=tone)
                 for row, (test, tone) in enumerate(TESTS.items())),
               Dots("points[0][0]", "points[1][0]", "estimate", tone=4, size=5),
               Dots("points[0][1]", "points[1][1]", "null", tone=4, size=6, hollow=True)),
              "The log-likelihood below its maximum and two parabolas that touch it, at the estimate, a mean of "
              "{estimate}, and at the null, {null}. LR {lr}, Wald {wald}, LM {lm}."),
        Panel("p-value of each null", Axis("mean under the null", (LOWEST, HIGHEST)), Axis("p-value", (0, 0.3)),
              (*_lines("nulls", "by_null"), Rule(y="level", label="5%"),
               *(Dots("null", f"pvalues[{row}]", tone=tone, size=4.5) for row, tone in enumerate(TESTS.values()))),
              "The p-values by null, up to 0.3: they fall on both sides of the estimate. At {null}: LR {lr_p}, Wald "
              "{wald_p}, LM {lm_p}."),
        Panel("A true null is rejected at 5%", Axis("true mean", (LOWEST, HIGHEST)),
              Axis("chance", (0, 0.15), format=".0%"),
              (*_lines("nulls", "size"), Rule(y="level", label="5%"), Rule(x="null", label="null")),
              "The chance that each test rejects a true null, in samples of {n}: jagged lines around 5%."),
    )  # fmt: skip
    readouts = (
        Readout("estimate", "Estimate of the mean", "estimate[0]", ".2f"),
        *(Readout(test.lower(), test, f"statistics[{row}]", ".2f") for row, test in enumerate(TESTS)),
        *(Readout(f"{test.lower()}_p", f"{test}, p-value", f"pvalues[{row}]") for row, test in enumerate(TESTS)),
    )

    def arrays(self):
        """Grids, and room for the sample and the curves."""
        nulls = np.linspace(LOWEST, HIGHEST, round((HIGHEST - LOWEST) / STEP) + 1)
        return {
            "truth": [TRUTH], "level": [kernels.LEVEL], "y": np.zeros(max(SIZES)), "estimate": np.zeros(1),
            "windows": WINDOWS, "window": np.zeros(2), "height": np.zeros(2), "place": np.zeros(121),
            "curve": np.zeros(121), "at_top": np.zeros(121), "at_null": np.zeros(121), "points": np.zeros((2, 2)),
            "spans": np.zeros((3, 3)), "statistics": np.zeros(3), "pvalues": np.zeros(3), "nulls": nulls,
            "by_null": np.zeros((3, nulls.size)), "size": np.zeros((3, nulls.size)), "trial": np.zeros(3),
            "outcome": np.zeros(1), "log_factorial": np.zeros(1), "term": np.zeros(1), "score": np.zeros((1, 1)),
            "second": np.zeros((1, 1, 1)),
        }  # fmt: skip
