"""The textbook version with n x n matrices: what the structured kernels replace, and the oracle in their tests.

It costs O(n^3) a Newton step and n^2 memory. Read it beside chapter 7; use `method="newton"` for work.
"""

import numpy as np

from compecon.errors import ParameterError

_LARGEST = 5000


def transition_matrix(theta3, n_states):
    """Pi(x, y): probability to move from x to y = min(x + j, n-1) without replacement; (n, n)."""
    if n_states > _LARGEST:
        raise ParameterError(
            f"the dense solver at n_states = {n_states} would hold {n_states}^2 numbers; "
            f"it is limited to {_LARGEST}. Use method='newton', which needs a few vectors."
        )
    states = np.arange(n_states)
    Pi = np.zeros((n_states, n_states))
    for j, probability in enumerate(theta3):
        Pi[states, np.minimum(states + j, n_states - 1)] += probability
    return Pi


def bellman_dense(ev, cost, Pi, RC, discount):
    """Gamma(ev), its Frechet derivative, and the probability to keep.

    Gamma(EV) = Pi logsum(EV), so Gamma'(EV) = discount (Pi diag(keep) + Pi replace e0'), with e0 the first unit
    vector: replacement resets every state to state 0.
    """
    v_keep = -cost + discount * ev
    v_replace = -RC - cost[0] + discount * ev[0]
    logsum = np.logaddexp(v_keep, v_replace)
    keep, replace = np.exp(v_keep - logsum), np.exp(v_replace - logsum)
    derivative = discount * Pi * keep
    derivative[:, 0] += discount * (Pi @ replace)
    return Pi @ logsum, derivative, keep


def newton_dense(ev, cost, Pi, RC, discount, tol, max_iter):
    """Newton-Kantorovich with a general n x n solve for each step; returns EV and the relative steps."""
    identity = np.eye(ev.size)
    steps = []
    while len(steps) < max_iter:
        image, derivative, _ = bellman_dense(ev, cost, Pi, RC, discount)
        step = np.linalg.solve(identity - derivative, image - ev)
        ev = ev + step
        steps.append(np.abs(step).max() / max(1.0, np.abs(ev).max()))
        if not steps[-1] > tol:
            break
    return ev, np.array(steps)
