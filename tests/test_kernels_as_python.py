"""The kernels are ordinary Python too: without numba's compiler they give the same estimate, to rounding errors."""

import os
import subprocess
import sys

import numpy as np

from compecon import zurcher

CODE = """
from compecon import datasets, zurcher
data = zurcher.discretize(datasets.load_bus_panel(), groups=[4])
fit = zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), data)
pi = zurcher.stationary_distribution(fit.structure, fit.as_params())
hessian = fit.standard_errors("hessian")
print(*[float(value).hex() for value in (*fit.params, *fit.bse, *hessian, pi[45])])
"""


def test_the_kernels_give_the_same_numbers_without_the_compiler(group_4_fit):
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True, env=environment)
    values = [float.fromhex(word) for word in done.stdout.split()]
    pi = zurcher.stationary_distribution(group_4_fit.structure, group_4_fit.as_params())
    hessian = group_4_fit.standard_errors("hessian")
    expected = [*group_4_fit.params, *group_4_fit.bse, *hessian, pi[45]]
    np.testing.assert_allclose(values, expected, rtol=1e-7)


DEMAND = """
from compecon import blp
simulation = blp.Simulation(
    (blp.Formulation("1 + prices + x"), blp.Formulation("0 + x"), blp.Formulation("0 + x + z")),
    blp.build_id_data(T=8, J=4, F=2), beta=[1, -2, 2], sigma=1, gamma=[1, 4], xi_variance=0.25, omega_variance=0.25,
    integration=blp.Integration("product", 3), seed=0,
)
problem = simulation.replace_endogenous().to_problem()
results = problem.solve(sigma=0.5, method="1s", optimization=blp.Optimization("return"))
elasticities = results.compute_elasticities()
found = results.objective, *results.beta[:, 0], *results.beta_se[:, 0], elasticities[3, 2]
print(*[float(value).hex() for value in found])
"""


def both_ways(code):
    """The numbers that `code` prints with the compiler, and without it."""
    for off in ("0", "1"):
        environment = os.environ | {"NUMBA_DISABLE_JIT": off}
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        yield [float.fromhex(word) for word in done.stdout.split()]


def test_the_kernels_of_demand_do_too():
    compiled, interpreted = both_ways(DEMAND)
    assert len(compiled) == 8
    np.testing.assert_allclose(interpreted, compiled, rtol=1e-9)


# The generator's arithmetic is modulo 2^64: its overflows are meant, and only plain NumPy remarks on them.
DRAWS = """
import numpy as np
from compecon.likelihood import examples, newton
from compecon.likelihood.covariance import covariance
from compecon.live import draws_kernels
uniforms, normals = np.empty(11), np.empty(50)
with np.errstate(over="ignore"):
    draws_kernels.uniforms(2.0**53, 3.0, uniforms)
    draws_kernels.normals(1.0, 2.0, normals)
model = examples.Normal(normals)
theta = newton(model, [0.5, 2.0]).theta
found = *uniforms, *normals, *theta, *covariance(model, theta, "hessian")[:, 1], *model.closed_form()
print(*[float(value).hex() for value in found])
"""


def test_the_random_numbers_and_the_normal_likelihood_do_too():
    compiled, interpreted = both_ways(DRAWS)
    assert len(compiled) == 11 + 50 + 6
    assert interpreted[:11] == compiled[:11]
    np.testing.assert_allclose(interpreted[11:61], compiled[11:61], rtol=1e-14, atol=0)
    np.testing.assert_allclose(interpreted[61:], compiled[61:], rtol=1e-9, atol=1e-12)
