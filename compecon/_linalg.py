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


@kernel
def largest_size(values):
    """max_j |v_j|; NaN when one is NaN."""
    largest = 0.0
    for j in range(values.size):
        if not abs(values[j]) <= largest:
            largest = abs(values[j])
    return largest


@kernel
def weighted_gram(weights, rows, out):
    """out_jk = sum_i w_i r_ij r_ik above the diagonal; zeros elsewhere. rows : (I, K)."""
    n_rows, n = rows.shape
    out[:] = 0.0
    # Four rows at a time: a third of the loads and stores.
    whole = n_rows - n_rows % 4
    for i in range(0, whole, 4):
        r0, r1, r2, r3 = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
        for j in range(n):
            a0, a1 = weights[i] * r0[j], weights[i + 1] * r1[j]
            a2, a3 = weights[i + 2] * r2[j], weights[i + 3] * r3[j]
            target = out[j]
            for k in range(j + 1, n):
                target[k] += (a0 * r0[k] + a1 * r1[k]) + (a2 * r2[k] + a3 * r3[k])
    for i in range(whole, n_rows):
        row = rows[i]
        for j in range(n):
            level, target = weights[i] * row[j], out[j]
            for k in range(j + 1, n):
                target[k] += level * row[k]


@kernel
def cross_products(left, right, out):
    """out_jk = sum_i l_ij r_ik; left : (I, M), right : (I, K). Four rows at a time, as in weighted_gram."""
    out[:] = 0.0
    whole = left.shape[0] - left.shape[0] % 4
    for i in range(0, whole, 4):
        r0, r1, r2, r3 = right[i], right[i + 1], right[i + 2], right[i + 3]
        for j in range(left.shape[1]):
            a0, a1, a2, a3 = left[i, j], left[i + 1, j], left[i + 2, j], left[i + 3, j]
            target = out[j]
            for k in range(target.size):
                target[k] += (a0 * r0[k] + a1 * r1[k]) + (a2 * r2[k] + a3 * r3[k])
    for i in range(whole, left.shape[0]):
        row = right[i]
        for j in range(left.shape[1]):
            level, target = left[i, j], out[j]
            for k in range(target.size):
                target[k] += level * row[k]


@kernel
def factor_m_matrix(matrix, margins):
    """Factor the symmetric M-matrix A with off-diagonals -a_jk and row sums m_j: A = U' D U; nothing is subtracted.

    matrix : (K, K), a_jk >= 0 above the diagonal in, U's entries out (signs changed), D on the diagonal;
    margins : (K,), m_j >= 0 in, overwritten. Pivot p is the row sum m_p plus what stands off the diagonal, and
    eliminating it adds a_pj a_pk / d_p and a_pj m_p / d_p: sums of non-negative numbers, so every entry is found to
    a few units in the last digit, however small the row sums (Grassmann, Taksar and Heyman 1985). Returns 0 when A is
    singular; a pivot below 1e-200 then counts as that, so that a solution points along the null vector.
    """
    n, regular = margins.size, 1
    for p in range(n):
        pivot = margins[p]
        for k in range(p + 1, n):
            pivot += matrix[p, k]
        if not pivot > 1e-200:
            pivot, regular = 1e-200, 0
        matrix[p, p] = pivot
        for j in range(p + 1, n):
            ratio = matrix[p, j] / pivot
            margins[j] += ratio * margins[p]
            row, source = matrix[j], matrix[p]
            for k in range(j + 1, n):
                row[k] += ratio * source[k]
        for k in range(p + 1, n):
            matrix[p, k] /= pivot
    return regular


@kernel
def solve_m_matrix(factor, rhs):
    """Solve A X = rhs in place, with `factor` from factor_m_matrix; rhs : (K, M)."""
    n, n_columns = rhs.shape
    for p in range(n):
        source = rhs[p]
        for k in range(p + 1, n):
            ratio, row = factor[p, k], rhs[k]
            for c in range(n_columns):
                row[c] += ratio * source[c]
        pivot = 1.0 / factor[p, p]
        # Overwrites what the substitution above has finished with.
        for c in range(n_columns):
            source[c] *= pivot
    for p in range(n - 1, -1, -1):
        row = rhs[p]
        for k in range(p + 1, n):
            ratio, source = factor[p, k], rhs[k]
            for c in range(n_columns):
                row[c] += ratio * source[c]


@kernel
def solve_m_vector(factor, rhs):
    """Solve A x = rhs : (K,) in place, as solve_m_matrix does for many columns; reads the factor row by row."""
    n = rhs.size
    for p in range(n):
        row, level = factor[p], rhs[p]
        for k in range(p + 1, n):
            rhs[k] += row[k] * level
    for p in range(n - 1, -1, -1):
        row, even, odd = factor[p], 0.0, 0.0
        # Two sums, because each waits for its last addition.
        for k in range(p + 1, n - 1, 2):
            even += row[k] * rhs[k]
            odd += row[k + 1] * rhs[k + 1]
        if (n - p) % 2 == 0:
            even += row[n - 1] * rhs[n - 1]
        rhs[p] = rhs[p] / row[p] + (even + odd)


@kernel
def lu_solve(matrix, rhs):
    """Solve A X = rhs by LU with partial pivoting; A becomes its factors, rhs (K, M) becomes X. 0 is singular."""
    n, n_columns = rhs.shape
    for p in range(n):
        best = p
        for j in range(p + 1, n):
            if abs(matrix[j, p]) > abs(matrix[best, p]):
                best = j
        # Not `== 0`: a NaN must be refused too.
        if not abs(matrix[best, p]) > 0.0:
            return 0
        if best != p:
            for k in range(n):
                matrix[p, k], matrix[best, k] = matrix[best, k], matrix[p, k]
            for c in range(n_columns):
                rhs[p, c], rhs[best, c] = rhs[best, c], rhs[p, c]
        for j in range(p + 1, n):
            ratio = matrix[j, p] / matrix[p, p]
            for k in range(p + 1, n):
                matrix[j, k] -= ratio * matrix[p, k]
            for c in range(n_columns):
                rhs[j, c] -= ratio * rhs[p, c]
    for p in range(n - 1, -1, -1):
        for c in range(n_columns):
            total = rhs[p, c]
            for k in range(p + 1, n):
                total -= matrix[p, k] * rhs[k, c]
            rhs[p, c] = total / matrix[p, p]
    return 1


@kernel
def add_bilinear(x, base, traits, loadings, out):
    """out_ij = base_j + x_j' L t_i; x : (J, K), base : (J,), traits : (I, C), loadings L : (K, C), out : (I, J)."""
    for i in range(out.shape[0]):
        row = out[i]
        for j in range(row.size):
            row[j] = base[j]
        for k in range(x.shape[1]):
            level = 0.0
            for c in range(traits.shape[1]):
                level += loadings[k, c] * traits[i, c]
            for j in range(row.size):
                row[j] += level * x[j, k]
