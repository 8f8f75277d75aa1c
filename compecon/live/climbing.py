"""Chapter 4: Climbing: four ways up one hill, and why BHHH stalls when its steps are never shortened or searched."""

import numpy as np

from compecon.live import climbing_kernels as kernels
from compecon.live.controls import Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Bars, Contours, Dots, Line, Panel, Readout, Rule, Run

SAMPLE = 100
MOST = 60
KURTOSES = (1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2, 2.1, 2.2, 2.4, 2.7, 3, 3.5, 4, 5, 6, 7, 8, 10, 12, 15)
WAYS = ("BHHH, unit steps", "BHHH, halving", "Newton", "BFGS")
# The surface reaches beyond the picture, so that no contour ends inside.
MU, SIGMA = (-3.3, 3.3), (0.1, 3.7)
BIN = 0.4
LEVELS = (1, 4, 10, 25, 50, 100, 200, 400, 800)
_STYLES = ({"tone": 2, "dashed": True}, {"tone": 2}, {"tone": 1}, {"tone": 3})
_WORDS = ((1, "1 iteration"), (kernels.TOO_SLOW, f"not within {MOST}"), (kernels.LEFT, "left the domain"),
          (kernels.STUCK, "no step climbs"))  # fmt: skip


def factor_curve():
    """(2, M): kurtosis k, and |1 - 2 / (k - 1)|, what a unit step of BHHH leaves of a small error in sigma."""
    kurtosis = np.linspace(min(KURTOSES), max(KURTOSES), 139)
    return np.array([kurtosis, abs(1 - 2 / (kurtosis - 1))])


class Climbing(LiveFigure):
    """Paths of BHHH, Newton and BFGS on the normal log-likelihood of a sample of chosen kurtosis. See `LiveFigure`."""

    name = "climbing"
    title = "Climbing"
    caption = (
        "Four ways to the maximum of a normal log-likelihood: BHHH with unit steps, BHHH and Newton with steps that "
        "are halved until they climb, and BFGS with the same rule. The sample has 100 observations, mean 0 and "
        "standard deviation 1, so the hill is the same whatever its kurtosis, and Newton's path too. BHHH stands the "
        "outer product of the scores for the curvature, and that product grows with kurtosis: near the maximum a unit "
        "step multiplies an error in sigma by 1 − 2/(kurtosis − 1). With a kurtosis below 2 it overshoots: it never "
        "settles, or it leaves the domain sigma > 0. With heavy tails it crawls. Drag the start in the first panel."
    )

    kurtosis = Slider(8, "Kurtosis of the sample", stops=KURTOSES, format=".1f")
    mu = Slider(-1.5, "Start, mu", low=-2.5, high=2.5, step=0.05)
    sigma = Slider(1.6, "Start, sigma", low=0.3, high=3.2, step=0.05)

    # The hill is the same for every kurtosis: one surface is enough.
    runs = (Run("climbing_sample", on=("kurtosis",)), Run("climbing_surface", on=()), Run("climbing"))
    panels = (
        Panel("Paths on the log-likelihood", Axis("mu", (-3, 3)), Axis("sigma", (0, 3.5)),
              (Contours("surface", MU, SIGMA, LEVELS),
               *(Line(f"mu_path[{row}]", f"sigma_path[{row}]", way, **_STYLES[row]) for row, way in enumerate(WAYS)),
               *(Dots(f"mu_path[{row}]", f"far[{row}]", size=2.5, tone=style["tone"])
                 for row, style in enumerate(_STYLES)),
               Dots("maximum[0]", "maximum[1]", "maximum", tone=4, size=5),
               Dots("mu", "sigma", "start", tone=4, size=6, hollow=True)),
              "Contours of the log-likelihood in mu and sigma, with four paths from mu {mu}, sigma {sigma}.",
              drag=("mu", "sigma")),
        Panel("Distance to the maximum", Axis("iteration", (0, MOST)),
              Axis("standard errors", (1e-8, 20), log=True, format=".0e"),
              tuple(Line("step", f"distance[{row}]", way, **_STYLES[row]) for row, way in enumerate(WAYS)),
              "The distance by iteration, on a logarithmic scale. BHHH with unit steps: {bhhh_unit}; BHHH with "
              "halving: {bhhh}; Newton: {newton}; BFGS: {bfgs}."),
        Panel("Error left by a unit step of BHHH", Axis("kurtosis", (1, 16)), Axis("error after / before", (0, 3)),
              (Line("factor[0]", "factor[1]", "|1 − 2/(kurtosis − 1)|"), Rule(y="one"),
               Dots("kurtosis", "near[1]", "this sample", size=5),
               Dots("kurtosis", "seen[0]", "seen on the path", tone=2, size=7, hollow=True)),
              "The error factor falls from above 1 to 0 at kurtosis 3 and rises again; at {kurtosis} it is {left}."),
        Panel("The sample", Axis("outcome", (-5.4, 5.4)), Axis("density", (0, 1.8)),
              (Bars("histogram[0]", "histogram[1]", "histogram", tone=4, width=BIN),
               Line("fitted[0]", "fitted[1]", "normal, at the maximum")),
              "A histogram of the sample, of kurtosis {kurtosis}, and the normal density at the maximum."),
    )  # fmt: skip
    readouts = (
        *(Readout(key, way, f"iterations[{row}]", ".0f", " iterations", _WORDS)
          for row, (key, way) in enumerate(zip(("bhhh_unit", "bhhh", "newton", "bfgs"), WAYS))),
        Readout("eigenvalue", "Eigenvalue of B⁻¹(−H), sigma", "near[0]"),
        Readout("left", "Error left by a unit step", "near[1]", ".0%"),
    )  # fmt: skip

    def arrays(self):
        """Grids, and room for the sample, the surface and the paths."""
        histogram, fitted = np.zeros((2, 27)), np.zeros((2, 109))
        histogram[0], fitted[0] = BIN * np.arange(-13, 14), np.linspace(-5.4, 5.4, 109)
        return {
            "mu_grid": np.linspace(*MU, 45), "sigma_grid": np.linspace(*SIGMA, 73), "surface": np.zeros((73, 45)),
            "y": np.zeros(SAMPLE), "weights": np.zeros(SAMPLE), "histogram": histogram, "fitted": fitted,
            "maximum": np.zeros(3), "near": np.zeros(2), "seen": np.zeros(1), "factor": factor_curve(),
            "one": np.ones(1), "step": np.arange(MOST + 1.0), "mu_path": np.zeros((4, MOST + 1)),
            "sigma_path": np.zeros((4, MOST + 1)), "far": np.zeros((4, MOST + 1)), "distance": np.zeros((4, MOST + 1)),
            "iterations": np.zeros(4), "terms": np.zeros(SAMPLE), "scores": np.zeros((SAMPLE, 2)),
            "hessian": np.zeros((SAMPLE, 2, 2)), "small": np.zeros((kernels.SMALL_ROWS, 2)),
        }  # fmt: skip
