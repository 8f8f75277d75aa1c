"""`compecon._linalg` and `compecon.likelihood.kernels` against SciPy and textbook matrix algebra."""

import numpy as np
import pytest
from likelihood_fixtures import bfgs_update
from scipy import linalg

from compecon._linalg import cholesky_solve
from compecon.likelihood import kernels

# Positive definite systems


@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_cholesky_solve_is_scipys_whatever_the_units(size):
    rng = np.random.default_rng(size)
    for _ in range(10):
        root = rng.normal(size=(size, size + 2))
        units = 10.0 ** rng.uniform(-8, 8, size)
        matrix = (root @ root.T + 0.1 * np.eye(size)) * np.outer(units, units)
        rhs, out, factor = rng.normal(size=size) * units, np.empty(size), np.empty((size + 1, size))
        assert cholesky_solve(matrix, 0.0, rhs, factor, out) == 1
        plain = matrix / np.outer(units, units)
        assert np.allclose(out * units, linalg.solve(plain, rhs / units, assume_a="pos"), rtol=1e-9)
        assert cholesky_solve(matrix, 0.5, rhs, factor, out) == 1
        plain += 0.5 * np.diag(np.diag(plain))
        assert np.allclose(out * units, linalg.solve(plain, rhs / units, assume_a="pos"), rtol=1e-9)


@pytest.mark.parametrize(
    "matrix",
    [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[-1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]],
     [[np.nan, 0.0], [0.0, 1.0]], [[1.0, np.nan], [np.nan, 1.0]], [[np.inf, 0.0], [0.0, 1.0]]],
)  # fmt: skip
def test_cholesky_solve_refuses_what_is_not_positive_definite_and_leaves_out_alone(matrix):
    out = np.full(2, 7.0)
    assert cholesky_solve(np.array(matrix), 0.0, np.ones(2), np.empty((3, 2)), out) == 0
    assert (out == 7.0).all()


# The matrices behind the directions


def test_the_bfgs_update_meets_the_secant_equation_and_is_the_inverse_of_the_textbook_one():
    rng = np.random.default_rng(4)
    matrix = np.diag([1.0, 5.0, 0.2, 2.0])
    for _ in range(20):
        move, change = rng.normal(size=(2, 4))
        change *= np.sign(change @ move)
        updated = bfgs_update(matrix, move, change)
        assert np.allclose(updated @ move, change, rtol=1e-9)
        assert np.allclose(updated, updated.T)
        rho, eye = 1 / (change @ move), np.eye(4)
        left = eye - rho * np.outer(move, change)
        inverse = left @ np.linalg.inv(matrix) @ left.T + rho * np.outer(move, move)
        assert np.allclose(updated @ inverse, eye, atol=1e-7)
        assert (np.linalg.eigvalsh(updated) > 0).all()
    assert np.array_equal(bfgs_update(matrix, move, -change), matrix)


def test_an_indefinite_matrix_gets_the_ridge_that_makes_its_direction_climb():
    rng = np.random.default_rng(5)
    for _ in range(50):
        root = rng.normal(size=(4, 4))
        matrix, gradient = root + root.T, rng.normal(size=4)
        direction, factor = np.empty(4), np.empty((5, 4))
        ridge = kernels.ascent(matrix, gradient, direction, factor)
        definite = np.linalg.eigvalsh(matrix).min() > 0
        assert (ridge == 0) == definite
        assert direction @ gradient > 0
        assert np.allclose(
            (matrix + ridge * np.diag(np.abs(np.diag(matrix)))) @ direction, gradient, rtol=1e-6, atol=1e-6
        )
    assert kernels.ascent(np.full((4, 4), np.nan), gradient, direction, factor) == -1


def test_the_outer_product_kernel_is_weighted_matrix_algebra():
    rng = np.random.default_rng(6)
    scores, weights = rng.normal(size=(30, 4)), rng.integers(1, 9, 30).astype(float)
    gradient, opg = np.empty(4), np.empty((4, 4))
    kernels.outer_product(scores, weights, gradient, opg)
    assert np.allclose(gradient, weights @ scores, rtol=1e-12)
    assert np.allclose(opg, scores.T @ np.diag(weights) @ scores, rtol=1e-12)
