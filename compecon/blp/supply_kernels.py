"""Supply and surplus in one market of J products and I agents: ownership, margins, concentration, pricing pressure.

Arrays of markets are stacked side by side in the library, so that a matrix may have more than J columns; those beyond
are not read.
"""

import math

from compecon._jit import kernel
from compecon._linalg import largest_size, lu_solve

_EPSILON = 2.220446049250313e-16


@kernel
def ownership_of(firms, out):
    """H_jk = 1 where j and k are of one firm, else 0; firms : (J,) codes; out : (J, J) or wider."""
    for j in range(firms.size):
        for k in range(firms.size):
            out[j, k] = 1.0 if firms[j] == firms[k] else 0.0


@kernel
def bertrand_margins(shares, jacobian, ownership, matrix, out):
    """eta = (H * -(ds/dp)')^-1 s into out : (J, 1), what p - c is when firms set prices knowing those of others.

    shares : (J,); jacobian, ownership : (J, J) or wider, ds_j/dp_k and H_jk in row j; matrix : (J, J) workspace.
    Returns 1; or 0, and NaN in out, when the matrix is singular to working precision.
    """
    n = shares.size
    for j in range(n):
        row = matrix[j]
        for k in range(n):
            row[k] = -ownership[j, k] * jacobian[k, j]
        # Shares, and so whole rows, may be 1e-12 and less. A row of zeros becomes NaN, which lu_solve refuses.
        largest = largest_size(row)
        for k in range(n):
            row[k] /= largest
        out[j, 0] = shares[j] / largest
    regular = lu_solve(matrix, out)
    # While H lies within 0 and 1, the diagonal is 1 by now and no less than the rest of its row taken together, which
    # elimination does not change: a pivot as small as a few rounding errors of n numbers below 1 is nothing else.
    for j in range(n):
        regular = regular if abs(matrix[j, j]) > 4.0 * n * _EPSILON else 0
    if regular == 0:
        out[:] = math.nan
    return regular


@kernel
def hhi(firms, shares):
    """The Herfindahl-Hirschman index 10,000 sum_f (s_f / sum_j s_j)^2, s_f the sum of firm f's shares.

    firms : (J,) codes; shares : (J,).
    """
    total = same = 0.0
    for j in range(shares.size):
        total += shares[j]
        for k in range(shares.size):
            same += shares[j] * shares[k] if firms[j] == firms[k] else 0.0
    return 1e4 * same / total**2


@kernel
def pricing_pressure(diversion, prices, costs, before, after, efficiency, out):
    """UPP_j = sum_k D_jk (p_k - c_k) - efficiency c_j into out : (J,), k over the products that j's firm gains.

    k is gained where `after` exceeds `before`, ownership : (J, J) or wider; without any, UPP is 0. diversion : (J, J)
    or wider, D_jk; prices, costs : (J,); efficiency : float.
    """
    for j in range(out.size):
        out[j] = credit = 0.0
        for k in range(out.size):
            if after[j, k] > before[j, k]:
                out[j] += diversion[j, k] * (prices[k] - costs[k])
                credit = efficiency
        out[j] -= credit * costs[j]


@kernel
def agent_surpluses(utilities, slopes, out):
    """CS_i = log(1 + sum_j exp V_ij) / -alpha_i into out : (I,), money; NaN where alpha_i < 0 does not hold.

    utilities, slopes : (I, J), V_ij and its derivative by the price, of which alpha_i is the first. The sum over
    choices is that without the largest, m_i + log(1 + sum_{j != best} exp(V_ij - m_i)): neither large nor small
    utilities lose digits.
    """
    for i in range(out.size):
        row, best, largest = utilities[i], -1, 0.0
        for j in range(row.size):
            if row[j] > largest:
                best, largest = j, row[j]
        others = 0.0 if best < 0 else math.exp(-largest)
        for j in range(row.size):
            others += math.exp(row[j] - largest) if j != best else 0.0
        alpha = slopes[i, 0]
        out[i] = (largest + math.log1p(others)) / -alpha if alpha < 0.0 else math.nan
