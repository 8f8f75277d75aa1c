"""Weighted sums of choice probabilities and their derivatives, without an array of agents x products x parameters."""

from compecon._jit import kernel


@kernel
def add_weighted_sums(
    probabilities, x, traits, rows, columns, jacobian, weights, values, by_loadings, by_delta, totals, slopes
):
    """totals_m += A_m = sum_ij P_ij c_mij and slopes_mp += dA_m / dtheta_p, with c_mij = weights_ij values_mij.

    One backward sweep: dA_m / dV_ij = P_ij (c_mij - cbar_mi) with cbar_mi = sum_k P_ik c_mik, the outside good
    included; then dV_ij / dtheta_p = x_jr t_ic + ddelta_j / dtheta_p, p being in row r and column c of the loadings.
    probabilities, weights : (I, 1 + J), the outside good first, or (I, J) where it has no weight; values : (M, ...)
    likewise; x : (J, K); traits : (I, C); jacobian : (J, P). by_loadings : (K, C) and by_delta : (J,) are workspace.
    """
    n_products = by_delta.size
    first = weights.shape[1] - n_products
    for m in range(values.shape[0]):
        by_loadings[:] = 0.0
        by_delta[:] = 0.0
        for i in range(weights.shape[0]):
            row, weight, value = probabilities[i], weights[i], values[m, i]
            mean = 0.0
            for j in range(row.size):
                mean += row[j] * weight[j] * value[j]
            totals[m] += mean
            for k in range(x.shape[1]):
                response = 0.0
                for j in range(n_products):
                    response += row[first + j] * (weight[first + j] * value[first + j] - mean) * x[j, k]
                for c in range(traits.shape[1]):
                    by_loadings[k, c] += response * traits[i, c]
            for j in range(n_products):
                by_delta[j] += row[first + j] * (weight[first + j] * value[first + j] - mean)
        for p in range(rows.size):
            slopes[m, p] += by_loadings[rows[p], columns[p]]
            for j in range(n_products):
                slopes[m, p] += by_delta[j] * jacobian[j, p]
