"""Rust's (1987) model of engine replacement and its nested fixed point estimator."""

from compecon.zurcher.bootstrap import BootstrapSample, parametric_bootstrap
from compecon.zurcher.costs import COSTS, Cost
from compecon.zurcher.data import BusData, discretize
from compecon.zurcher.demand import (
    DemandCurve,
    counterfactual,
    demand_curve,
    demand_path,
    replacement_rate,
    stationary_distribution,
)
from compecon.zurcher.hypotheses import DiscountProfile, homogeneity_test, myopia_test, profile_discount
from compecon.zurcher.model import Params, ZurcherModel
from compecon.zurcher.nfxp import NFXPEstimate, nfxp
from compecon.zurcher.replication import replicate_table
from compecon.zurcher.simulate import simulate
from compecon.zurcher.solve import Solution
from compecon.zurcher.surface import LikelihoodSurface, likelihood_surface

__all__ = [
    "BootstrapSample",
    "BusData",
    "COSTS",
    "Cost",
    "DemandCurve",
    "DiscountProfile",
    "LikelihoodSurface",
    "NFXPEstimate",
    "Params",
    "Solution",
    "ZurcherModel",
    "counterfactual",
    "demand_curve",
    "demand_path",
    "discretize",
    "homogeneity_test",
    "likelihood_surface",
    "myopia_test",
    "nfxp",
    "parametric_bootstrap",
    "profile_discount",
    "replacement_rate",
    "replicate_table",
    "simulate",
    "stationary_distribution",
]
