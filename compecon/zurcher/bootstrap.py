"""The parametric bootstrap of the nested fixed point estimator."""

import warnings
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from compecon._options import positive_integer
from compecon.errors import CompEconError, CompEconWarning, ConvergenceError
from compecon.zurcher.model import Params
from compecon.zurcher.nfxp import nfxp
from compecon.zurcher.simulate import resample


@dataclass(frozen=True, eq=False)
class BootstrapSample:
    """Estimates from samples drawn from the estimated model.

    Attributes
    ----------
    params : tuple of Params, one for each sample that could be estimated
    n_failed : int, samples without a converged estimate
    """

    params: tuple[Params, ...]
    n_failed: int

    def values(self):
        """(draws, 1 + K1 + J) float: RC, theta1 and all of theta3."""
        width = max(point.theta3.size for point in self.params)
        rows = [
            np.concatenate(([point.RC], point.theta1, point.theta3, np.zeros(width - point.theta3.size)))
            for point in self.params
        ]
        return np.array(rows)


def parametric_bootstrap(fit, draws, seed, progress=False):
    """Draw `draws` samples from the model at the estimate and estimate each in the same way.

    Each sample has the buses, months and first states of the data. Sample b uses the b-th stream spawned from `seed`
    (an int or a numpy Generator), so the result does not depend on the order of the work. Samples that fail (no
    replacement drawn, say) are left out, counted and reported by a warning. `progress` shows a bar.
    """
    draws = positive_integer(draws, "draws", least=2)
    params, estimated = fit.as_params(), []
    again_alike = {
        "likelihood": fit.likelihood,
        "start": np.concatenate(([params.RC], params.theta1)),
        "theta3": fit.theta3 if fit.theta3_given else None,
    }
    for stream in tqdm(np.random.default_rng(seed).spawn(draws), disable=not progress):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CompEconWarning)
                sample = resample(fit.structure, params, fit.data, stream)
                again = nfxp(fit.structure, sample, **again_alike)
        except CompEconError:
            continue
        if again.converged:
            estimated.append(again.as_params())
    n_failed = draws - len(estimated)
    if len(estimated) < 2:
        raise ConvergenceError(
            f"{n_failed} of {draws} bootstrap samples could not be estimated; is RC identified at all?"
        )
    if n_failed:
        message = f"{n_failed} of {draws} bootstrap samples could not be estimated and are left out."
        warnings.warn(message, CompEconWarning, stacklevel=3)
    return BootstrapSample(tuple(estimated), n_failed)
