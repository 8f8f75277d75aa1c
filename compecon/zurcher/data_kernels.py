"""Kernels for a bus panel on a grid: mileage to states, states to increments."""

from compecon._jit import kernel


@kernel
def states(mileage, n_states, max_mileage, state):
    """state[t] = max(1, ceil(mileage[t] n_states / max_mileage)) - 1 of whole miles, exactly: in integers."""
    n, top = int(n_states), int(max_mileage)
    for t in range(mileage.size):
        state[t] = max(-(-int(mileage[t]) * n // top), 1) - 1


@kernel
def increments(state, replaced, restart, dx):
    """dx[t] = state[t] less the state before; after a replacement `restart` stands for that. dx[0] is 0.

    restart : 0 in the model, whose new engine starts in state 0; -1 in Rust's own convention.
    """
    dx[0] = 0
    for t in range(1, state.size):
        dx[t] = state[t] - (restart if replaced[t - 1] > 0 else state[t - 1])
