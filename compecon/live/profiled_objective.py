"""Chapter 13: GMM over one sigma, by hand and by three searches, on a tolerance that may lie."""

from functools import cache

import numpy as np

from compecon import blp
from compecon.blp.gmm import root_of
from compecon.blp.inner import logit_delta
from compecon.live import profiled_objective_kernels as kernels
from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Dots, Line, Panel, Readout, Rule, Run

MARKETS, PRODUCTS, FIRMS, NODES, SEED = 20, 6, 3, 9, 0
SIGMA, BETA = 3.0, (3.0, -2.0, 1.0)  # the truth; BETA is that of 1, prices and x
RANGE, ITERATIONS = 6.0, 20
INSTRUMENTS = {"shifter": "shifter only", "sums": "with sums", "differences": "with differences"}
RULES = {"product": "symmetric nodes", "monte_carlo": "random draws"}
METHODS = {"gauss-newton": "Gauss-Newton", "bfgs": "BFGS", "differences": "BFGS, finite differences"}
TOLERANCES = (1e-12, 1e-8, 1e-6, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1)
_SAYS = ((kernels.SEARCHING, "searching"), (kernels.CONVERGED, "converged"), (kernels.STUCK, "no step descends"),
         (kernels.TOO_SLOW, f"not within {ITERATIONS}"))  # fmt: skip


@cache
def economy():
    """The simulated data, by exact integration: prices set by three firms, one random coefficient, on x."""
    formulations = (blp.Formulation("1 + prices + x"), blp.Formulation("0 + x"), blp.Formulation("0 + x + z"))
    ids = blp.build_id_data(T=MARKETS, J=PRODUCTS, F=FIRMS)
    simulation = blp.Simulation(
        formulations, ids, beta=BETA, sigma=SIGMA, gamma=(1, 2), xi_variance=0.5, omega_variance=0.2, correlation=0.7,
        integration=blp.Integration("product", NODES), seed=SEED,
    )  # fmt: skip
    return simulation.replace_endogenous().product_data


@cache
def problem(instruments, rule):
    """The estimation problem with these instruments and this rule of integration."""
    data = {name: economy()[name] for name in ("market_ids", "firm_ids", "shares", "prices", "x", "z")}
    characteristic = blp.Formulation("0 + x")
    others = {"shifter": np.empty((len(data["x"]), 0)),
              "sums": blp.build_blp_instruments(characteristic, data),
              "differences": blp.build_differentiation_instruments(characteristic, data, version="quadratic")}
    data["demand_instruments"] = np.column_stack([data["z"], others[instruments]])
    integration = blp.Integration(rule, NODES, None if rule == "product" else {"seed": SEED})
    return blp.Problem((blp.Formulation("1 + prices + x"), characteristic), data, integration=integration)


def projections(part):
    """(N, 2) and (N, K1): r = first'delta has q = r'r with beta concentrated out, and beta = second'delta."""
    root = root_of(np.linalg.inv(part.ZZ))
    weighted = part.Z @ root / np.sqrt(part.n)
    basis, triangle = np.linalg.qr(weighted.T @ part.X1, mode="complete")
    K1 = part.X1.shape[1]
    moments = weighted @ basis[:, K1:]
    linear = weighted @ basis[:, :K1] @ np.linalg.inv(triangle[:K1]).T
    return np.pad(moments, ((0, 0), (0, 2 - moments.shape[1]))), linear


class ProfiledObjective(LiveFigure):
    """GMM over one sigma with beta concentrated out, and searches for its minimum. See `LiveFigure`."""

    name = "profiled-objective"
    title = "The profiled objective"
    caption = (
        "Simulated data: 20 markets with 6 products of 3 firms, one characteristic x, and a taste for it whose spread "
        "is sigma = 3. The objective is GMM's over sigma alone: at each sigma the inner problems are solved and the "
        "linear parameters concentrated out. Grey: solved exactly. Blue: by the contraction, which stops at the "
        "tolerance. Orange: the search, which believes what it sees at that tolerance, and stops when the slope is "
        "below 1e-5. Nine symmetric nodes make the curve symmetric and level at 0; nine random draws make two minima "
        "of unequal depth. A loose tolerance moves the minimum and makes the curve jump; finite differences turn "
        "jumps into slopes. Instruments: 1, x and a cost shifter, with sums of, or squared differences to, the x of "
        "other products. With the shifter only there are as many as linear parameters, none is left for sigma, and "
        "every sigma is a minimum."
    )

    sigma = Slider(1, "sigma, by hand", low=-RANGE, high=RANGE, step=0.05)
    start = Slider(0.5, "Start of the search", low=-RANGE, high=RANGE, step=0.05)
    method = Choice("gauss-newton", "Search", METHODS)
    tolerance = Slider(1e-12, "Inner tolerance", stops=TOLERANCES, format=".0e")
    instruments = Choice("differences", "Instruments", INSTRUMENTS)
    nodes = Choice("product", "Integration", RULES)

    runs = (Run("profiled_exact", on=("instruments", "nodes")),
            Run("profiled_hand", on=("sigma", "instruments", "nodes", "tolerance")),
            Run("profiled_search", on=("start", "method", "instruments", "nodes", "tolerance")),
            Run("profiled_curve", on=("instruments", "nodes", "tolerance")))  # fmt: skip
    panels = (
        Panel("Profiled objective", Axis("sigma", (-RANGE, RANGE)), Axis("objective q", "window"),
              (Line("grid", "exact[0]", "solved exactly", tone=4), Line("grid", "curve[0]", "at the tolerance"),
               Line("path[0]", "path[1]", "search", tone=2, dashed=True), Dots("path[0]", "path[1]", tone=2),
               Dots("sigma", "hand[0]", "by hand", tone=3, size=6), Rule(x="truth", label="the truth")),
              "The objective over sigma, least at {best}; by hand, at {sigma}, it is {value}. The search: {says}, at "
              "{end}."),
        Panel("Its slope", Axis("sigma", (-RANGE, RANGE)), Axis("dq / dsigma", (-8, 8)),
              (Line("grid", "exact[1]", "solved exactly", tone=4), Line("grid", "curve[2]", "by differences", tone=2),
               Line("grid", "curve[1]", "by the formula"), Rule(y="zero"),
               Dots("sigma", "hand[1]", "by hand", tone=3, size=6)),
              "The slope of the objective: exact, and at the tolerance by the formula and by finite differences. By "
              "hand it is {slope}, by differences {difference}."),
        Panel("The search", Axis("iteration", (-0.5, ITERATIONS)), Axis("|slope| that it sees", (1e-12, 100), log=True,
              format=".0e"), (Line("steps", "path[2]", tone=2), Dots("steps", "path[2]", tone=2), Rule(y="gtol")),
              "The size of the slope by iteration: {says}, having evaluated q {evaluations}. Solved exactly, the slope "
              "at its end is {end_slope}."),
    )  # fmt: skip
    readouts = (
        Readout("value", "Objective, by hand", "hand[0]"),
        Readout("slope", "Slope, by hand", "hand[1]"),
        Readout("difference", "Slope by differences", "hand[2]"),
        Readout("price", "Price coefficient, by hand", "hand[3]"),
        Readout("says", "The search says", "report[0]", ".0f", words=_SAYS),
        Readout("evaluations", "It evaluated q", "report[1]", ".0f", " times", ((1, "once"),)),
        Readout("end", "It ended at sigma", "search[0]"),
        Readout("end_slope", "Exact slope there", "report[3]", ".1e"),
        Readout("best", "Least q at sigma", "best[0]", words=((kernels.EVERYWHERE, "everywhere"),)),
    )

    def arrays(self):
        """Data of the problems, and room for the results."""
        products = problem("sums", "product").sorted_products
        agents = [problem("sums", rule).sorted_agents for rule in RULES]
        tables = [projections(problem(name, "product").linear_part) for name in INSTRUMENTS]
        shape, grid = (MARKETS, PRODUCTS), np.linspace(-RANGE, RANGE, 81)
        return {
            "shares": products.shares.reshape(shape), "logit": logit_delta(products).reshape(shape),
            "x2": products.X2.reshape(*shape, 1),
            "traits": np.concatenate([part.nodes.reshape(MARKETS, NODES, 1) for part in agents]),
            "weights": [part.weights[:NODES] for part in agents],
            "moments": [table[0] for table in tables], "linear": [table[1] for table in tables],
            "grid": grid, "exact": np.zeros((2, grid.size)), "curve": np.zeros((3, grid.size)), "best": np.zeros(3),
            "window": np.zeros(2), "hand": np.zeros(4), "path": np.zeros((3, ITERATIONS + 1)), "report": np.zeros(5),
            "search": np.zeros(kernels.STATE_SIZE), "state": np.zeros(kernels.STATE_SIZE), "place": np.zeros(1),
            "steps": np.arange(ITERATIONS + 1.0), "truth": [SIGMA], "zero": [0.0], "gtol": [kernels.GTOL],
            "small": np.zeros((kernels.SMALL_ROWS, 1)), "pairs": np.zeros((3, NODES, PRODUCTS)),
            "by_agent": np.zeros((2, NODES)), "square": np.zeros((PRODUCTS, PRODUCTS)),
            "by_product": np.zeros((8, PRODUCTS)), "columns": np.zeros((products.shares.size, 2)),
            "by_trait": np.zeros((2, NODES, 1)), "row": np.zeros((3, PRODUCTS)), "slopes": np.zeros((PRODUCTS, 1)),
            "products": np.zeros((2, 2)), "coefficients": np.zeros((3, 2)),
        }  # fmt: skip
