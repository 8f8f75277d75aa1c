"""Leaf kernels of linear algebra for small matrices; large ones go to scipy."""

import math

from compecon._jit import kernel


@kernel
def cholesky_solve(matrix, ridge, rhs, factor, out):
    """Solve (A + ridge |diag(A)|) out = rhs for a symmetric K x K matrix A; return 1, or 0.

    A is scaled to a diagonal of +-1 first, so that neither the pivots nor `ridge` depend on the units of the
    parameters. 0 means that the matrix is not positive definite to working precision; `out` is then not written.
    factor : (K + 1, K) workspace.
    """
    n = rhs.size
    scale = factor[n]
    for i in range(n):
        size = abs(matrix[i, i])
        # Not `size == inf`: a NaN must be refused too.
        if not size < math.inf:
            return 0
        scale[i] = 1.0 / math.sqrt(size) if size > 0.0 else 1.0
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j] * scale[i] * scale[j]
            if i == j:
                total += ridge
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            if i == j:
                if not total > 1e-14 * n:
                    return 0
                factor[i, i] = math.sqrt(total)
            else:
                factor[i, j] = total / factor[j, j]
    for i in range(n):
        total = rhs[i] * scale[i]
        for k in range(i):
            total -= factor[i, k] * out[k]
        out[i] = total / factor[i, i]
    for i in range(n - 1, -1, -1):
        total = out[i]
        for k in range(i + 1, n):
            total -= factor[k, i] * out[k]
        out[i] = total / factor[i, i]
    for i in range(n):
        out[i] *= scale[i]
    return 1
