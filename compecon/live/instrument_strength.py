"""Chapter 18: Optimal instruments: what the strength of instruments, and their number, do to estimates."""

import numpy as np

from compecon.live import instrument_strength_kernels as kernels
from compecon.live.controls import Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Dots, Line, Panel, Readout, Rule, Run, Spans

SAMPLES = 500
SIZES = (100, 200, 500, 1000)
STRENGTHS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5)
EXTRAS = (0, 1, 2, 5, 10, 20, 30)
BIN = 0.1
KINDS = {"least squares": 4, "2SLS, raw": 2, "optimal": 1}
_STRENGTH = Axis("R² of the price on h(z)", (0.008, 0.6), log=True, format=".0%")


def _curves(array):
    """Lines and dots of the three estimators against strength."""
    lines = (Line("grid", f"{array}[{row}]", kind, tone=tone) for row, (kind, tone) in enumerate(KINDS.items()))
    place = ("median", "spread", "coverage").index(array)
    dots = (Dots("strength", f"shown[{place}][{row}]", tone=tone, size=4.5) for row, tone in enumerate(KINDS.values()))
    return (*lines, *dots)


class InstrumentStrength(LiveFigure):
    """Least squares, 2SLS with raw instruments and the optimal instrument, by the first stage. See `LiveFigure`."""

    name = "instrument-strength"
    title = "Instrument strength"
    caption = (
        f"A logit demand y = alpha p + xi with alpha = −1, estimated in {SAMPLES} simulated samples. The price is "
        "p = pi h(z) + v, where v and xi correlate by 0.7, and h(z) = (2z + z² − 1)/√6 is how a cost shifter z moves "
        "prices. Raw 2SLS uses z and the extra instruments, pure noise. The optimal instrument is E[p | z], a multiple "
        "of h(z), here known. Spread is the range between the quartiles, over that of a standard normal. Dashed: what "
        "raw 2SLS tends to when instruments grow with the sample (from five extras on), the efficiency bound, and 95%. "
        "Look for how extra instruments pull raw 2SLS towards least squares, while its intervals stay short."
    )

    strength = Slider(0.05, "R² of the price on h(z)", stops=STRENGTHS, format=".0%")
    extras = Slider(20, "Extra instruments", stops=EXTRAS, format=".0f")
    n = Slider(200, "Observations", stops=SIZES, format=".0f")
    seed = Slider(1, "Number of the simulation", low=1, high=50, step=1, format=".0f")

    runs = (Run("instrument_strength"),)
    messages = {"instrument_strength": "The instruments of a sample are collinear: 2SLS does not exist."}
    panels = (
        Panel("Estimates at this strength", Axis("estimate of alpha", (-2.4, 0.4)), Axis("density", (0, 7)),
              (*(Line("histogram[0]", f"histogram[{row}]", kind, tone=tone, step=True)
                 for row, (kind, tone) in enumerate(KINDS.items(), start=1)), Rule(x="truth", label="alpha")),
              "Histograms of three estimates around alpha = −1. Their median errors: least squares {ols_bias}, raw "
              "2SLS {raw_bias}, optimal {optimal_bias}."),
        Panel("Median of the estimates", _STRENGTH, Axis("alpha", (-1.3, -0.2)),
              (*_curves("median"), Line("grid", "limits[1]", "many instruments", tone=2, dashed=True),
               Rule(y="truth", label="alpha")),
              "Medians by strength: raw 2SLS moves from least squares to alpha; optimal stays near alpha."),
        Panel("Spread of the estimates", _STRENGTH, Axis("spread", (0.03, 2), log=True, format=".2f"),
              (*_curves("spread"), Line("grid", "bound", "bound", tone=1, dashed=True)),
              "Spreads by strength, on logarithmic scales: raw 2SLS {raw_spread}, optimal {optimal_spread}, which "
              "follows the bound where instruments are strong."),
        Panel("Coverage of 95% intervals", _STRENGTH, Axis("share that hold alpha", (0, 1.04), format=".0%"),
              (*_curves("coverage"), *(Spans("strength", f"bars[0][{row}]", f"bars[1][{row}]", tone=tone)
                                       for row, tone in enumerate(KINDS.values())), Rule(y="nominal")),
              "Coverage by strength: raw 2SLS {raw_coverage}, optimal {optimal_coverage}."),
    )  # fmt: skip
    readouts = (
        Readout("concentration", "Concentration parameter, h(z)", "summary[0]", ".1f"),
        Readout("F", "First-stage F, raw", "summary[1]", ".1f"),
        Readout("ols_bias", "Median error, least squares", "summary[2]", "+.3f"),
        Readout("raw_bias", "Median error, raw 2SLS", "summary[3]", "+.3f"),
        Readout("optimal_bias", "Median error, optimal", "summary[4]", "+.3f"),
        Readout("raw_spread", "Spread, raw 2SLS", "shown[1][1]"),
        Readout("optimal_spread", "Spread, optimal", "shown[1][2]"),
        Readout("raw_coverage", "Coverage, raw 2SLS", "shown[2][1]", ".1%"),
        Readout("optimal_coverage", "Coverage, optimal", "shown[2][2]", ".1%"),
        Readout("error", "Monte Carlo error of a coverage", "summary[5]", ".1%"),
    )

    def arrays(self):
        """Strengths, and room for the estimates, one sample and what is shown."""
        edges, largest, n_raw = np.arange(-26, 7) * BIN, max(SIZES), 1 + kernels.MOST_EXTRAS
        table = np.zeros((largest, kernels.COLUMNS))
        return {
            "grid": STRENGTHS, "truth": [kernels.ALPHA], "nominal": [0.95], "state": [-1, 0, 0, 0],
            "ordered": np.zeros((3, len(STRENGTHS), SAMPLES)), "held": np.zeros((3, len(STRENGTHS))),
            "f_total": np.zeros(len(STRENGTHS)), "median": np.zeros((3, len(STRENGTHS))),
            "spread": np.zeros((3, len(STRENGTHS))), "coverage": np.zeros((3, len(STRENGTHS))),
            "limits": np.zeros((2, len(STRENGTHS))), "bound": np.zeros(len(STRENGTHS)),
            "histogram": np.vstack([edges, np.zeros((3, edges.size))]), "shown": np.zeros((3, 3)),
            "bars": np.zeros((2, 3)), "summary": np.zeros(6), "buffer": np.zeros(largest), "table": table,
            "gram": np.zeros((kernels.COLUMNS, kernels.COLUMNS)), "square": np.zeros((n_raw, n_raw)),
            "rhs": np.zeros((n_raw, 2)),
        }  # fmt: skip
