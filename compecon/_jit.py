"""The `kernel` decorator: one set of numba options for every numerical loop of the library."""

from numba import njit

_OPTIONS = {"nogil": True, "error_model": "numpy"}


def kernel(function):
    """Compile `function` on its first call, without Python objects, and cache the machine code on disk.

    The function may use plain loops over float64 arrays that are passed in, the `math` module, and other kernels;
    it allocates nothing. Numba refuses to cache where no folder is writable (a read-only installation without
    a home folder, say); the kernel is then compiled once a session instead.
    """
    return _compile(function, "never")


def inlined(function):
    """A kernel without machine code of its own, which its callers compile as their own lines.

    For one that is called in one place: a function with many arrays as arguments takes half a second to compile.
    """
    return _compile(function, "always")


def _compile(function, inline):
    try:
        return njit(cache=True, inline=inline, **_OPTIONS)(function)
    except RuntimeError:
        return njit(inline=inline, **_OPTIONS)(function)
