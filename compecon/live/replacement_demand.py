"""Chapter 10: demand for engines, and what the estimates say of prices that were never observed."""

from functools import cache

import numpy as np

from compecon import datasets, zurcher
from compecon.live import replacement_demand_kernels as kernels
from compecon.live.controls import Slider
from compecon.live.figure import LiveFigure
from compecon.live.nfxp_by_hand import observed_bins
from compecon.live.parts import Axis, Dots, Line, Panel, Readout, Rule, Run, Spans
from compecon.zurcher.solve import NEWTON_STEPS

N_BUSES, MONTHS = 37, 240
# Twice Rust's range: beyond its end mileage costs no more, and a fleet with dear engines would gather there.
N_STATES = 180
DISCOUNTS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999)
PRICES = tuple(range(50, 205, 5))
PRICE, MILES = Axis("price of an engine, % of today's", (50, 200)), (0, 600)


@cache
def fits():
    """The joint estimates of group 4 at DISCOUNTS."""
    return zurcher.profile_discount(zurcher.ZurcherModel(N_STATES), group_4(N_STATES), DISCOUNTS).fits


def group_4(n_states):
    """The buses of group 4 in states of 5,000 miles, as `BusData`."""
    return zurcher.discretize(datasets.load_bus_panel(), [4], n_states, max_mileage=5000 * n_states)


@cache
def estimated():
    """The kernel's arrays of estimates and of the curves that the library draws from them."""
    params = [fit.as_params() for fit in fits()]
    curves = [zurcher.demand_curve(fit, np.array(PRICES) / 100, N_BUSES, relative=True) for fit in fits()]
    return {
        "estimates": [[point.RC, *point.theta1, *point.theta3] for point in params],
        "llf": [fit.llf for fit in fits()],
        "curves": [[curve.demand, curve.lower, curve.upper] for curve in curves],
    }


class ReplacementDemand(LiveFigure):
    """Demand for engines away from today's price, by the estimates at several discount factors. See `LiveFigure`."""

    name = "replacement-demand"
    title = "Demand for engines"
    caption = (
        "What the estimates of group 4 say of its 37 buses, should the price of an engine change once and for all. RC "
        "and theta11 are estimated anew for each discount factor; today's price is the estimated RC. Demand is that of "
        "the long run, with a 95% band by the delta method from the outer product of the scores. In the third picture "
        "the fleet's mileage is the long run's in both cases; the fourth starts from the fleet of today's price. All "
        "discount factors fit the data nearly alike. They part where there are none: away from today's price. The "
        "mileage may grow to 900,000, in states of 5,000."
    )

    price = Slider(60, "Engine price", low=50, high=200, step=5, format=".0f", unit="% of today's")
    discount = Slider(0.9999, "Discount factor", stops=DISCOUNTS, format=".4f")

    runs = (Run("replacement_demand"),)
    messages = {"replacement_demand": "Newton's method did not converge at these values."}
    panels = (
        Panel("Demand", PRICE, Axis("engines a year", (0, 21)),
              (Line("prices", "curve[1]", "95% band", tone=1, dashed=True), Line("prices", "curve[2]", dashed=True),
               Line("prices", "patient", "discount factor 0.9999", tone=4),
               Line("prices", "tangent", "straight line", tone=3, dashed=True),
               Line("prices", "curve[0]", "demand"), Rule(x="hundred[0]"),
               Dots("point[0]", "point[1]", tone=2, size=6)),
              "Demand falls in the price: at {price} it is {demand} engines a year, between {lower} and {upper}."),
        Panel("Fit: hazard of replacement, a month", Axis("thousand miles", (0, 450)),
              Axis("P(replace)", (-0.003, 0.12), format=".0%"),
              (Spans("observed[0]", "observed[2]", "observed[3]"),
               Dots("observed[0]", "observed[1]", "observed, one standard error", sizes="observed[4]", tone=4),
               Line("mileage", "hazard", "model, today's price")),
              "The hazard by mileage: the model's passes near the observed; the log-likelihood is {llf}."),
        Panel("Mileage of the fleet", Axis("thousand miles", MILES), Axis("buses in a state", format=".1%"),
              (Line("mileage", "shares[0]", "today's price", tone=4),
               Line("mileage", "shares[1]", "new price", tone=2)),
              "How mileage is spread over the fleet at both prices; an engine lasts {lifetime} at the new one."),
        Panel("After the change", Axis("month", (0, MONTHS)), Axis("engines a year"),
              (Rule(y=f"summary[{kernels.TODAY}]", label="today"),
               Rule(y=f"summary[{kernels.DEMAND}]", label="long run", dashed=False),
               Line("month", "path", "expected demand", tone=2)),
              "Expected demand month by month: {first_year} engines in the first year, {demand} in the long run."),
    )  # fmt: skip
    readouts = (
        Readout("demand", "Demand, long run", f"summary[{kernels.DEMAND}]", ".2f", " a year"),
        Readout("change", "Change from today", f"summary[{kernels.CHANGE}]", "+.1f", "%"),
        Readout("lower", "Band, from", f"summary[{kernels.LOWER}]", ".2f", " a year"),
        Readout("upper", "Band, to", f"summary[{kernels.UPPER}]", ".2f", " a year"),
        Readout("elasticity", "Elasticity there", f"summary[{kernels.ELASTICITY}]", ".2f"),
        Readout("first_year", "Demand, first year", f"summary[{kernels.FIRST_YEAR}]", ".2f"),
        Readout("lifetime", "An engine lasts", f"summary[{kernels.LIFETIME}]", ".0f", " months"),
        Readout("llf", "Log-likelihood", f"summary[{kernels.LLF}]", ",.2f"),
        Readout("RC", "Estimate, RC", f"summary[{kernels.RC}]", ".2f"),
        Readout("theta11", "Estimate, theta11", f"summary[{kernels.THETA11}]", ".2f"),
    )

    def arrays(self):
        """Estimates, curves and observed hazards, and room for the results."""
        known = estimated()
        return known | {
            "discounts": DISCOUNTS, "prices": PRICES, "scale": [12.0 * N_BUSES], "hundred": [100.0],
            "patient": known["curves"][-1][0], "observed": observed_bins(group_4(90)),
            "mileage": 5 * (np.arange(N_STATES) + 0.5), "month": np.arange(1, MONTHS + 1),
            "curve": np.zeros((3, len(PRICES))), "tangent": np.zeros(len(PRICES)), "point": np.zeros(2),
            "shares": np.zeros((2, N_STATES)), "hazard": np.zeros(N_STATES), "path": np.zeros(MONTHS),
            "summary": np.zeros(kernels.SUMMARY_SIZE), "steps": np.zeros(NEWTON_STEPS),
            "states": np.zeros((kernels.STATE_ROWS, N_STATES)),
        }  # fmt: skip
