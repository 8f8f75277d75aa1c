"""Products of tall matrices, summed in a fixed order: no number of threads changes a bit, as it may with BLAS."""

from compecon._jit import kernel


@kernel
def cross_products(z, y, out):
    """out_mp += sum_n z_nm y_np; z : (N, M), y : (N, P), out : (M, P)."""
    for n in range(z.shape[0]):
        source = y[n]
        for m in range(z.shape[1]):
            level, row = z[n, m], out[m]
            for p in range(source.size):
                row[p] += level * source[p]


@kernel
def row_products(tall, small, out):
    """out_np += sum_m tall_nm small_mp; tall : (N, M), small : (M, P), out : (N, P)."""
    for n in range(tall.shape[0]):
        row = out[n]
        for m in range(small.shape[0]):
            level, source = tall[n, m], small[m]
            for p in range(row.size):
                row[p] += level * source[p]


@kernel
def add_product(matrix, vector, out):
    """out += matrix vector; matrix : (N, P)."""
    for n in range(out.size):
        total = 0.0
        for p in range(vector.size):
            total += matrix[n, p] * vector[p]
        out[n] += total
