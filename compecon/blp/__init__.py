"""The random-coefficients logit of demand for differentiated products (Berry, Levinsohn and Pakes 1995).

Names, shapes and conventions are pyblp's, so that code written for it runs here: `from compecon import blp as pyblp`.
"""

from compecon import __version__
from compecon.blp import data, options
from compecon.blp.bootstrap import BootstrappedResults
from compecon.blp.construction import (
    build_blp_instruments,
    build_differentiation_instruments,
    build_id_data,
    build_integration,
    build_matrix,
    build_ownership,
    data_to_dict,
)
from compecon.blp.formulation import Formulation
from compecon.blp.integration import Integration
from compecon.blp.iteration import Iteration
from compecon.blp.micro import MicroDataset, MicroMoment, MicroPart
from compecon.blp.multistart import MultistartResults
from compecon.blp.optimal_instruments import OptimalInstrumentResults
from compecon.blp.optimization import Optimization
from compecon.blp.problem import Problem
from compecon.blp.resampling import ResampledResults
from compecon.blp.results import ProblemResults
from compecon.blp.saving import load_results
from compecon.blp.simulation import Simulation, SimulationResults

__all__ = [
    "BootstrappedResults",
    "Formulation",
    "Integration",
    "Iteration",
    "MicroDataset",
    "MicroMoment",
    "MicroPart",
    "MultistartResults",
    "OptimalInstrumentResults",
    "Optimization",
    "Problem",
    "ProblemResults",
    "ResampledResults",
    "Simulation",
    "SimulationResults",
    "__version__",
    "build_blp_instruments",
    "build_differentiation_instruments",
    "build_id_data",
    "build_integration",
    "build_matrix",
    "build_ownership",
    "data",
    "data_to_dict",
    "load_results",
    "options",
]
