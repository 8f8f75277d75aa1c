"""Products of tall matrices, summed in a fixed order: no number of threads changes a bit, as it may with BLAS."""

from compecon._jit import kernel


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
