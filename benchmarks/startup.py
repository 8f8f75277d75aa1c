"""What a user waits for first: the import, and the first estimate with and without compiled kernels on disk."""

import os
import subprocess
import sys
import tempfile
import time

FIRST_ESTIMATE = """
from compecon import datasets, zurcher
data = zurcher.discretize(datasets.load_bus_panel(), groups=[4])
print(zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), data).bse)
"""
PROGRAM = "from compecon.__main__ import main; main()"
FIRST_DEMAND = "from compecon.blp.examples import cereal_results; print(cereal_results().beta)"


def run(code, cache):
    """Seconds that a fresh interpreter takes for `code`."""
    start = time.perf_counter()
    environment = os.environ | {"NUMBA_CACHE_DIR": cache}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def warm(code, cache):
    """Seconds of the fastest of three runs; the first may still have something to compile."""
    return min(run(code, cache) for _ in range(3))


def startup():
    """Rows (name, seconds, limit)."""
    with tempfile.TemporaryDirectory() as cache:
        yield "import compecon", run("import compecon", cache), 0.5
        yield "first estimate, cold cache", run(FIRST_ESTIMATE, cache), 10.0
        yield "first estimate, warm cache", warm(FIRST_ESTIMATE, cache), 5.0
        yield "first BLP estimate, cold cache", run(FIRST_DEMAND, cache), 10.0
        yield "first BLP estimate, warm cache", warm(FIRST_DEMAND, cache), 2.0
        yield "python -m compecon, warm cache", warm(PROGRAM, cache), 5.0
