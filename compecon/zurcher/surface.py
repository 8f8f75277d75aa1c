"""The log-likelihood on a grid of two parameters: what an optimizer climbs."""

from dataclasses import dataclass

import numpy as np

from compecon._options import vector
from compecon.errors import ParameterError


@dataclass(frozen=True, eq=False)
class LikelihoodSurface:
    """The log-likelihood over two parameters, the others as estimated.

    Attributes
    ----------
    names : (str, str), the parameters along the columns and the rows
    x, y : (M,), (L,) float, their values
    llf : (L, M) float; NaN where the model has no solution
    path : (n_iter + 1, 2) float, the optimizer's points, in the two parameters
    """

    names: tuple[str, str]
    x: np.ndarray
    y: np.ndarray
    llf: np.ndarray
    path: np.ndarray

    def __repr__(self):
        return f"LikelihoodSurface({self.names[0]} x {self.names[1]}, {self.x.size} x {self.y.size} points)"


def likelihood_surface(fit, x, y, names=("RC", "theta11")):
    """Evaluate the log-likelihood of `fit` on the grid x times y of the two parameters `names`.

    Parameters
    ----------
    fit : NFXPEstimate
    x, y : (M,), (L,) float
    names : (str, str)

    Returns
    -------
    LikelihoodSurface

    Examples
    --------
    >>> from compecon import datasets, zurcher
    >>> data = zurcher.discretize(datasets.load_bus_panel(), groups=[4])
    >>> fit = zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), data, "partial")
    >>> surface = zurcher.likelihood_surface(fit, [8.0, fit.params["RC"], 12.0], [fit.params["theta11"]])
    >>> int(surface.llf.argmax())
    1
    """
    columns = list(fit.model.param_names)
    unknown = [name for name in names if name not in columns]
    if unknown or len(set(names)) != 2:
        raise ParameterError(f"names = {names!r}; give two different ones of {', '.join(columns)}.")
    x, y = vector(x, "x"), vector(y, "y")
    where = [columns.index(name) for name in names]
    llf, theta = np.empty((y.size, x.size)), fit.theta.copy()
    for row, column in np.ndindex(llf.shape):
        theta[where] = x[column], y[row]
        logl, _ = fit.model.loglike(theta)
        llf[row, column] = fit.model.weights @ logl
    return LikelihoodSurface(tuple(names), x, y, llf, fit.maximum.path[:, where])
