"""Rust's (1987) model of engine replacement and its nested fixed point estimator."""

from compecon.zurcher.costs import COSTS, Cost
from compecon.zurcher.model import Params, ZurcherModel
from compecon.zurcher.solve import Solution
