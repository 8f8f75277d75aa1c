"""The normal and the Poisson model of `examples`, as loops: terms, scores, second derivatives; the normal's maximum."""

import math

from compecon._jit import kernel

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)


@kernel
def normal_terms(y, mu, sigma, logl, scores):
    """l_i = -log sigma - log(2 pi) / 2 - z_i^2 / 2 and s_i = (z_i, z_i^2 - 1) / sigma, with z_i = (y_i - mu) / sigma.

    y, logl : (N,), scores : (N, 2); sigma > 0 is the caller's care.
    """
    level = -math.log(sigma) - _HALF_LOG_2PI
    for i in range(y.size):
        z = (y[i] - mu) / sigma
        logl[i] = level - 0.5 * z * z
        scores[i, 0] = z / sigma
        scores[i, 1] = (z * z - 1.0) / sigma


@kernel
def normal_curvature(y, mu, sigma, hessian):
    """H_i = ((-1, -2 z_i), (-2 z_i, 1 - 3 z_i^2)) / sigma^2, with z_i = (y_i - mu) / sigma; hessian : (N, 2, 2)."""
    square = sigma * sigma
    for i in range(y.size):
        z = (y[i] - mu) / sigma
        hessian[i, 0, 0] = -1.0 / square
        hessian[i, 0, 1] = hessian[i, 1, 0] = -2.0 * z / square
        hessian[i, 1, 1] = (1.0 - 3.0 * z * z) / square


@kernel
def normal_maximum(y, weights, theta):
    """theta = the mean of y and its standard deviation with divisor n, the sum of the weights; theta : (2,)."""
    count, total, squares = 0.0, 0.0, 0.0
    for i in range(y.size):
        count += weights[i]
        total += weights[i] * y[i]
    theta[0] = total / count
    for i in range(y.size):
        squares += weights[i] * (y[i] - theta[0]) * (y[i] - theta[0])
    theta[1] = math.sqrt(squares / count)


@kernel
def poisson_terms(y, log_factorial, mean, logl, scores):
    """l_i = y_i log m - m - log y_i! and s_i = y_i / m - 1, with m the mean.

    y, log_factorial, logl : (N,), scores : (N, 1); m > 0 is the caller's care.
    """
    log_mean = math.log(mean)
    for i in range(y.size):
        logl[i] = y[i] * log_mean - mean - log_factorial[i]
        scores[i, 0] = y[i] / mean - 1.0


@kernel
def poisson_curvature(y, mean, hessian):
    """H_i = -y_i / m^2, with m the mean; hessian : (N, 1, 1)."""
    for i in range(y.size):
        hessian[i, 0, 0] = -y[i] / (mean * mean)
