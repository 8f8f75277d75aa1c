"""Recovery: how often 95% intervals cover the truth when the model is estimated on panels that it has simulated."""

import numpy as np
import pandas as pd
from scipy import stats

from compecon import zurcher
from compecon.likelihood.covariance import KINDS

# Steep enough a cost that no engine reaches the last state, where increments are cut off.
TRUTH = zurcher.Params(RC=8.0, theta1=[6.0], theta3=[0.35, 0.6, 0.05])


def coverage(replications=200, n_buses=60, n_periods=120, discount=0.99):
    """DataFrame by parameter: mean bias in standard deviations, and the coverage of each kind of interval."""
    model = zurcher.ZurcherModel(90, discount)
    estimates, covered = [], []
    truth = np.concatenate(([TRUTH.RC], TRUTH.theta1, TRUTH.theta3[:-1]))
    for seed in range(replications):
        panel = zurcher.simulate(model, TRUTH, n_buses, n_periods, seed)
        fit = zurcher.nfxp(model, zurcher.discretize(panel, groups=None, increments="model"))
        errors = np.array([fit.standard_errors(kind) for kind in KINDS])
        estimates.append(fit.theta)
        covered.append(np.abs(fit.theta - truth) <= stats.norm.ppf(0.975) * errors)
    estimates = np.array(estimates)
    bias = (estimates.mean(axis=0) - truth) / estimates.std(axis=0)
    shares = pd.DataFrame(np.mean(covered, axis=0).T, columns=list(KINDS), index=list(fit.model.param_names))
    return shares.assign(bias=bias)
