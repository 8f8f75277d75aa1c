"""The `kernel` decorator: one set of numba options for every numerical loop of the library."""

from numba import njit

_OPTIONS = {"nogil": True, "error_model": "numpy"}


def kernel(function):
    """Compile `function` on its first call, without Python objects, and cache the machine code on disk.

    The function may use plain loops over float64 arrays that are passed in, the `math` module, and other kernels;
    it allocates nothing. Numba refuses to cache where no folder is writable (a read-only installation without
    a home folder, say); the kernel is then compiled once a session instead.
    """
    try:
        return njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:
        return njit(**_OPTIONS)(function)
