"""Chunks of markets in threads: kernels release the interpreter lock, so two cores do two chunks at once."""

import functools
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np

# Fewer agent-products than this do not repay a thread, nor a chunk of their own.
_WORTH_A_CHUNK = 8_000
# Several chunks a thread: one that is late, because its core is busy, leaves the rest to the others.
_CHUNKS = 6


@functools.cache
def _n_cores():
    return joblib.cpu_count()


@functools.cache
def _pool():
    """Threads that wait for work: to start one takes longer than the chunk that it would do."""
    return ThreadPoolExecutor(_n_cores())


if hasattr(os, "register_at_fork"):
    # Threads do not survive a fork.
    os.register_at_fork(after_in_child=_pool.cache_clear)


def over_markets(products, agents, call):
    """Run `call(first, last)` over all markets, in chunks of about equal work; results go where `call` puts them.

    No chunk reads what another writes, so that the numbers do not depend on who does which.
    """
    work = np.cumsum(np.diff(products.starts) * np.diff(agents.starts))
    worth = int(max(1, min(work.size, work[-1] // _WORTH_A_CHUNK)))
    n_threads = min(_n_cores(), worth)
    n_chunks = 1 if n_threads == 1 else min(worth, _CHUNKS * n_threads)
    bounds = np.searchsorted(work, work[-1] * np.arange(n_chunks + 1) / n_chunks)
    bounds[-1] = work.size
    waiting = deque(zip(bounds[:-1], bounds[1:], strict=True))

    def work_off():
        while waiting:
            try:
                first, last = waiting.popleft()
            except IndexError:  # another thread was faster
                return
            call(first, last)

    others = [_pool().submit(work_off) for _ in range(n_threads - 1)]
    work_off()
    for other in others:
        if not other.cancel():
            other.result()
