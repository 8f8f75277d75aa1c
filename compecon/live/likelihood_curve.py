"""Chapter 1: The likelihood: theta moved over data, and where the product of densities is no longer a number."""

import numpy as np
from scipy.special import gammaln
from scipy.stats import poisson

from compecon.live import likelihood_curve_kernels as kernels
from compecon.live.controls import Choice, Slider
from compecon.live.figure import LiveFigure
from compecon.live.parts import Axis, Bars, Dots, Line, Panel, Readout, Rule, Run, Spans

TRUTH, LOW, HIGH, STEP = 2.5, 0.1, 6.0, 0.025
# Between 350 and 560 observations, by tens, the product of densities dies.
SIZES = (*(1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 250, 300), *range(350, 561, 10),
         *(600, 700, 1000, 1500, 2000))  # fmt: skip
BIN, DRAWN, MOST_COUNT = 0.5, 30, 60


def grid():
    """(G,): the thetas of the curves, every place of the slider."""
    return np.linspace(LOW, HIGH, round((HIGH - LOW) / STEP) + 1)


def expected(theta):
    """(2, ...): the expected log-density at theta of one outcome of mean `TRUTH`, normal and Poisson."""
    theta, counts = np.asarray(theta, dtype=float), np.arange(MOST_COUNT + 1)
    log_factorial = poisson.pmf(counts, TRUTH) @ gammaln(counts + 1)
    return np.array([-0.5 * (np.log(2 * np.pi) + 1 + (theta - TRUTH) ** 2),
                     TRUTH * np.log(theta) - theta - log_factorial])


class LikelihoodCurve(LiveFigure):
    """The likelihood of one parameter, as a product and by logarithms, over a sample of any size. See `LiveFigure`.

    >>> from compecon import live
    >>> figure = live.LikelihoodCurve(n=600, theta=2.5)
    >>> figure.read()["product"], round(figure.read()["llf"], 2)
    (0.0, -838.72)
    """

    name = "likelihood-curve"
    title = "The likelihood"
    caption = (
        "Outcomes drawn from a model with mean 2.5, and the same model with mean theta: normal with standard deviation "
        "1, or Poisson. The likelihood of theta is the product of the densities at the outcomes; the first panel shows "
        f"the factors of the first {DRAWN} as upright lines. In the second panel blue is that product, in double "
        "precision, and orange is the exponential of a difference of logarithms; each is divided by its largest value "
        "along theta. With some hundred outcomes the product is zero for every theta: it has underflowed, and the "
        "blue curve is gone. The third panel divides the log-likelihood by N, and shows its tangent and its parabola "
        "at theta. The limit for large N is highest at the truth."
    )

    model = Choice("normal", "Model", {"normal": "normal", "poisson": "Poisson"})
    n = Slider(20, "Outcomes N", stops=SIZES, format=".0f")
    theta = Slider(1.5, "theta", low=LOW, high=HIGH, step=STEP, format=".3f")
    seed = Slider(1, "Number of the sample", low=1, high=50, step=1, format=".0f")

    runs = (Run("likelihood_sample", on=("model", "n", "seed")), Run("likelihood_point"))
    panels = (
        Panel("The outcomes, and the model at theta", Axis("outcome", (-2, 8)), Axis("density, or probability", (0, 1)),
              (Bars("bins[0]", "bins[1]", "outcomes", tone=4, width=BIN), Bars("counts[0]", "counts[1]", tone=4),
               Line("curve[0]", "curve[1]", "model", tone=2),
               Spans("heights[0]", "zero", "heights[1]", "factors", tone=1),
               Dots("mass[0]", "mass[1]", tone=2, size=4.5), Rule(x="theta", label="theta", tone=2)),
              "A histogram of {n} outcomes, and the density of the {model} model with mean {theta}."),
        Panel("Likelihood, over its largest value", Axis("theta", (0, 6)), Axis("relative likelihood", (0, 1.08)),
              (Line("grid", "product", "as a product", tone=1),
               Line("grid", "relative", "by logarithms", tone=2, dashed=True),
               Rule(x="peak[0]", label="maximum", tone=3), Rule(x="theta", label="theta", tone=4)),
              "The likelihood by theta, highest at {best}. As a product at theta {theta}: {product}. The product is "
              "zero after multiplying: {zero_after}."),
        Panel("Log-likelihood, over N", Axis("theta", (0, 6)), Axis("log-likelihood / N", (-7, 0)),
              (Line("grid", "mean_llf", "this sample", tone=1), Line("grid", "limit", "limit", tone=4, dashed=True),
               Rule(x="truth", label="truth"),
               Line("grid", "tangent", "tangent", tone=2), Line("grid", "parabola", "parabola", tone=2, dashed=True),
               Dots("peak[0]", "peak[1]", "maximum", tone=3, size=5), Dots("theta", "here", "theta", tone=2, size=5)),
              "The log-likelihood by theta: a hill with its top at {best}. At theta {theta} it is {llf}, its slope "
              "{score}, its second derivative {curvature}."),
    )  # fmt: skip
    readouts = (
        Readout("llf", "Log-likelihood at theta", f"summary[{kernels.LLF}]", ".2f"),
        Readout("product", "Likelihood, as a product", f"summary[{kernels.PRODUCT}]", ".2e",
                words=((0.0, "0: underflow"),)),
        Readout("zero_after", "The product is 0 after", f"summary[{kernels.ZERO_AFTER}]", ".0f", " factors",
                ((kernels.NEVER, "not yet"),)),
        Readout("score", "Score at theta", f"summary[{kernels.SCORE}]", ".2f"),
        Readout("curvature", "Second derivative", f"summary[{kernels.CURVATURE}]", ".1f"),
        Readout("best", "Maximum at", f"peak[{kernels.BEST}]", ".3f"),
    )  # fmt: skip

    def arrays(self):
        """Grids, the limit, and room for the sample and the curves."""
        bins, counts, curve, mass = np.zeros((2, 21)), np.zeros((2, 13)), np.zeros((2, 121)), np.zeros((2, 13))
        bins[0], counts[0], mass[0] = np.linspace(-2, 8, 21), np.arange(13), np.arange(13)
        curve[0], thetas, most = np.linspace(-2, 8, 121), grid(), max(SIZES)
        return {
            "truth": [TRUTH], "log_factorials": gammaln(np.arange(MOST_COUNT + 1) + 1), "y": np.zeros(most),
            "log_factorial": np.zeros(most), "bins": bins, "counts": counts, "curve": curve, "mass": mass,
            "heights": np.zeros((2, DRAWN)), "zero": np.zeros(DRAWN), "grid": thetas, "product": np.zeros(thetas.size),
            "relative": np.zeros(thetas.size), "mean_llf": np.zeros(thetas.size), "expected": expected(thetas),
            "limit": np.zeros(thetas.size), "tangent": np.zeros(thetas.size), "parabola": np.zeros(thetas.size),
            "peak": np.zeros(2), "here": np.zeros(1), "summary": np.zeros(kernels.SUMMARY_SIZE),
            "terms": np.zeros(most), "scores": np.zeros((most, 2)), "hessian": np.zeros((most, 2, 2)),
        }  # fmt: skip
