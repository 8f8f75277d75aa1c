"""Results as a dictionary, and as a file that loads without executing anything."""

import dataclasses

import numpy as np

from compecon.blp.parameters import Parameters
from compecon.errors import DataError

_ARRAYS = (
    "theta", "sigma", "pi", "beta", "sigma_se", "pi_se", "beta_se", "delta", "xi", "xi_by_theta_jacobian", "objective",
    "gradient", "hessian", "moments", "moments_jacobian", "moments_covariances", "parameter_covariances", "W", "updated_W",
    "micro", "micro_values", "micro_covariances", "step", "se_type", "optimizer_converged", "optimization_iterations",
    "objective_evaluations", "contraction_evaluations", "fp_converged",
)  # fmt: skip
_DERIVED = ("converged", "theta_labels", "beta_labels", "parameters", "sigma_squared", "xi_fe", "reduced_hessian_eigenvalues")


class ResultsArrays:
    """The methods `to_dict` and `save` of ProblemResults."""

    def to_dict(self, attributes=(*_ARRAYS, *_DERIVED)):
        """{name: value} of `attributes`, by default all estimates and diagnostics."""
        return {name: getattr(self, name) for name in attributes}

    def save(self, path):
        """Write the estimates to `path`, a .npz file of numbers and text; `blp.load_results` reads it.

        The problem, the functions of micro moments and the results of an earlier GMM step are not written.
        """
        parameters = {f"parameters_{field.name}": getattr(self.parameters_, field.name) for field in dataclasses.fields(Parameters)}
        parameters["parameters_labels"] = np.array(self.parameters_.labels, dtype=str)
        markets = np.array(self.problem.unique_market_ids, dtype=str)
        with open(path, "wb") as file:
            np.savez_compressed(file, market_ids=markets, **parameters, **self.to_dict(_ARRAYS))


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
        When the file does not fit: other markets, another number of products, other parameters.

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
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not a file that ProblemResults.save wrote: {error}") from None
    missing = sorted({"market_ids", *_ARRAYS} - set(arrays))
    if missing:
        raise DataError(f"{path} is not a file that ProblemResults.save wrote; it has no {missing[0]!r}.")
    markets = np.array(problem.unique_market_ids, dtype=str)
    size = (problem.K2, problem.K2 + problem.D)
    if not np.array_equal(arrays["market_ids"], markets) or arrays["delta"].shape != (problem.N, 1):
        raise DataError(
            f"{path} holds {arrays['delta'].size} products in {arrays['market_ids'].size} markets, not this problem's "
            f"{problem.N} in {problem.T}. Load it with the problem that was estimated."
        )
    if arrays["parameters_initial"].shape != size or arrays["beta"].size != problem.K1:
        raise DataError(f"{path} holds the parameters of other formulations. Load it with the problem that was estimated.")
    parameters = Parameters(**{field.name: arrays[f"parameters_{field.name}"] for field in dataclasses.fields(Parameters)})
    parameters = dataclasses.replace(parameters, labels=tuple(map(str, parameters.labels)))
    values = {name: arrays[name].item() if arrays[name].ndim == 0 else arrays[name] for name in _ARRAYS}
    return ProblemResults(problem=problem, parameters_=parameters, micro_moments=(), **values)
