"""The two questions of Rust's Tables IX and X: are the groups alike, and does Zurcher look ahead? And the profile in
the discount factor, which shows how little the data say about it."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from compecon._options import vector
from compecon.errors import ParameterError
from compecon.likelihood.inference import lr_test
from compecon.zurcher.nfxp import nfxp


def homogeneity_test(fits, pooled):
    """Likelihood ratio test that one parameter vector serves all groups.

        LR = 2 (sum_g l_g - l_pooled),     df = sum_g K_g - K_pooled

    Parameters
    ----------
    fits : list of NFXPEstimate, on disjoint groups
    pooled : NFXPEstimate, on all of them together

    Returns
    -------
    TestResult

    Examples
    --------
    >>> from compecon import datasets, zurcher
    >>> panel, model = datasets.load_bus_panel(), zurcher.ZurcherModel(90, 0.9999)
    >>> fits = [zurcher.nfxp(model, zurcher.discretize(panel, groups)) for groups in ([1, 2, 3], [4], [1, 2, 3, 4])]
    >>> test = zurcher.homogeneity_test(fits[:2], fits[2])
    >>> round(test.statistic, 2), test.df
    (85.46, 4)
    """
    groups = [group for fit in fits for group in fit.data.groups]
    if sorted(groups) != sorted(pooled.data.groups):
        raise ParameterError(
            f"the fits cover groups {sorted(groups)} and the pooled fit {sorted(pooled.data.groups)}; "
            "they must be the same groups, each once."
        )
    df = sum(fit.theta.size for fit in fits) - pooled.theta.size
    return replace(lr_test(pooled.llf, sum(fit.llf for fit in fits), df=df), name="Homogeneity across groups (LR)")


def myopia_test(fit, **options):
    """Likelihood ratio of the estimate `fit` against the same model with discount factor 0.

    Rust treats it as chi-squared with one degree of freedom, as if the discount factor had been estimated. It is held
    fixed in both fits, so take the p-value as a guide.

    Examples
    --------
    >>> from compecon import datasets, zurcher
    >>> data = zurcher.discretize(datasets.load_bus_panel(), groups=[4])
    >>> test = zurcher.myopia_test(zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), data))
    >>> round(test.statistic, 3), round(test.pvalue, 4)
    (3.748, 0.0529)
    """
    myopic = nfxp(replace(fit.structure, discount=0.0), fit.data, fit.likelihood, **options)
    return replace(lr_test(myopic.llf, fit.llf, df=1), name="Myopia (LR)")


@dataclass(frozen=True, eq=False)
class DiscountProfile:
    """Estimates at each discount factor of a grid.

    Attributes
    ----------
    discount : (M,) float
    fits : tuple of NFXPEstimate
    """

    discount: np.ndarray
    fits: tuple

    def frame(self):
        """DataFrame indexed by the discount factor: log-likelihood, parameters, converged."""
        rows = [{"llf": fit.llf, **fit.params.to_dict(), "converged": fit.converged} for fit in self.fits]
        return pd.DataFrame(rows, index=pd.Index(self.discount, name="discount"))

    @property
    def best(self):
        """The estimate with the largest log-likelihood."""
        return max(self.fits, key=lambda fit: fit.llf)

    def __repr__(self):
        return f"DiscountProfile({self.discount.size} discount factors, best {self.best.structure.discount:g})"

    def _repr_html_(self):
        return self.frame().to_html(border=0)


def profile_discount(model, data, discounts, likelihood="joint", **options):
    """Estimate at each of `discounts`, every one from the estimate before it; options go to `nfxp`.

    Examples
    --------
    >>> from compecon import datasets, zurcher
    >>> data = zurcher.discretize(datasets.load_bus_panel(), groups=[4])
    >>> profile = zurcher.profile_discount(zurcher.ZurcherModel(90), data, [0, 0.9, 0.99, 0.999])
    >>> profile.frame()["llf"].round(2).tolist()
    [-3306.03, -3305.33, -3304.32, -3304.17]
    """
    grid = vector(discounts, "discounts")
    models = [replace(model, discount=float(value)) for value in grid]
    fits, start = [], options.pop("start", None)
    for candidate in models:
        fits.append(nfxp(candidate, data, likelihood, start=start, **options))
        if fits[-1].converged and likelihood != "transitions":
            start = fits[-1].theta[: 1 + len(model.cost.param_names)]
    return DiscountProfile(grid, tuple(fits))
