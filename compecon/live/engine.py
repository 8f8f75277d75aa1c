"""Runs a figure's kernels in Python, in the order in which the page runs them in the browser (assets/figure.js)."""

import numpy as np

from compecon.live.exports import EXPORTS

FAILED, DONE, MORE = 0, 1, 2
_KERNELS = {export.name: export for export in EXPORTS}


def normalised(arrays):
    """Fresh float64 copies of a figure's arrays, with `progress` that every figure has."""
    copies = {name: np.array(values, dtype=np.float64, order="C") for name, values in arrays.items()}
    return {"progress": np.zeros(1), **copies}


def kernel(name):
    """The export of that name."""
    return _KERNELS[name]


class Engine:
    """The arrays of one figure, and the calls that fill them.

    A kernel's arguments are found by their names: an array of the figure, a control's number, or `first`, which is 1
    when a run starts and 0 when a kernel that returned MORE is called again.
    """

    def __init__(self, arrays):
        self.arrays = normalised(arrays)
        self.status = {}

    def call(self, name, numbers, first):
        """Call a kernel once and remember what it returned."""
        known = {**numbers, **self.arrays, "first": first}
        export = kernel(name)
        self.status[name] = int(export.kernel(*(known[argument] for argument, _ in export.arguments)))
        return self.status[name]

    def finish(self, name, numbers):
        """Call a kernel until it is done or has failed."""
        status = self.call(name, numbers, 1.0)
        while status == MORE:
            status = self.call(name, numbers, 0.0)
        return status

    def update(self, runs, numbers, changed=None):
        """Run those of `runs` that a change of the controls `changed` (None: of all) asks for."""
        for run in runs:
            if changed is None or run.on is None or set(run.on) & set(changed):
                self.finish(run.kernel, numbers)
