"""Chapter 7: the fixed point: how far each iteration of three methods is from it, and what the iterations cost."""

import numpy as np

from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Dots, Line, Panel, Readout, Rule, Run
from compecon.live.zurchers_choice import SIZES, observed_increments
from compecon.zurcher.solve import POLY_SWEEPS, POLY_SWITCH

# From 0.5 to 0.9 in steps of 0.05, then nine stops for each further nine.
DISCOUNTS = (*(k / 100 for k in range(50, 95, 5)),
             *(round(1 - k / 10**nines, nines) for nines in (2, 3, 4) for k in range(9, 0, -1)))
# Room for the iterations of the fast methods, and for points of the slow one, which reach beyond a million sweeps.
_STEPS, _POINTS = 60, 190

_ERROR = Axis("relative error", (1e-14, 10), log=True, format=".0e")


class FixedPoint(LiveFigure):
    """Error paths of successive approximations, Newton's method and the polyalgorithm. See `LiveFigure`."""

    name = "fixed-point"
    title = "The fixed point"
    caption = (
        "Three methods solve for the expected values of Zurcher's model, from EV = 0. The error is the largest "
        "distance to the fixed point, relative to its largest value, or to 1 where that is larger. The contraction's "
        "error falls with the dashed line discount^k, so its sweeps grow like 1 / (1 - discount); where they would "
        "take too long, the last ones are predicted from that line. Newton's method takes at most about ten steps at "
        "any discount factor, and a step costs about two sweeps. The polyalgorithm sweeps until the changes shrink by "
        "the discount factor, at most 20 times, and then turns to Newton's method; from here that seldom pays. Each "
        "count ends where the library's own rule stops, which for Newton's method is a step after the error has met "
        "the tolerance. An operation is a multiplication with its addition; an exponential or a logarithm counts as "
        "eight."
    )

    discount = Slider(0.9999, "Discount factor", stops=DISCOUNTS, format=".4f")
    n_states = Choice(90, "Mileage states", {size: str(size) for size in SIZES[1:]})
    RC = Slider(10.07, "RC, cost of replacement", low=0, high=20, step=0.01)
    theta11 = Slider(2.29, "theta11, slope of upkeep", low=0, high=10, step=0.01)

    runs = (Run("newton_paths"), Run("contraction_path"))
    messages = {"newton_paths": "Newton's method did not converge at these values."}
    panels = (
        Panel("Error by iteration", Axis("iteration", (1, 1e6), log=True, format=".0e"), _ERROR,
              (Line("sweeps[0]", "sweeps[3]", "discount^k", tone=4, dashed=True),
               Line("sweeps[0]", "sweeps[2]", "contraction"),
               Line("newton[0]", "newton[2]", "Newton", tone=2), Dots("newton[0]", "newton[2]", tone=2, size=2.5),
               Line("poly[0]", "poly[2]", "polyalgorithm", tone=3), Dots("poly[0]", "poly[2]", tone=3, size=2.5),
               Rule(y="summary[0]", label="tolerance", dashed=False)),
              "Errors by iteration: the contraction needs {sweeps} sweeps, Newton's method {steps} steps, the "
              "polyalgorithm {iterations} iterations."),
        Panel("Error by operations", Axis("operations", (1e3, 1e10), log=True, format=".0e"), _ERROR,
              (Line("sweeps[1]", "sweeps[3]", tone=4, dashed=True), Line("sweeps[1]", "sweeps[2]", "contraction"),
               Line("newton[3]", "newton[2]", "Newton, dense matrix", tone=2, dashed=True),
               Line("newton[1]", "newton[2]", "Newton", tone=2), Dots("newton[1]", "newton[2]", tone=2, size=2.5),
               Line("poly[1]", "poly[2]", "polyalgorithm", tone=3), Dots("poly[1]", "poly[2]", tone=3, size=2.5),
               Rule(y="summary[0]", dashed=False)),
              "Errors by operations: the contraction takes {ratio} those of Newton's method."),
    )  # fmt: skip
    readouts = (
        Readout("sweeps", "Contraction: sweeps", "needs[0][0]", ",.0f"),
        Readout("done", "Done, not predicted", "summary[4]", ".0f", "%", ((100, "all"),)),
        Readout("contraction", "Contraction: operations", "needs[0][1]", ",.3f", " million"),
        Readout("steps", "Newton: steps", "needs[1][0]", ".0f"),
        Readout("newton", "Newton: operations", "needs[1][1]", ".3f", " million"),
        Readout("iterations", "Polyalgorithm: iterations", "needs[2][0]", ".0f"),
        Readout("switch", "Of these, sweeps", "summary[1]", ".0f"),
        Readout("poly", "Polyalgorithm: operations", "needs[2][1]", ".3f", " million"),
        Readout("ratio", "Contraction against Newton", "summary[5]", ",.0f", " times"),
        Readout("step", "A Newton step costs", "summary[2]", ".1f", " sweeps"),
        Readout("dense", "A dense one costs", "summary[3]", ".0f", " Newton steps"),
    )

    def arrays(self):
        """Observed increments, the polyalgorithm's rule, and room for the paths."""
        largest = max(SIZES)
        return {
            "sizes": SIZES, "increments": observed_increments(), "switching": (POLY_SWEEPS, POLY_SWITCH),
            "fixed": np.zeros(largest), "newton": np.zeros((4, _STEPS)), "poly": np.zeros((3, _STEPS)),
            "ev": np.zeros(largest), "sweeps": np.zeros((4, _POINTS)), "place": np.zeros(3),
            "needs": np.zeros((3, 2)), "summary": np.zeros(6), "work": np.zeros((10, largest)),
        }  # fmt: skip
