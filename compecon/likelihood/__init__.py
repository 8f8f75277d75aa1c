"""Maximum likelihood for any model with per-observation scores: optimizers, covariances, tests."""

from compecon.likelihood import examples
from compecon.likelihood.inference import TestResult, delta_method, lm_test, lr_test, wald_test
from compecon.likelihood.information_matrix import information_matrix_test
from compecon.likelihood.maximize import Maximum, bfgs, bhhh, bhhh_bfgs, newton
from compecon.likelihood.results import Estimate, fit

__all__ = [
    "Estimate",
    "Maximum",
    "TestResult",
    "bfgs",
    "bhhh",
    "bhhh_bfgs",
    "delta_method",
    "examples",
    "fit",
    "information_matrix_test",
    "lm_test",
    "lr_test",
    "newton",
    "wald_test",
]
