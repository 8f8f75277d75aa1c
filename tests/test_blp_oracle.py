"""Agreement with pyblp 1.3.0, at 1e-8, of one evaluation at common parameters with all that follows from it."""

import warnings

import numpy as np
import pytest
from blp_solve_fixtures import PI, SIGMA, problem, stand

from compecon import blp

pyblp = pytest.importorskip("pyblp")
pyblp.options.verbose = False

NUMBERS = (
    "sigma", "pi", "beta", "sigma_se", "pi_se", "beta_se", "delta", "xi", "objective", "gradient", "moments",
    "moments_jacobian", "moments_covariances", "parameters", "parameter_covariances", "W", "updated_W",
    "xi_by_theta_jacobian", "sigma_squared",
)  # fmt: skip
LOWER = np.array([[0.5, 0.0, 0.0], [0.2, 0.8, 0.0], [-0.1, 0.3, 0.6]])
PARTLY = np.diag([0.0, 0.8, 0.0])
WEIGHTS = np.diag(np.linspace(1.0, 2.0, 15)) + 0.1
# name: (the problem, sigma, pi, the options of solve)
CASES = {
    "plain logit": ({"nonlinear": None}, None, None, {}),
    "plain logit in two steps": ({"nonlinear": None}, None, None, {"method": "2s"}),
    "plain logit with fixed effects": (
        {"nonlinear": None, "linear": "0 + prices + x + w", "absorb": "C(brand)"}, None, None, {"method": "2s"}
    ),
    "one step": ({}, SIGMA, PI, {}),
    "two steps": ({}, SIGMA, PI, {"method": "2s"}),
    "another economy": ({"seed": 5}, SIGMA, PI, {"method": "2s"}),
    "unadjusted": ({}, SIGMA, PI, {"se_type": "unadjusted"}),
    "unadjusted in two steps": ({}, SIGMA, PI, {"method": "2s", "W_type": "unadjusted", "se_type": "unadjusted"}),
    "unadjusted weights": ({}, SIGMA, PI, {"method": "2s", "W_type": "unadjusted"}),
    "unadjusted errors": ({}, SIGMA, PI, {"method": "2s", "se_type": "unadjusted"}),
    "clusters": ({}, SIGMA, PI, {"se_type": "clustered"}),
    "clusters in two steps": ({}, SIGMA, PI, {"method": "2s", "W_type": "clustered", "se_type": "clustered"}),
    "moments not centred": ({}, SIGMA, PI, {"method": "2s", "center_moments": False}),
    "clusters not centred": (
        {}, SIGMA, PI, {"method": "2s", "W_type": "clustered", "se_type": "clustered", "center_moments": False}
    ),
    "weights updated first": ({}, SIGMA, PI, {"initial_update": True}),
    "given weights": ({}, SIGMA, PI, {"W": WEIGHTS}),
    "given weights in two steps": ({}, SIGMA, PI, {"W": WEIGHTS, "method": "2s"}),
    "Cholesky root": ({}, LOWER, PI, {"method": "2s"}),
    "some tastes alike": ({}, PARTLY, PI, {}),
    "no sigma": ({}, 0 * SIGMA, PI, {}),
    "no demographics": ({"demographics": None}, LOWER, None, {"method": "2s"}),
    "Monte Carlo": ({"demographics": None, "integration": ("monte_carlo", 30, {"seed": 3})}, SIGMA, None, {}),
    "Halton": ({"demographics": None, "integration": ("halton", 30, {"seed": 3})}, LOWER, None, {}),
    "product rule": ({"demographics": None, "integration": ("product", 3)}, LOWER, None, {}),
    "Monte Carlo beside demographics": ({"integration": ("monte_carlo", 6, {"seed": 3})}, SIGMA, PI, {}),
    "one fixed effect": ({"linear": "0 + prices + x + w", "absorb": "C(brand)"}, SIGMA, PI, {"method": "2s"}),
    "two fixed effects": ({"linear": "0 + prices + x + w", "absorb": "C(brand) + C(region)"}, SIGMA, PI, {}),
    "three fixed effects": (
        {"linear": "0 + prices + x + w", "absorb": "C(brand) + C(region) + C(firm_ids)"}, SIGMA, PI, {"method": "2s"}
    ),
    "logs and squares of prices": (
        {"linear": "1 + log(prices) + I(prices**2) + x:w", "nonlinear": "1 + log(prices) + x"}, SIGMA, PI, {}
    ),
    "X2 without prices": ({"nonlinear": "0 + x + I(x**2) + w:x"}, LOWER, PI, {"method": "2s"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_evaluation_is_pyblps(name):
    options, sigma, pi, how = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = stand(blp, problem(blp, **options), sigma, pi, **how)
        theirs = stand(pyblp, problem(pyblp, **options), sigma, pi, **how)
    assert ours.converged
    assert (ours.theta_labels, ours.beta_labels) == (theirs.theta_labels, theirs.beta_labels)
    for number in NUMBERS:
        mine, known = np.asarray(getattr(ours, number)), np.asarray(getattr(theirs, number))
        assert mine.shape == known.shape, number
        scale = np.nanmax(np.abs(known)) if np.isfinite(known).any() else 1.0
        np.testing.assert_allclose(mine, known, rtol=1e-8, atol=1e-8 * scale, err_msg=number)
    if ours.theta.size:
        # pyblp's differences are over steps of 1e-8, which leaves them three digits.
        np.testing.assert_allclose(ours.hessian, theirs.hessian, rtol=0, atol=1e-3 * np.abs(theirs.hessian).max())


BOX = np.array([np.zeros((3, 3)), np.diag([0.6, 2.0, 1.0])]), np.array([0.5 * PI, 4 * PI])


@pytest.mark.parametrize(("bounded", "method"), [(False, "2s"), (True, "1s")])
def test_searches_by_other_optimizers_end_where_pyblps_do(bounded, method):
    """A larger economy, so that the minimum is a clear one; bounds of sigma and pi bind."""
    economy = {"counts": tuple((3 + t % 4, 5 + t % 3) for t in range(30)), "seed": 1}
    bounds = {"sigma_bounds": tuple(BOX[0]), "pi_bounds": tuple(BOX[1])} if bounded else {}
    found = []
    for library, name, gtol in ((blp, "gauss-newton", 1e-8), (pyblp, "l-bfgs-b" if bounded else "bfgs", 1e-7)):
        how = {"optimization": library.Optimization(name, {"gtol": gtol}), "method": method}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(problem(library, **economy).solve(SIGMA, PI, **how, **bounds))
    ours, theirs = found
    assert ours.converged
    assert ours.inside_bounds.all() != bounded
    np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.objective, theirs.objective, rtol=1e-7)
    np.testing.assert_allclose(ours.parameter_covariances, theirs.parameter_covariances, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", ["simple", "squarem", "newton"])
def test_every_iteration_finds_the_same_mean_utilities(name):
    known = stand(pyblp, problem(pyblp), LOWER, PI).delta
    ours = stand(blp, problem(), LOWER, PI, iteration=blp.Iteration(name))
    np.testing.assert_allclose(ours.delta, known, rtol=0, atol=1e-12)
    assert ours.fp_converged.all() and (ours.contraction_evaluations > 1).all()
