"""Chapter 3: The information matrix equality: three standard errors, until the model goes wrong."""

import numpy as np
from scipy.special import ndtr, ndtri

from compecon.live import information_kernels as kernels
from compecon.live.controls import Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Bars, Dots, Line, Panel, Readout, Run

SAMPLES = 500
SIZES = (20, 50, 100, 200, 500, 1000, 2000)
KURTOSES = (1.4, 1.5, 1.6, 1.8, 2, 2.2, 2.4, 2.6, 2.8, 3, 3.3, 3.6, 4, 4.5, 5, 6, 7, 8, 9)
BIN = 0.2
KINDS = {"OPG": 2, "Hessian": 1, "Sandwich": 3}


def asymptotic(kurtosis):
    """(3, ...): root n times the standard errors of sigma that OPG, Hessian and sandwich tend to; sigma = 1.

    With scores (z, z^2 - 1) and a symmetric z of variance 1, B / n tends to kurtosis - 1 for sigma and -H / n to 2.
    """
    outer = np.asarray(kurtosis, dtype=float) - 1
    return np.array([1 / np.sqrt(outer), np.full_like(outer, np.sqrt(1 / 2)), np.sqrt(outer) / 2])


def asymptotic_coverage(kurtosis):
    """(3, ...): the coverage that the 95% intervals of the three tend to; the sandwich is the true spread."""
    claimed = asymptotic(kurtosis)
    return 2 * ndtr(ndtri(0.975) * claimed / claimed[2]) - 1


class InformationEquality(LiveFigure):
    """OPG, Hessian and sandwich beside the spread of repeated estimates, as a model goes wrong. See `LiveFigure`."""

    name = "information-equality"
    title = "The information matrix equality"
    caption = (
        f"A normal model, fitted to {SAMPLES} samples of outcomes with mean 0 and standard deviation 1. Their kurtosis "
        "says how far the model is from the truth: at 3 they are normal; below, they have two humps; above, one in ten "
        "comes from a wider normal. Sigma has three standard errors: from the outer product of the scores (OPG), from "
        "the Hessian, and from both (sandwich). When the model is right, the three agree with each other and with the "
        "spread of the estimates. When it is wrong, only the sandwich follows the spread, in large samples; the "
        "Hessian does not notice, and OPG moves the wrong way. Curves are the limits for large "
        "samples, dots this simulation."
    )

    n = Slider(200, "Outcomes in a sample", stops=SIZES, format=".0f")
    kurtosis = Slider(6, "Kurtosis (3: normal)", stops=KURTOSES, format=".1f")
    seed = Slider(1, "Number of the simulation", low=1, high=50, step=1, format=".0f")

    runs = (Run("information_equality"),)
    messages = {"information_equality": "The scores of a sample are collinear: it has no standard errors."}
    panels = (
        Panel("Estimates of sigma", Axis("√n (estimate − 1)", (-4, 4)), Axis("density", (0, 1.4)),
              (Bars("histogram[0]", "histogram[1]", "estimates", tone=4, width=BIN),
               *(Line("claims[0]", f"claims[{row}]", f"by {kind}", tone=tone)
                 for row, (kind, tone) in enumerate(KINDS.items(), start=1))),
              "A histogram of the estimates, whose standard deviation is {spread}, and the normal densities that the "
              "standard errors imply: OPG {opg}, Hessian {hessian}, sandwich {sandwich}."),
        Panel("Standard errors of sigma, times √n", Axis("kurtosis", (1, 9.2)), Axis("√n × standard error", (0, 1.8)),
              (*(Line("theory[0]", f"theory[{row}]", kind, tone=tone)
                 for row, (kind, tone) in enumerate(KINDS.items(), start=1)),
               Dots("kurtosis", "scaled[0]", "spread of the estimates", tone=4, size=7, hollow=True),
               *(Dots("kurtosis", f"scaled[{row}]", tone=tone, size=4.5)
                 for row, tone in enumerate(KINDS.values(), start=1))),
              "Three curves that cross at kurtosis 3: OPG falls, Hessian is flat, sandwich rises. At {kurtosis} the "
              "spread of the estimates is {spread}."),
        Panel("Coverage of 95% intervals", Axis("kurtosis", (1, 9.2)),
              Axis("share that hold sigma", (0, 1.04), format=".0%"),
              (*(Line("limits[0]", f"limits[{row}]", kind, tone=tone)
                 for row, (kind, tone) in enumerate(KINDS.items(), start=1)),
               *(Dots("kurtosis", f"coverage[{row}]", tone=tone, size=4.5) for row, tone in enumerate(KINDS.values()))),
              "Coverage by kurtosis: OPG and Hessian fall below 95% beyond a kurtosis of 3. At {kurtosis}: OPG "
              "{opg_coverage}, Hessian {hessian_coverage}, sandwich {sandwich_coverage}."),
        Panel("The outcomes", Axis("outcome", (-5, 5)), Axis("density", (0, 0.8)),
              (Line("population[0]", "population[1]", "as drawn", tone=4),
               Line("population[0]", "population[2]", "as the model has it", dashed=True)),
              "The density of the outcomes, of kurtosis {kurtosis}, and the normal density."),
    )  # fmt: skip
    readouts = (
        Readout("spread", "Spread of the estimates", "standard_errors[0]", ".4f"),
        *(Readout(kind.lower(), f"{kind}, mean", f"standard_errors[{row}]", ".4f")
          for row, kind in enumerate(KINDS, start=1)),
        *(Readout(f"{kind.lower()}_coverage", f"{kind}, coverage", f"coverage[{row}]", ".1%")
          for row, kind in enumerate(KINDS)),
    )  # fmt: skip

    def arrays(self):
        """The limits for large samples, and room for one sample and for what is kept of all."""
        kurtosis = np.linspace(min(KURTOSES), max(KURTOSES), 153)
        histogram, claims, population = np.zeros((2, 41)), np.zeros((4, 121)), np.zeros((3, 121))
        histogram[0] = BIN * np.arange(-20, 21)
        claims[0], population[0] = np.linspace(-4, 4, 121), np.linspace(-5, 5, 121)
        largest = max(SIZES)
        return {
            "theory": np.vstack([kurtosis, asymptotic(kurtosis)]),
            "limits": np.vstack([kurtosis, asymptotic_coverage(kurtosis)]), "population": population,
            "histogram": histogram, "claims": claims, "fits": np.zeros((4, SAMPLES)), "count": np.zeros(1),
            "standard_errors": np.zeros(4), "scaled": np.zeros(4), "coverage": np.zeros(3), "y": np.zeros(largest),
            "picks": np.zeros(largest), "weights": np.zeros(largest), "terms": np.zeros(largest),
            "scores": np.zeros((largest, 2)), "hessian": np.zeros((largest, 2, 2)),
            "small": np.zeros((kernels.SMALL_ROWS, 2)),
        }  # fmt: skip
