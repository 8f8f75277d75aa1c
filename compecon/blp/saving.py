"""Results as a dictionary, and as a file that loads without executing anything."""

import dataclasses
import zipfile

import numpy as np

from compecon.blp.parameters import Parameters
from compecon.errors import DataError

_ARRAYS = (
    "theta", "sigma", "pi", "beta", "sigma_se", "pi_se", "beta_se", "delta", "xi", "xi_by_theta_jacobian", "objective",
    "gradient", "hessian", "moments", "moments_jacobian", "moments_covariances", "parameter_covariances", "W",
    "updated_W", "micro", "micro_values", "micro_covariances", "step", "se_type", "optimizer_converged",
    "optimization_iterations", "objective_evaluations", "contraction_evaluations", "fp_converged",
)  # fmt: skip
_DERIVED = (
    "converged", "theta_labels", "beta_labels", "parameters", "sigma_squared", "xi_fe", "reduced_hessian_eigenvalues"
)  # fmt: skip
_PARAMETERS = tuple(field.name for field in dataclasses.fields(Parameters))


class ResultsArrays:
    """The methods `to_dict` and `save` of ProblemResults."""

    def to_dict(self, attributes=(*_ARRAYS, *_DERIVED)):
        """{name: value} of `attributes`, by default all estimates and diagnostics."""
        return {name: getattr(self, name) for name in attributes}

    def save(self, path):
        """Write the estimates to `path`, a .npz file of numbers and text; `blp.load_results` reads it.

        The problem, the functions of micro moments and the results of an earlier GMM step are not written.
        """
        parameters = {f"parameters_{name}": getattr(self.parameters_, name) for name in _PARAMETERS}
        with open(path, "wb") as file:
            np.savez_compressed(file, **parameters, **_signs(self.problem), **self.to_dict(_ARRAYS))


def load_results(path, problem):
    """Read what `ProblemResults.save` wrote, and attach it to `problem`, which must be the one that was estimated.

    Parameters
    ----------
    path : str or path
    problem : Problem

    Returns
    -------
    ProblemResults, with every `compute_*` method; without micro moments and earlier steps

    Raises
    ------
    DataError
        When the file was not written by `save`, or for a problem with other markets, products, formulas, instruments or
        agents, or with its rows in another order.

    Examples
    --------
    >>> import os, tempfile
    >>> from compecon import blp
    >>> from compecon.blp.examples import cereal_logit
    >>> results = cereal_logit()
    >>> path = os.path.join(tempfile.mkdtemp(), "logit.npz")
    >>> results.save(path)
    >>> bool(blp.load_results(path, results.problem).beta == results.beta)
    True
    """
    from compecon.blp.results import ProblemResults

    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        kind = type(error).__name__
        raise DataError(f"{path} cannot be read as a file that ProblemResults.save wrote ({kind}).") from None
    signs = _signs(problem)
    missing = sorted({*_ARRAYS, *signs, *(f"parameters_{name}" for name in _PARAMETERS)} - set(arrays))
    if missing:
        raise DataError(f"{path} is not a file that ProblemResults.save wrote; it has no {missing[0]!r}.")
    for name, here in signs.items():
        there = arrays[name]
        same = np.array_equal if here.dtype.kind == "U" else np.allclose
        if here.shape != there.shape or not same(here, there):
            raise DataError(f"{path} is of a problem with other {name}. Load it with the problem that was estimated.")
    parameters = {name: arrays[f"parameters_{name}"] for name in _PARAMETERS}
    parameters["labels"] = tuple(parameters["labels"].tolist())
    values = {name: arrays[name].item() if arrays[name].ndim == 0 else arrays[name] for name in _ARRAYS}
    return ProblemResults(problem=problem, parameters_=Parameters(**parameters), micro_moments=(), **values)


def _signs(problem):
    """What tells one problem from another; shares are in the order of the data."""
    return {
        "market_ids": np.array(problem.unique_market_ids, dtype=str),
        "columns": np.array([*problem.x1_names, "|", *problem.x2_names, "|", *problem.demographic_names]),
        "shares": problem.to_file_order(problem.sorted_products.shares),
        "instruments": np.sum(problem.instruments, axis=0),
        "agents": np.sum(problem.sorted_agents.traits, axis=0),
    }
