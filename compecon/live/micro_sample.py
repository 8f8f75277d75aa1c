"""Chapter 19: Micro moments: how a survey of consumers shrinks the standard errors of aggregate data."""

from functools import cache
from types import SimpleNamespace

import numpy as np

from compecon import blp
from compecon.blp.examples import cereal_results
from compecon.blp.micro_system import MicroSystem
from compecon.datasets import load_cereal
from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Bars, Dots, Line, Panel, Readout, Rule, Run

MARKET = "C61Q1"
SIZES = tuple(float(lead * 10**power) for power in range(1, 5) for lead in (1, 2, 5)) + (1e5,)
SETS = {"two": "two averages", "nine": "nine averages", "scores": "scores"}
SAMPLES = {"all": "everyone", "buyers": "buyers only"}
DEMOGRAPHICS = ("income", "income_squared", "age", "child")
TONES = (4, 2, 1)
_RULE = blp.Integration("product", 3)
_SIZE = Axis("people interviewed", (8, 3e5), log=True, format=",.0f")


@cache
def second_step():
    """The cereal estimates with optimal instruments: column 2 of the tutorial's results."""
    first = cereal_results()
    problem = first.compute_optimal_instruments().to_problem()
    return problem.solve(first.sigma, first.pi, optimization=blp.Optimization("gauss-newton"), method="1s")


@cache
def one_market():
    """The surveyed market at the same Sigma and Pi, with tastes integrated for each of its 20 households."""
    products, agents = (table[table["market_ids"] == MARKET] for table in load_cereal())
    rule = blp.build_integration(_RULE, 4)
    people = agents.loc[agents.index.repeat(rule.size), ["market_ids", *DEMOGRAPHICS]].reset_index(drop=True)
    people["weights"] = np.tile(rule.weights[:, 0], len(agents)) / len(agents)
    for k in range(4):
        people[f"nodes{k}"] = np.tile(rule.nodes[:, k], len(agents))
    formulations = blp.Formulation("0 + prices"), blp.Formulation("1 + prices + sugar + mushy")
    problem = blp.Problem(formulations, products, blp.Formulation(f"0 + {' + '.join(DEMOGRAPHICS)}"), people)
    fit, free = second_step(), (np.full((4, 4), -np.inf), np.full((4, 4), np.inf))
    return problem.solve(fit.sigma, fit.pi, optimization=blp.Optimization("return"), method="1s", sigma_bounds=free)


def survey_moments(results, sample):
    """22 moments: of demographic times characteristic of what was bought, one a Pi; and the 13 scores."""
    outside = 1 if sample == "all" else 0
    dataset = blp.MicroDataset(sample, 1, lambda t, p, a: np.ones((a.size, outside + p.size)))
    pairs = [label.split(" x ") for label in results.theta_labels if label.split(" x ")[1] in DEMOGRAPHICS]
    pairs.sort(key=lambda pair: pair[0] != "1")

    def average(name, demographic):
        def values(t, p, a):
            bought = a[demographic] * (np.ones((1, p.size)) if name == "1" else p[name].T)
            return np.hstack([np.zeros((a.size, outside)), bought])

        return values

    functions = {f"{demographic} x {name}": average(name, demographic) for name, demographic in pairs}
    scores = results.compute_agent_scores(dataset, integration=_RULE)
    functions |= {f"score {k}": lambda t, p, a, score=score: score[t] for k, score in enumerate(scores)}
    return [blp.MicroMoment(name, 0, blp.MicroPart(name, dataset, values)) for name, values in functions.items()]


@cache
def information():
    """A : (14, 14) of the aggregate moments, and B : (2, 3, 13, 13) of one interview, by sample and set of moments."""
    fit, results = second_step(), one_market()
    G, S = fit.moments_jacobian, fit.moments_covariances
    order, interviews = results.problem.to_market_order, []
    inversion = SimpleNamespace(delta=order(results.delta)[:, 0], jacobian=order(results.xi_by_theta_jacobian))
    at = SimpleNamespace(theta=results.theta, inversion=inversion)
    for sample in SAMPLES:
        system = MicroSystem(results.problem, survey_moments(results, sample))
        known = results.problem, results.parameters_
        _, _, slope = system.evaluate(*known, results.theta, inversion)
        C = system.covariances(*known, at)
        sets = (slice(0, 2), slice(0, 9), slice(9, None))
        interviews.append([slope[m].T @ np.linalg.solve(C[m, m], slope[m]) for m in sets])
    return fit.problem.N * G.T @ np.linalg.solve(S, G), np.array(interviews)


class MicroSample(LiveFigure):
    """Standard errors of the cereal estimates as a survey of one market grows. See `LiveFigure`."""

    name = "micro-sample"
    title = "A survey beside the shares"
    caption = (
        "Standard errors of the 14 cereal parameters (simulated data) as a share of those from aggregate moments "
        "alone, at the estimates with optimal instruments, held fixed. A survey of one market is added with efficient "
        "weights. "
        "Two averages: income and age, times having bought. Nine: demographic times characteristic of the product "
        "bought, one for each element of Pi. Scores: the derivatives of an interview's log-likelihood, the optimal "
        "moments. Tastes are integrated over 81 nodes for each of the market's 20 households. Look for parameters "
        "that a survey of first choices teaches much about (Pi), and little (Sigma), and for beta, whose error has a "
        "floor."
    )

    observations = Slider(1000, "People interviewed", stops=SIZES, format=",.0f")
    moments = Choice("nine", "Moments", SETS)
    sample = Choice("all", "Who is asked", SAMPLES)
    parameter = Choice("prices x income", "Parameter", {name: name for name in (
        "1 x 1", "prices x prices", "sugar x sugar", "mushy x mushy", "1 x income", "1 x age", "prices x income",
        "prices x income_squared", "prices x child", "sugar x income", "sugar x age", "mushy x income", "mushy x age",
        "beta prices")})

    runs = (Run("micro_sample"),)
    messages = {"micro_sample": "The information of these moments is singular."}
    panels = (
        Panel("Standard error of the parameter", _SIZE, Axis("share of that without survey", (0.02, 1.3), log=True,
                                                             format=".2f"),
              (*(Line("stops", f"curves[{row}]", label, tone=tone)
                 for row, (label, tone) in enumerate(zip(SETS.values(), TONES))),
               Line("stops", "alone", "scores, survey alone", tone=1, dashed=True),
               Line("stops", "floor", "theta known", tone=3, dashed=True),
               Rule(y="one"), Dots("observations", "shown[0]", "this survey", tone=3, size=6, hollow=True)),
              "The standard error falls with the size of the survey, from {before} without one to {now} with "
              "{observations} people; with the scores it is {best}."),
        Panel("All parameters", Axis("parameter: Sigma 1–4, Pi 5–13, beta 14", (0.4, 14.6), format=".0f"),
              Axis("share of that without survey", (0, 1.05)),
              (Bars("number", "chosen[0]", "these moments", tone=4),
               Bars("number", "chosen[1]", "the parameter above", tone=2),
               Dots("number", "ratios[2]", "scores, the bound"), Rule(y="one")),
              "Standard errors of all 14 parameters as shares of those without a survey. Scores give the lowest."),
        Panel("Variance made by the survey", _SIZE,
              Axis("share of the variance", (0, 1.04), format=".0%"),
              (*(Line("stops", f"share[{row}]", label, tone=tone)
                 for row, (label, tone) in enumerate(zip(SETS.values(), TONES))),
               Dots("observations", "shown[1]", "this survey", tone=3, size=6, hollow=True)),
              "The part of the variance that comes from the sampling of consumers: {part} here."),
    )  # fmt: skip
    readouts = (
        Readout("before", "Standard error, no survey", "summary[0]", ".4f"),
        Readout("now", "With this survey", "summary[1]", ".4f"),
        Readout("best", "With its scores", "summary[2]", ".4f"),
        Readout("ratio", "Share of that without survey", "shown[0]", ".3f"),
        Readout("part", "Made by the interviews", "summary[3]", ".1%"),
    )

    def arrays(self):
        """Information in units of the aggregate standard errors, and room for the results."""
        A, B = information()
        units = np.sqrt(np.diag(np.linalg.inv(A)))
        K, stops = units.size, np.array(SIZES)
        return {
            "stops": stops, "one": [1.0], "number": np.arange(1.0, K + 1), "units": units,
            "aggregate": A * np.outer(units, units), "interview": B * np.outer(units[:-1], units[:-1]),
            "curves": np.zeros((3, stops.size)), "alone": np.zeros(stops.size), "floor": np.zeros(stops.size),
            "share": np.zeros((3, stops.size)), "ratios": np.zeros((3, K)), "chosen": np.zeros((2, K)),
            "shown": np.zeros(2), "summary": np.zeros(4), "square": np.zeros((K, K)), "columns": np.zeros((K, K)),
        }  # fmt: skip
