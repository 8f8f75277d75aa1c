"""Chunks of markets in threads: kernels release the interpreter lock, so two cores do two chunks at once."""

import functools
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np

# Fewer agent-products than this do not repay the start of a thread.
_WORTH_A_THREAD = 8_000


@functools.cache
def _n_cores():
    return joblib.cpu_count()


def over_markets(products, agents, call):
    """Run `call(first, last)` over all markets, in chunks of about equal work; results go into arrays that `call` knows.

    No chunk reads what another writes, so that the numbers do not depend on how many there are.
    """
    work = np.cumsum(np.diff(products.starts) * np.diff(agents.starts))
    n_chunks = int(max(1, min(_n_cores(), work.size, work[-1] // _WORTH_A_THREAD)))
    bounds = np.searchsorted(work, work[-1] * np.arange(n_chunks + 1) / n_chunks)
    bounds[-1] = work.size
    if n_chunks == 1:
        call(0, work.size)
        return
    with ThreadPoolExecutor(n_chunks - 1) as pool:
        others = [pool.submit(call, first, last) for first, last in zip(bounds[1:-1], bounds[2:], strict=True)]
        call(bounds[0], bounds[1])
        for other in others:
            other.result()
