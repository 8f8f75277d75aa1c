"""Chapter 8: buses as data, from Rust's odometer readings to states, increments and a hazard."""

from functools import cache

import numpy as np

from compecon import datasets
from compecon.live.bus_histories_kernels import MONTH_ROWS, SUMMARY
from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Bars, Dots, Line, Panel, Readout, Run, Spans

GROUPS = {"4": (4,), "1-3": (1, 2, 3), "1-4": (1, 2, 3, 4), "5-8": (5, 6, 7, 8), "1-8": tuple(range(1, 9)),
          **{str(group): (group,) for group in (1, 2, 3, 5, 6, 7, 8)}}  # fmt: skip
STATES = (30, 45, 60, 75, 90, 120, 150, 175, 250, 350)
BINS = 12
# More than the largest increment on the finest grid, and than a convention can add to it.
_CATEGORIES = 16


@cache
def panel_arrays():
    """The readings of all buses one after the other, and each bus's first reading, group and number."""
    panel = datasets.load_bus_panel()
    first = np.flatnonzero(panel["period"] == 1)
    buses = panel.iloc[first]
    return {"mileage": panel["mileage"].to_numpy(float), "starts": np.append(first, len(panel)),
            "bus_groups": buses["group"].to_numpy(), "bus_ids": buses["bus_id"].to_numpy()}  # fmt: skip


class BusHistories(LiveFigure):
    """Histories, increments and hazard of Rust's buses on any grid and by any convention. See `LiveFigure`."""

    name = "bus-histories"
    title = "Buses as data"
    caption = (
        "All readings of the eight groups, put on a grid at every move. The first picture is one bus, counted round in "
        "the groups chosen. The second holds the increments of all their months, the third the share of months "
        "with a replacement, in twelve bins of mileage (joined at the end until they hold 50 months), with one "
        "standard error to each side. Hollow dots are Rust's conventions: an engine is replaced at the last reading "
        "of the old one, and the increment after it is the new state plus one. In the model it is the new state. "
        "A month late, the decision stands beside the new engine's first reading: a negative increment, which no "
        "model allows, comes before it, and engines seem to be replaced when they are new."
    )

    groups = Choice("4", "Groups", {key: f"group {key}" if len(key) == 1 else f"groups {key}" for key in GROUPS})
    n_states = Slider(90, "Mileage states", stops=STATES, format=".0f")
    bus = Slider(3, "Bus", low=1, high=162, step=1, format=".0f")
    increments = Choice("rust", "Increment after a replacement", {"rust": "Rust's: x + 1", "model": "the model's: x"})
    timing = Choice("odometer", "Replacement dated", {"odometer": "by odometer", "late": "a month late"})

    runs = (Run("bus_histories"),)
    panels = (
        Panel("One bus", Axis("month", (0, 127)), Axis("thousand miles since the last engine", (0, 400)),
              (Line("history[0]", "history[2]", "middle of its state", tone=4, step=True),
               Line("history[0]", "history[1]", "reading"),
               Dots("history[0]", "history[3]", "replaced", tone=2, size=5)),
              "Mileage of bus {bus_id} month by month, as read and as its state has it."),
        Panel("Increments", Axis("states a month", (-0.6, 10.6)), Axis("share of the months", (0, 1)),
              (Bars("shares[0]", "shares[1]", "share"), Dots("shares[0]", "shares[2]", "Rust's", tone=2, hollow=True)),
              "Shares of the {categories} increments; {changed} months differ from Rust's."),
        Panel("Hazard of replacement, a month", Axis("thousand miles", (0, 400)), Axis("share replaced"),
              (Spans("hazard[0]", "hazard[2]", "hazard[3]", "one standard error"),
               Dots("hazard[0]", "hazard[1]", "observed"),
               Dots("hazard[4]", "hazard[5]", "Rust's", tone=2, size=6, hollow=True)),
              "The share of months with a replacement by mileage: {replacements} in {observations} months."),
    )  # fmt: skip
    readouts = (
        Readout("bus_id", "Bus shown", "summary[0]", ".0f"),
        Readout("observations", "Observations", "summary[1]", ",.0f"),
        Readout("replacements", "Replacements", "summary[2]", ".0f"),
        Readout("mean_mileage", "Mileage at replacement", "summary[3]", ".0f", " thousand", ((-1, "none replaced"),)),
        Readout("categories", "Different increments", "summary[4]", ".0f"),
        Readout("cells", "Cells (x, d, increment)", "summary[7]", ".0f"),
        Readout("changed", "Months unlike Rust's", "summary[6]", ".0f"),
        Readout("impossible", "Negative increments", "summary[5]", ".0f"),
    )

    def arrays(self):
        """The readings, which groups belong to each choice, and room for the counts."""
        members = [[float(group in chosen) for group in range(1, 9)] for chosen in GROUPS.values()]
        shares = np.zeros((3, _CATEGORIES))
        shares[0] = np.arange(_CATEGORIES)
        return {
            **panel_arrays(), "members": members, "history": np.zeros((4, 126)), "shares": shares,
            "hazard": np.zeros((6, BINS)), "by_state": np.zeros((3, max(STATES))),
            "seen": np.zeros((max(STATES), 2 * _CATEGORIES)), "month": np.zeros((MONTH_ROWS, 126)),
            "summary": np.zeros(SUMMARY),
        }  # fmt: skip
