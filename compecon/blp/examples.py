"""The cereal problem of Nevo (2000), ready made: for examples, exercises and `python -m compecon`.

The data are simulated (see `compecon.datasets.load_cereal`). Formulations and starting values are those of pyblp's
tutorial.
"""

from compecon.blp.formulation import Formulation
from compecon.blp.optimization import Optimization
from compecon.blp.problem import Problem
from compecon.datasets import load_cereal

SIGMA = ((0.3302, 0, 0, 0), (0, 2.4526, 0, 0), (0, 0, 0.0163, 0), (0, 0, 0, 0.2441))
PI = ((5.4819, 0, 0.2037, 0), (15.8935, -1.2, 0, 2.6342), (-0.2506, 0, 0.0511, 0), (1.265, 0, -0.8091, 0))


def cereal_problem():
    """Prices in X1 with product effects absorbed; 1, prices, sugar and mushy in X2; four demographics."""
    products, agents = load_cereal()
    formulations = (Formulation("0 + prices", absorb="C(product_ids)"), Formulation("1 + prices + sugar + mushy"))
    return Problem(formulations, products, Formulation("0 + income + income_squared + age + child"), agents)


def cereal_results(optimization=None):
    """The cereal problem's one-step estimates, from Nevo's starting values; by Gauss-Newton unless told otherwise.

    Examples
    --------
    >>> from compecon.blp.examples import cereal_results
    >>> cereal_results().beta
    array([[-62.72990]])
    """
    return cereal_problem().solve(SIGMA, PI, optimization=optimization or Optimization("gauss-newton"), method="1s")


def cereal_logit():
    """The plain logit on the cereal data: no random coefficients, product effects absorbed."""
    products, _ = load_cereal()
    return Problem(Formulation("0 + prices", absorb="C(product_ids)"), products).solve(method="1s")
