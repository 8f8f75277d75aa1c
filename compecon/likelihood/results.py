"""`Estimate`: a maximum likelihood estimate with everything that is reported about it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from compecon._options import share
from compecon.errors import CompEconError
from compecon.likelihood.covariance import check_kind, covariance
from compecon.likelihood.maximize import Maximum, maximize
from compecon.likelihood.model import LikelihoodModel
from compecon.likelihood.summary import Summary


@dataclass(frozen=True, eq=False)
class Estimate:
    """A maximum likelihood estimate.

    Attributes
    ----------
    model : LikelihoodModel
    theta : (K,) float
        The estimate in the order of `model.param_names`; `params` is the same as a labelled Series.
    maximum : Maximum
        How the optimizer got there.
    kind : str
        The covariance that `bse`, `conf_int` and `summary` use unless they are told otherwise.
    """

    model: LikelihoodModel
    theta: np.ndarray
    maximum: Maximum
    kind: str = "opg"

    @property
    def params(self):
        """Series of the estimates, by name."""
        return pd.Series(self.theta, index=list(self.model.param_names), name="estimate")

    @property
    def llf(self):
        """The log-likelihood at the estimate."""
        return self.maximum.llf

    @property
    def nobs(self):
        """Number of observations, cells counted as often as they were observed."""
        return int(round(float(self.model.weights.sum())))

    @property
    def converged(self):
        """Whether the optimizer met its tolerance."""
        return self.maximum.converged

    @property
    def trace(self):
        """DataFrame with the optimizer's iterations; see `Maximum.trace`."""
        return self.maximum.trace

    def cov_params(self, kind=None):
        """DataFrame (K, K): the covariance of the estimates; see `compecon.likelihood.covariance` for the kinds."""
        names = list(self.model.param_names)
        return pd.DataFrame(self._covariance(kind or self.kind), index=names, columns=names)

    @property
    def bse(self):
        """Series of standard errors, from the covariance named by `kind`."""
        return self.standard_errors()

    def standard_errors(self, kind=None):
        """Series of standard errors, from the covariance `kind`."""
        matrix = self._covariance(kind or self.kind)
        return pd.Series(np.sqrt(np.diag(matrix)), index=list(self.model.param_names), name="std err")

    def conf_int(self, level=0.95, kind=None):
        """DataFrame with the lower and upper end of each normal confidence interval."""
        reach = stats.norm.ppf(0.5 + share(level, "level") / 2) * self.standard_errors(kind)
        return pd.DataFrame({"lower": self.params - reach, "upper": self.params + reach})

    def summary(self, kind=None, level=0.95):
        """The estimate as a printable table: method, observations, convergence; estimates, errors, intervals."""
        kind = kind or self.kind
        table = self.params.to_frame()
        try:
            table = table.join(self.standard_errors(kind)).join(self.conf_int(level, kind))
            note = f"standard errors: {kind}; intervals: {level:.0%}"
        except CompEconError as error:
            note = f"no standard errors: {error}"
        gradient = np.abs(self.maximum.gradient).max()
        facts = {
            "method": self.maximum.method,
            "observations": f"{self.nobs}",
            "log-likelihood": f"{self.llf:.6f}",
            "converged": "yes" if self.converged else f"NO: {self.maximum.message}",
            "iterations": f"{self.maximum.n_iter} ({self.maximum.n_evaluations} evaluations)",
            "largest gradient": f"{gradient:.1e}",
        }
        return Summary(self._title(), facts, table, note)

    def _title(self):
        return type(self.model).__name__

    def _covariance(self, kind):
        return covariance(self.model, self.theta, kind)

    def __repr__(self):
        state = "converged" if self.converged else "NOT converged"
        values = ", ".join(f"{name}={value:.6g}" for name, value in list(self.params.items())[:6])
        return f"{type(self).__name__}({values}; llf={self.llf:.4f}, {state})"

    def _repr_html_(self):
        return self.summary()._repr_html_()


def fit(model, start, optimizer="bhhh-bfgs", kind="opg", **options):
    """Estimate `model` by maximum likelihood from `start`; `options` go to `maximize` (step, tol, max_iter).

    Examples
    --------
    >>> from compecon.likelihood import examples, fit
    >>> fit(examples.Poisson([2, 0, 3, 1]), [1.0]).params.round(6).to_dict()
    {'mean': 1.5}
    """
    check_kind(kind)
    maximum = maximize(model, start, method=optimizer, **options)
    return Estimate(model, maximum.theta, maximum, kind)
