"""The nested fixed point estimator: an optimizer over the likelihood, the Bellman equation solved at each trial."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from compecon._options import one_of, vector
from compecon.errors import DataError, ParameterError
from compecon.likelihood.covariance import check_kind, invert, outer_product
from compecon.likelihood.maximize import Maximum, maximize, total_hessian
from compecon.likelihood.results import Estimate
from compecon.zurcher.costs import COSTS
from compecon.zurcher.data import BusData
from compecon.zurcher.likelihood import ChoiceLikelihood, TransitionLikelihood
from compecon.zurcher.model import Params, ZurcherModel
from compecon.zurcher.simplex import LogOdds

LIKELIHOODS = ("transitions", "partial", "joint")
_START_RC = 5.0


@dataclass(frozen=True, eq=False, repr=False)
class NFXPEstimate(Estimate):
    """An estimate of Rust's model; adds to `Estimate` what the model makes of it.

    `cov_params(kind="two-step")` of a partial estimate accounts for theta3 being estimated first.
    """

    likelihood: str = "joint"
    theta3_given: bool = False

    @property
    def data(self):
        """The `BusData` that it was estimated on."""
        return self.model.data

    @property
    def structure(self):
        """The `ZurcherModel` that was estimated."""
        return self.model.model

    @property
    def theta3(self):
        """(J,) float: the mileage probabilities, the implied one and empty categories included."""
        if self.likelihood == "transitions":
            return self.model.probabilities(self.theta)
        return self.model.split(self.theta)[2]

    def as_params(self):
        """The estimate as `Params`, ready for `model.solve` and `simulate`."""
        if self.likelihood == "transitions":
            raise ParameterError(
                "a 'transitions' fit has no RC and theta1; estimate with likelihood='joint' or 'partial'."
            )
        RC, theta1, theta3 = self.model.split(self.theta)
        return Params(RC, theta1, theta3)

    def solve(self, method="newton"):
        """The `Solution` of the model at the estimate."""
        return self.structure.solve(self.as_params(), method=method)

    def probabilities(self, kind=None):
        """DataFrame: each category's probability and its standard error by the delta method, with the implied one."""
        theta3 = self.theta3
        frame = pd.DataFrame({"estimate": theta3}, index=pd.Index(range(theta3.size), name="dx"))
        if self.likelihood == "partial":
            return frame
        first = self.theta.size - self.model.free.size
        block = self.cov_params(kind).to_numpy()[first:, first:]
        errors = np.zeros(theta3.size)
        errors[self.model.index] = np.sqrt(np.diag(block))
        errors[self.model.implied] = np.sqrt(block.sum())
        return frame.assign(**{"std err": errors})

    def _covariance(self, kind):
        return two_step_covariance(self) if kind == "two-step" else super()._covariance(kind)

    def _title(self):
        return f"NFXP, {self.likelihood} likelihood: {self.structure!r}, groups {list(self.data.groups)}"


def nfxp(
    model, data, likelihood="joint", optimizer="bhhh-bfgs", start=None, theta3=None, kind="opg",
    step=None, tol=1e-7, max_iter=500,
):  # fmt: skip
    """Estimate Rust's model by nested fixed point maximum likelihood.

    Parameters
    ----------
    model : ZurcherModel
    data : BusData
        From `zurcher.discretize`, with the model's number of states.
    likelihood : {'transitions', 'partial', 'joint'}
        Which part of log L = sum log P(d|x) + sum log theta3[dx] to maximise: the second, the first with theta3 held
        at `theta3`, or both together.
    optimizer : {'bhhh', 'newton', 'bfgs', 'bhhh-bfgs'}
    start : (1 + K1,) float or Params, optional
        Starting values of RC and theta1; theta3 starts at its observed shares.
    theta3 : (J,) float, optional
        For 'partial' only: mileage probabilities known from elsewhere. By default the observed shares.
    kind : {'opg', 'hessian', 'sandwich', 'cluster', 'two-step'}
        Covariance that the result reports unless it is told otherwise; 'two-step' for a 'partial' fit only.
    step, tol, max_iter
        As in `compecon.likelihood.maximize`.

    Returns
    -------
    NFXPEstimate

    Raises
    ------
    DataError
        Data of another number of states than the model, without a replacement, or of a single mileage category.
    ParameterError
        Unknown names, a bad start, or a `theta3` that rules out an observed increment.

    Warns
    -----
    ConvergenceWarning
        When the optimizer did not meet its tolerance.

    Notes
    -----
    The score is exact, by the implicit function theorem. In the joint likelihood the optimizer works on log odds of
    theta3; estimates and standard errors are those of the probabilities.

    Source: Rust (1987), Econometrica 55(5).

    Examples
    --------
    >>> from compecon import datasets, zurcher
    >>> data = zurcher.discretize(datasets.load_bus_panel(), groups=[4], n_states=90)
    >>> fit = zurcher.nfxp(zurcher.ZurcherModel(n_states=90, discount=0.9999), data)
    >>> fit.params.round(3).to_dict()
    {'RC': 10.075, 'theta11': 2.293, 'theta30': 0.392, 'theta31': 0.595}
    """
    _check(model, data, likelihood)
    if theta3 is not None and likelihood != "partial":
        raise ParameterError(f"theta3 is estimated by the {likelihood!r} likelihood; give it with 'partial' only.")
    _check_kind(kind, likelihood, theta3 is not None)
    transitions = TransitionLikelihood(model, data)
    if likelihood == "transitions":
        maximum = _closed_form(transitions)
        return NFXPEstimate(transitions, maximum.theta, maximum, kind, likelihood)
    start = _check_start(model, start)
    search = {"method": optimizer, "step": step, "tol": tol, "max_iter": max_iter}
    if likelihood == "partial":
        known = data.dx_counts / data.dx_counts.sum() if theta3 is None else _check_theta3(data, theta3)
        choices = ChoiceLikelihood(model, data, known)
        maximum = maximize(choices, start, **search)
    else:
        choices = ChoiceLikelihood(model, data)
        maximum = _maximize_joint(choices, np.concatenate((start, transitions.closed_form())), search)
    return NFXPEstimate(choices, maximum.theta, maximum, kind, likelihood, theta3_given=theta3 is not None)


def _maximize_joint(choices, start, search):
    """Maximise on log odds; report the path in probabilities, the gradient as the optimizer saw it."""
    working = LogOdds(choices)
    maximum = maximize(working, working.from_natural(start), **search)
    path = np.array([working.to_natural(phi) for phi in maximum.path])
    return replace(maximum, theta=path[-1], path=path)


def _closed_form(transitions):
    """The multinomial maximum dressed as a `Maximum`, so that it reports like any other fit."""
    theta = transitions.closed_form()
    logl, scores = transitions.loglike(theta)
    llf, gradient = float(transitions.weights @ logl), transitions.weights @ scores
    history = np.array([[llf, 0.0, 0.0, 0.0, 1.0]])
    return Maximum(
        "closed form", transitions.param_names, theta, llf, gradient, 0.0, True, 0, 1, "closed form",
        theta[None], history,
    )  # fmt: skip


def two_step_covariance(estimate):
    """Covariance of a partial estimate (RC, theta1) that accounts for theta3 having been estimated first.

    Stacking both first-order conditions (Newey and McFadden 1994, theorem 6.1), an observation moves the estimate by
    -H22^-1 (s2 - H21 H11^-1 s1), with s1, H11 of the transitions, s2, H22 of the choices and H21 the choices' cross
    derivatives in (RC, theta1) and theta3. The covariance is the sum of the squares of these moves.
    """
    _check_kind("two-step", estimate.likelihood, estimate.theta3_given)
    model, data = estimate.structure, estimate.data
    transitions = TransitionLikelihood(model, data)
    shares = transitions.closed_form()
    joint, n_choice = ChoiceLikelihood(model, data), estimate.theta.size
    cross = total_hessian(joint, np.concatenate((estimate.theta, shares)))[:n_choice]
    _, first = transitions.loglike(shares)
    _, second = estimate.model.loglike(estimate.theta)
    moves = second + first @ np.linalg.solve(-total_hessian(transitions, shares), cross[:, n_choice:].T)
    bread = invert(-cross[:, :n_choice], estimate.model.param_names, "observed information")
    return bread @ outer_product(moves, data.cell_count) @ bread


def _check(model, data, likelihood):
    one_of(likelihood, LIKELIHOODS, "likelihood")
    if not isinstance(model, ZurcherModel):
        raise ParameterError(f"the first argument is a {type(model).__name__}; pass a zurcher.ZurcherModel.")
    if not isinstance(data, BusData):
        raise DataError(f"data is a {type(data).__name__}; pass zurcher.discretize(panel, groups, n_states).")
    if model.n_states != data.n_states:
        raise DataError(
            f"the model has {model.n_states} states and the data were put in {data.n_states} bins; "
            f"use discretize(..., n_states={model.n_states}) or ZurcherModel(n_states={data.n_states})."
        )
    if np.count_nonzero(data.dx_counts) < 2:
        raise DataError(
            "all observed mileage increments fall in one category, so theta3 has nothing to estimate; use more states."
        )
    if likelihood != "transitions" and not 0 < data.n_replacements < data.n_obs:
        found = "no replacement" if data.n_replacements == 0 else "a replacement in every month"
        raise DataError(
            f"the sample (groups {list(data.groups)}, {data.n_obs} observations) holds {found}: the likelihood rises "
            "for ever in RC, and no finite estimate exists. Add groups that hold both choices."
        )


def _check_kind(kind, likelihood, theta3_given):
    if kind != "two-step":
        check_kind(kind)
    elif likelihood != "partial":
        raise ParameterError(f"kind='two-step' corrects a 'partial' fit; this is a {likelihood!r} fit.")
    elif theta3_given:
        raise ParameterError(
            "theta3 was given, not estimated, so there is no first step to correct for; use 'sandwich'."
        )


def _check_start(model, start):
    names = ("RC", *model.cost.param_names)
    start = (_START_RC, *model.cost.start) if start is None else start
    values = vector([start.RC, *start.theta1] if isinstance(start, Params) else start, "start")
    if values.size != len(names):
        raise ParameterError(f"start = {values.tolist()}; it must hold {len(names)} values, for {', '.join(names)}.")
    if model.cost not in COSTS.values():
        model.cost.check(min(model.n_states, 100), values[1:])
    return values


def _check_theta3(data, theta3):
    """theta3 as a distribution that gives every observed increment a positive probability."""
    theta3 = Params(0.0, [0.0], theta3).theta3
    if theta3.size < data.n_categories:
        raise ParameterError(
            f"theta3 has {theta3.size} probabilities, and the data show increments up to {data.n_categories - 1}; "
            f"give {data.n_categories}."
        )
    impossible = np.flatnonzero((data.dx_counts > 0) & (theta3[: data.n_categories] == 0))
    if impossible.size:
        j = int(impossible[0])
        raise ParameterError(
            f"theta3[{j}] = 0, but the data show {int(data.dx_counts[j])} increments of {j}; "
            "give it a positive probability."
        )
    return theta3
