"""Demand market by market: choice probabilities, shares, their responses, and the prices that firms set facing it.

Agent i of a market has weight w_i and utility V_ij = delta_j + X2_j' L t_i of product j, L = [Sigma | Pi]; its
derivative a_ij by a characteristic x_j has those of X1 beta and X2 in the place of delta and X2. Kernels `*_of_markets`
treat markets first..last - 1; delta : (N,), x2 : (N, K2), and `flat` is workspace of `workspace_size` numbers.
"""

import math

from compecon._jit import inlined, kernel
from compecon._linalg import add_bilinear, cross_products

JACOBIAN, ELASTICITY, DIVERSION = 0, 1, 2


@kernel
def workspace_size(n_agents, n_products):
    """Length of `flat` for a market with so many agents and products."""
    return (4 * n_agents + n_products + 3) * n_products + n_agents


@kernel
def choice_probabilities(utilities, outside):
    """P_ij = exp(V_ij - m_i) / (exp(-m_i) + sum_k exp(V_ik - m_i)), m_i = max(0, max_k V_ik), in the place of V_ij.

    utilities : (I, J); outside : (I,), P_i0.
    """
    for i in range(outside.size):
        row = utilities[i]
        largest = 0.0
        for j in range(row.size):
            largest = max(largest, row[j])
        total = rest = math.exp(-largest)
        for j in range(row.size):
            row[j] = math.exp(row[j] - largest)
            total += row[j]
        inverse = 1.0 / total
        outside[i] = rest * inverse
        for j in range(row.size):
            row[j] *= inverse


@kernel
def market_shares(probabilities, weights, out):
    """s_j = sum_i w_i P_ij into out : (J,)."""
    out[:] = 0.0
    for i in range(weights.size):
        row = probabilities[i]
        for j in range(row.size):
            out[j] += weights[i] * row[j]


@kernel
def shares_of_markets(
    first, last, product_starts, agent_starts, weights, traits, loadings, delta, x2, out, flat
):  # fmt: skip
    """Shares into out : (N,)."""
    for t in range(first, last):
        a, b, c, d = product_starts[t], product_starts[t + 1], agent_starts[t], agent_starts[t + 1]
        wide = (b - a) * (d - c)
        probabilities, outside = flat[:wide].reshape(d - c, b - a), flat[wide : wide + d - c]
        add_bilinear(x2[a:b], delta[a:b], traits[c:d], loadings, probabilities)
        choice_probabilities(probabilities, outside)
        market_shares(probabilities, weights[c:d], out[a:b])


@kernel
def market_jacobian(probabilities, outside, slopes, weights, pull, matrix, margins):
    """matrix_jk = ds_j/dx_k = sum_i w_i P_ij a_ik (1[j=k] - P_ik); margins_k = -ds_0/dx_k = sum_i w_i P_i0 P_ik a_ik.

    The diagonal is found as margins_k - sum_{l!=k} matrix_lk: sums of like signs, where 1 - P_ik would cancel.
    pull : (I, J), -w_i P_ik a_ik out; it may be `slopes`.
    """
    n = margins.size
    margins[:] = 0.0
    for i in range(weights.size):
        for k in range(n):
            pull[i, k] = -weights[i] * probabilities[i, k] * slopes[i, k]
            margins[k] -= outside[i] * pull[i, k]
    cross_products(probabilities, pull, matrix)
    for k in range(n):
        matrix[k, k] = margins[k]
        for j in range(n):
            matrix[k, k] -= matrix[j, k] if j != k else 0.0


@inlined
def response_rows(matrix, margins, shares, x, kind, out):
    """ds_j/dx_k into row j of out; or x_k / s_j ds_j/dx_k; or, as `kind` says, diversion ratios.

    Diversion from j to k is -(ds_k/dx_j) / (ds_j/dx_j), and on the diagonal to the outside good. matrix : (J, J) and
    margins : (J,) are those of market_jacobian; shares, x : (J,); out : (J, J) or wider, NaN beyond J.
    """
    n = margins.size
    for j in range(n):
        target = out[j]
        scale = -1.0 / matrix[j, j] if kind == DIVERSION else 1.0 / shares[j]
        target[n:] = math.nan
        for k in range(n):
            if kind == DIVERSION:
                target[k] = scale * matrix[k, j] if k != j else -scale * margins[j]
            else:
                target[k] = matrix[j, k] if kind == JACOBIAN else scale * x[k] * matrix[j, k]


@kernel
def jacobians_of_markets(
    first, last, product_starts, agent_starts, weights, traits, loadings, delta, x2, base, x2dot,
    kind, x, out, flat,
):  # fmt: skip
    """Into out : (N, max J), the response_rows of each market, of that `kind`."""
    for t in range(first, last):
        a, b, c, d = product_starts[t], product_starts[t + 1], agent_starts[t], agent_starts[t + 1]
        J, I, wide = b - a, d - c, (b - a) * (d - c)  # noqa: E741
        probabilities, slopes = flat[:wide].reshape(I, J), flat[wide : 2 * wide].reshape(I, J)
        square = flat[2 * wide : 2 * wide + J * (J + 2)].reshape(J + 2, J)
        matrix, margins, shares, outside = square[:J], square[J], square[J + 1], flat[2 * wide + J * (J + 2) :][:I]
        add_bilinear(x2[a:b], delta[a:b], traits[c:d], loadings, probabilities)
        choice_probabilities(probabilities, outside)
        add_bilinear(x2dot[a:b], base[a:b], traits[c:d], loadings, slopes)
        market_jacobian(probabilities, outside, slopes, weights[c:d], slopes, matrix, margins)
        market_shares(probabilities, weights[c:d], shares)
        response_rows(matrix, margins, shares, x[a:b], kind, out[a:b])


@kernel
def prices_of_markets(
    first, last, product_starts, agent_starts, weights, traits, loadings, delta, x2, base, x2dot,
    start, costs, ownership, tol, max_rounds, prices, report, flat,
):  # fmt: skip
    """Iterate p <- c + zeta(p) from `prices`, overwritten, until max_j |Lambda_j change_j| < tol.

    With F_j = s_j + sum_k H_jk (p_k - c_k) ds_k/dp_j and Lambda_j = sum_i w_i a_ij P_ij, c + zeta(p) is p - F / Lambda.
    Where s_j < 1e-4, |F_j| / s_j < 1e4 tol is asked for: a product of share 1e-12 would keep any price otherwise.

    delta, x2, base, x2dot are those at the prices `start`, from where utilities are affine in prices; ownership :
    (N, max J), H; report : (T,), 1 once converged; markets with another number than 0 there are left alone.
    """
    for t in range(first, last):
        if report[t] != 0.0:
            continue
        a, b, c, d = product_starts[t], product_starts[t + 1], agent_starts[t], agent_starts[t + 1]
        J, I, wide = b - a, d - c, (b - a) * (d - c)  # noqa: E741
        utilities, slopes = flat[:wide].reshape(I, J), flat[wide : 2 * wide].reshape(I, J)
        probabilities, pull = flat[2 * wide : 3 * wide].reshape(I, J), flat[3 * wide : 4 * wide].reshape(I, J)
        used = 4 * wide + J * (J + 3)
        square, outside = flat[4 * wide : used].reshape(J + 3, J), flat[used : used + I]
        matrix, level, margins, lamda = square[:J], square[J], square[J + 1], square[J + 2]
        add_bilinear(x2[a:b], delta[a:b], traits[c:d], loadings, utilities)
        add_bilinear(x2dot[a:b], base[a:b], traits[c:d], loadings, slopes)
        for _ in range(max_rounds):
            for i in range(I):
                for j in range(J):
                    probabilities[i, j] = utilities[i, j] + slopes[i, j] * (prices[a + j] - start[a + j])
            choice_probabilities(probabilities, outside)
            market_jacobian(probabilities, outside, slopes, weights[c:d], pull, matrix, margins)
            market_shares(probabilities, weights[c:d], level)
            lamda[:] = largest = 0.0
            for i in range(I):
                for j in range(J):
                    lamda[j] -= pull[i, j]
            for j in range(J):
                margins[j] = prices[a + j] - costs[a + j]
            for j in range(J):
                gain = level[j]
                for k in range(J):
                    gain += ownership[a + j, k] * margins[k] * matrix[k, j]
                change = abs(gain) * max(1.0, 1e-4 / level[j])
                # Not `change > largest`: a NaN must stay.
                largest = largest if change <= largest else change
                prices[a + j] -= gain / lamda[j]
            report[t] = 1.0 if largest < tol else 0.0
            if not tol <= largest < math.inf:
                break
