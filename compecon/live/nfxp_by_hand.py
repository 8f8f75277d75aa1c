"""Chapter 9: NFXP by hand, then by BHHH: Rust's data, the likelihood of two costs, and the way to its maximum."""

from functools import cache

import numpy as np

from compecon import datasets, zurcher
from compecon.likelihood.kernels import SEARCH_SIZE
from compecon.live import nfxp_kernels as kernels
from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Button, Contours, Dots, Line, Panel, Readout, Run, Spans
from compecon.zurcher.costs import find_cost
from compecon.zurcher.hazard import binned_hazard
from compecon.zurcher.solve import NEWTON_STEPS

SAMPLES = {"4": (4,), "1-3": (1, 2, 3), "1-4": (1, 2, 3, 4)}
N_STATES, MOST_STEPS, GRID = 90, 500, 60
DISCOUNTS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999)
GUESS = (4.0, 1.0)
# What a hand may set.
MOST_RC = 26
THETA11 = (0.0, *(float(f"{10 ** (k / 100):.3g}") for k in range(-130, 252)))
# What an optimizer may try: where the Hessian is nearly singular, its first trial may lie a billion away.
LIMITS = ((-1e12, 1e12), (-1e12, 1e12))
LEVELS = (0.1, 0.5, 1, 2, 3, 5, 10, 20, 50, 100, 200)


@cache
def samples():
    """The samples as `BusData`, in the order of the options."""
    panel = datasets.load_bus_panel()
    return [zurcher.discretize(panel, groups=groups, n_states=N_STATES) for groups in SAMPLES.values()]


def joined(tables):
    """Tables side by side, and where each begins: (rows, all columns), (tables + 1,)."""
    return np.concatenate(tables, axis=1), np.cumsum([0, *(table.shape[1] for table in tables)])


def observed_bins(data):
    """(5, bins): thousand miles, the observed hazard, that less and plus a standard error, and a dot's radius."""
    bins, width = binned_hazard(data), data.bin_width / 1000
    share, error = bins["share"], bins["error"]
    # The area grows with the months observed.
    radius = np.sqrt(4 + 60 * bins["count"] / bins["count"].max())
    return np.array([(bins["x"] + 0.5) * width, share, share - error, share + error, radius])


class NFXPByHand(LiveFigure):
    """The partial likelihood of Rust's data in RC and theta11, climbed by hand, BHHH or Newton. See `LiveFigure`.

    Its path and estimates are those of `zurcher.nfxp(model, data, "partial", optimizer=..., step=..., start=...)`.

    >>> from compecon import live
    >>> figure = live.NFXPByHand(RC=6, discount=0)
    >>> figure.press("climb")
    >>> round(figure.RC, 2), round(figure.theta11, 2), figure.read()["steps"]
    (7.64, 71.51, 24.0)
    """

    name = "nfxp-by-hand"
    title = "NFXP by hand, then by BHHH"
    caption = (
        "Rust's data on Harold Zurcher's buses. Drag your point over the contours until the model's hazard passes near "
        "the observed one; then let the computer climb from where you stand. At every point the model is solved anew. "
        "Contours lie 0.1 to 200 below the top of the log-likelihood. Along the ridge a dear engine with steep upkeep "
        "does nearly the same as a cheap engine with flat upkeep. Standard errors are from the outer product of the "
        "scores at your point; converged means less than 1e-7 of them from the maximum. theta3 is held at the observed "
        "shares of the monthly increments."
    )

    RC = Slider(GUESS[0], "RC", low=0, high=MOST_RC, step=0.02, limits=LIMITS[0])
    theta11 = Slider(GUESS[1], "theta11", stops=THETA11, limits=LIMITS[1])
    group = Choice("4", "Buses", {"4": "group 4", "1-3": "groups 1-3", "1-4": "groups 1-4"})
    discount = Slider(0.9999, "Discount factor", stops=DISCOUNTS, format=".4f")
    method = Choice("bhhh", "Method", {"bhhh": "BHHH", "newton": "Newton"})
    rule = Choice("unit", "Step", {"unit": "whole, or halved", "secant": "by secants"})

    runs = (Run("nfxp_surface", on=("group", "discount")), Run("nfxp_point"))
    buttons = (
        Button("step", "One step", "nfxp_climb", once=True, moves=(("RC", "target[0]"), ("theta11", "target[1]"))),
        Button("climb", "Climb", "nfxp_climb", moves=(("RC", "target[0]"), ("theta11", "target[1]"))),
        Button("start", "Start over", "nfxp_start", once=True, moves=(("RC", "target[0]"), ("theta11", "target[1]"))),
    )
    messages = {
        "nfxp_surface": "The maximum of this likelihood was not found.",
        "nfxp_point": "The model has no solution here, or its scores do not span both parameters.",
    }
    panels = (
        Panel("Log-likelihood", Axis("RC", "window[0]"), Axis("theta11", "window[1]"),
              (Contours("surface", "window[0]", "window[1]", LEVELS),
               Line("before[0]", "before[1]", "climb before", tone=4, dashed=True),
               Line("path[0]", "path[1]", "climb", tone=3), Dots("path[0]", "path[1]", tone=3, size=2.5),
               Dots("here[0]", "here[1]", "you", tone=2, size=6),
               Dots("peak[0]", "peak[1]", "maximum", tone=3, size=9, hollow=True)),
              "Contours of the log-likelihood in RC and theta11: a ridge that rises to the right. The point is at RC "
              "{RC}, theta11 {theta11}, {below} below the maximum, after {steps} steps.", drag=("RC", "theta11")),
        Panel("Hazard of replacement, a month", Axis("thousand miles", (0, 450)),
              Axis("P(replace)", (-0.003, 0.12), format=".0%"),
              (Spans("observed[0]", "observed[2]", "observed[3]"),
               Dots("observed[0]", "observed[1]", "observed, one standard error", sizes="observed[4]"),
               Line("mileage", "hazard", "model", tone=2)),
              "The observed hazard of replacement in bins of mileage, and the model's at RC {RC}, theta11 {theta11}."),
    )  # fmt: skip
    readouts = (
        Readout("llf", "Log-likelihood", f"summary[{kernels.LLF}]"),
        Readout("below", "Below the maximum", f"summary[{kernels.BELOW}]"),
        Readout("distance", "Distance, in standard errors", f"summary[{kernels.RESIDUAL}]", ".7f"),
        Readout("error_RC", "Standard error, RC", f"summary[{kernels.ERROR_RC}]"),
        Readout("error_theta11", "Standard error, theta11", f"summary[{kernels.ERROR_THETA11}]"),
        Readout("steps", f"Steps, at most {MOST_STEPS}", f"summary[{kernels.STEPS}]", ".0f"),
        Readout("converged", "Converged", f"summary[{kernels.CONVERGED}]", ".0f", words=((0, "no"), (1, "yes"))),
    )

    def arrays(self):
        """The samples one after another, and room for the surface, the paths and the workspace."""
        cells, starts = joined([np.array([d.cell_x, d.cell_d, d.cell_dx, d.cell_count]) for d in samples()])
        bins, bin_starts = joined([observed_bins(data) for data in samples()])
        x, cost, most = np.arange(float(N_STATES)), find_cost("linear"), int(np.diff(starts).max())
        return {
            "cells": cells, "starts": starts, "shares": [d.dx_counts / d.dx_counts.sum() for d in samples()],
            "dcost": cost.gradient(x, np.ones(1)), "ddcost": cost.hessian(x, np.ones(1)), "bounds": LIMITS,
            "home": GUESS, "window": [[0, MOST_RC], [0, 12]], "best": np.zeros(4), "surface": np.zeros((GRID, GRID)),
            "path": np.zeros((2, MOST_STEPS + 1)), "before": np.zeros((2, MOST_STEPS + 1)), "state": [-1, 0, 0],
            "here": np.zeros(2), "peak": np.zeros(2), "target": np.zeros(2), "bins": bins, "bin_starts": bin_starts,
            "observed": np.zeros((5, np.diff(bin_starts).max())), "hazard": np.zeros(N_STATES),
            "mileage": (x + 0.5) * samples()[0].bin_width / 1000, "summary": np.zeros(kernels.SUMMARY_SIZE),
            "states": np.zeros((kernels.STATE_ROWS, N_STATES)), "steps": np.zeros(NEWTON_STEPS),
            "terms": np.zeros(most), "scores": np.zeros((most, 2)), "hessian": np.zeros((most, 2, 2)),
            "search": np.zeros(SEARCH_SIZE), "small": np.zeros((kernels.SMALL_ROWS, 2)),
        }  # fmt: skip
