"""Chapter 6: Zurcher's choice: what a dear engine, steep upkeep and patience make of a garage."""

from functools import cache

import numpy as np

from compecon import datasets, zurcher
from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Dots, Line, Panel, Readout, Run

SIZES = (45, 90, 175, 350)
MONTHS = 240
DISCOUNTS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999)


@cache
def observed_increments():
    """(len(SIZES), J): the shares of monthly increments of group 4, in states, one row for each number of states."""
    panel = datasets.load_bus_panel()
    counts = [zurcher.discretize(panel, groups=[4], n_states=size).dx_counts for size in SIZES]
    rows = np.zeros((len(SIZES), max(map(len, counts))))
    for row, count in zip(rows, counts, strict=True):
        row[: len(count)] = count / count.sum()
    return rows


class ZurchersChoice(LiveFigure):
    """Value, hazard of replacement, and one simulated bus, solved anew at every move. See `LiveFigure`."""

    name = "zurchers-choice"
    title = "Zurcher's choice"
    caption = (
        "The monthly choice to keep or replace an engine, solved by Newton's method, and twenty years of one bus under "
        "it. RC is the cost of an engine, theta11 what 5,000 miles add to a month's upkeep, in thousandths; both in "
        "units of the taste shock. Mileage grows as on the buses of group 4."
    )

    RC = Slider(10.07, "RC", low=0, high=20, step=0.01)
    theta11 = Slider(2.29, "theta11", low=0, high=10, step=0.01)
    discount = Slider(0.9999, "Discount factor", stops=DISCOUNTS, format=".4f")
    n_states = Choice(90, "Mileage states", {size: str(size) for size in SIZES})
    bus = Slider(1, "Bus number", low=1, high=50, step=1, format=".0f")

    runs = (Run("zurchers_choice"),)
    messages = {"zurchers_choice": "Newton's method did not converge at these values, or no engine is ever replaced."}
    panels = (
        Panel("Hazard of replacement, a month", Axis("thousand miles", (0, 450)), Axis("P(replace)"),
              (Line("mileage", "hazard"),),
              "The probability of replacement by mileage; an engine lasts {lifetime} months in the long run."),
        Panel("Expected value, from a new engine", Axis("thousand miles", (0, 450)), Axis("EV(x) - EV(0)"),
              (Line("mileage", "value"),), "What mileage costs the owner: a falling curve."),
        Panel("One bus, twenty years", Axis("month", (0, MONTHS)), Axis("thousand miles", (0, 450)),
              (Line("history[0]", "history[1]", "mileage"),
               Dots("history[0]", "history[2]", "replaced", tone=2, size=5)),
              "Mileage of bus {bus} month by month, with {replacements} replacements."),
    )  # fmt: skip
    readouts = (
        Readout("lifetime", "An engine lasts, on average", "summary[0]", ".1f", " months"),
        Readout("replacements", "Replacements of this bus", "summary[1]", ".0f"),
        Readout("pace", "It drives", "summary[2]", ".2f", " thousand miles a month"),
    )

    def arrays(self):
        """Observed increments, and room for the results."""
        largest = max(SIZES)
        return {
            "sizes": SIZES, "increments": observed_increments(), "mileage": np.zeros(largest),
            "value": np.zeros(largest), "hazard": np.zeros(largest), "history": np.zeros((3, MONTHS)),
            "paths": np.zeros((5, MONTHS)), "summary": np.zeros(3), "work": np.zeros((10, largest)),
        }  # fmt: skip
