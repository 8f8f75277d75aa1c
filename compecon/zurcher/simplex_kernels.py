"""Kernels of the log-odds parametrisation: shares from log odds, and scores by the chain rule."""

import math

from compecon._jit import kernel


@kernel
def to_shares(log_odds, shares):
    """shares_j = exp(q_j) / (1 + sum_k exp(q_k)), shifted so that nothing overflows; both (J_free,)."""
    shift = 0.0
    for j in range(log_odds.size):
        shift = max(shift, log_odds[j])
    total = math.exp(-shift)
    for j in range(log_odds.size):
        shares[j] = math.exp(log_odds[j] - shift)
        total += shares[j]
    for j in range(log_odds.size):
        shares[j] /= total


@kernel
def chain_scores(shares, scores):
    """Turn scores in shares into scores in log odds, in place: dl/dq_k = p_k (s_k - sum_j p_j s_j).

    scores : (C, K), of which the last shares.size columns are in shares; the others stay.
    """
    first = scores.shape[1] - shares.size
    for i in range(scores.shape[0]):
        mean = 0.0
        for j in range(shares.size):
            mean += shares[j] * scores[i, first + j]
        for j in range(shares.size):
            scores[i, first + j] = shares[j] * (scores[i, first + j] - mean)
