"""The parts a figure is declared with. A string such as "value", "errors[1]" or "theta[0]" refers to a figure's arrays.

A reference names an array, or a row of a matrix, or one number: an entry of a vector, or a control. A mark draws
nothing where a coordinate is NaN. Tones number the colours: 1 blue, 2 orange, 3 green, 4 grey.
"""

import re
from dataclasses import dataclass, fields

_REFERENCE = re.compile(r"(\w+)((?:\[\d+\])*)")


def look_up(reference, arrays):
    """What `reference` stands for among `arrays`, a dict of arrays and numbers.

    >>> import numpy as np
    >>> look_up("errors[1]", {"errors": np.eye(2)})
    array([0., 1.])
    """
    name, places = _REFERENCE.fullmatch(reference).groups()
    value = arrays[name]
    for place in re.findall(r"\d+", places):
        value = value[int(place)]
    return value


@dataclass(frozen=True)
class Line:
    """A line through (x, y)."""

    x: str
    y: str
    label: str = ""
    tone: int = 1
    dashed: bool = False
    step: bool = False


@dataclass(frozen=True)
class Dots:
    """Dots at (x, y), of radius `size` in pixels or of the radii that `sizes` refers to."""

    x: str
    y: str
    label: str = ""
    tone: int = 1
    size: float = 3.5
    sizes: str | None = None
    hollow: bool = False


@dataclass(frozen=True)
class Bars:
    """Bars from 0 to y, `width` wide, at x + shift."""

    x: str
    y: str
    label: str = ""
    tone: int = 1
    width: float = 0.8
    shift: float = 0.0


@dataclass(frozen=True)
class Spans:
    """Vertical lines from (x, low) to (x, high): error bars, or what changed."""

    x: str
    low: str
    high: str
    label: str = ""
    tone: int = 4


@dataclass(frozen=True)
class Rule:
    """A line across the panel, at one x or one y."""

    x: str | None = None
    y: str | None = None
    label: str = ""
    tone: int = 4
    dashed: bool = True


@dataclass(frozen=True)
class Contours:
    """Lines on which a matrix lies so far below its largest entry as `levels` says; rows go along y, columns along x.

    x, y : the ranges that the matrix spans, from its first to its last column or row: pairs, or references to such.
    """

    values: str
    x: tuple[float, float] | str
    y: tuple[float, float] | str
    levels: tuple[float, ...]
    label: str = ""
    tone: int = 4


@dataclass(frozen=True)
class Axis:
    """An axis: label, range shown (a pair, a reference to one, or None: that of the data), scale, tick format."""

    label: str
    range: tuple[float, float] | str | None = None
    log: bool = False
    format: str | None = None


@dataclass(frozen=True)
class Panel:
    """One picture of a figure. `alt` says in words what it shows; {key} in it stands for a read-out.

    drag : names of the two controls that a pointer moves in the panel, or None.
    """

    title: str
    x: Axis
    y: Axis
    marks: tuple
    alt: str
    drag: tuple[str, str] | None = None


@dataclass(frozen=True)
class Readout:
    """A number that the figure tells, by a format of Python's `format`.

    words : pairs of a number and what is said in its place, such as (-1, "none").
    """

    key: str
    label: str
    value: str
    format: str = ".3f"
    unit: str = ""
    words: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class Run:
    """A kernel that is called when one of the controls `on` has changed (None: any control), in the order given."""

    kernel: str
    on: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Button:
    """A button that calls a kernel until it is DONE, or once, and then sets controls to numbers that it left.

    moves : pairs of a control and the reference to its new value.
    """

    key: str
    label: str
    kernel: str
    once: bool = False
    moves: tuple[tuple[str, str], ...] = ()


def as_data(part):
    """A part as plain data for the page; `kind` names a mark's class."""
    if isinstance(part, tuple):
        return [as_data(item) for item in part]
    if not hasattr(part, "__dataclass_fields__"):
        return part
    return {"kind": type(part).__name__.lower()} | {f.name: as_data(getattr(part, f.name)) for f in fields(part)}
