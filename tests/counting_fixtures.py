"""Numbers that count the operations done with them, for kernels that run as plain Python.

An operation is a multiplication with the addition next to it, or a multiplication, an addition or a division alone;
exp and log are eight. Comparisons, signs and arithmetic on what no loop changes are free.
"""

import math

import numpy as np


class Counted:
    """A float whose operations are added up in `Counted.total`."""

    total = 0.0

    def __init__(self, value, product=False, constant=False):
        self.value, self.product, self.constant = float(value), product, constant

    def _result(self, value, other, kind):
        other = other if isinstance(other, Counted) else Counted(other, constant=True)
        free = self.constant and other.constant
        fused = kind == "sum" and (self.product or other.product)
        Counted.total += not (free or fused)
        return Counted(value, product=kind == "product" and not free, constant=free)

    def __add__(self, other):
        return self._result(self.value + float(other), other, "sum")

    def __sub__(self, other):
        return self._result(self.value - float(other), other, "sum")

    def __rsub__(self, other):
        return self._result(float(other) - self.value, other, "sum")

    def __mul__(self, other):
        return self._result(self.value * float(other), other, "product")

    def __truediv__(self, other):
        return self._result(self.value / float(other), other, "ratio")

    def __rtruediv__(self, other):
        return self._result(float(other) / self.value, other, "ratio")

    def __neg__(self):
        return Counted(-self.value, self.product, self.constant)

    def __abs__(self):
        return Counted(abs(self.value))

    def __float__(self):
        return self.value

    def __lt__(self, other):
        return self.value < float(other)

    def __gt__(self, other):
        return self.value > float(other)

    def __le__(self, other):
        return self.value <= float(other)

    def __ge__(self, other):
        return self.value >= float(other)

    __radd__, __rmul__ = __add__, __mul__


def counted(values):
    """An array of counted numbers."""
    return np.array([Counted(value) for value in values], dtype=object)


def eight(function):
    """`function` of a counted number, eight operations a call."""

    def of_counted(number):
        Counted.total += 8
        return Counted(function(number.value))

    return of_counted


class CountedMath:
    """What the kernels of a solution use of `math`."""

    exp = staticmethod(eight(math.exp))
    inf = math.inf


def plain(kernel):
    """A kernel's Python source, whether or not the compiler is on."""
    return getattr(kernel, "py_func", kernel)
