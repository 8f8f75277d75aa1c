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
