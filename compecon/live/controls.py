"""What a reader can set: traits of a figure that are sliders, lists and switches on the page."""

import math

import traitlets

from compecon.errors import ParameterError


class Control(traitlets.TraitType):
    """A figure's parameter: a traitlet that the page can change, and that names the kernel argument it is passed as.

    Subclasses say which values there are (`check`), and how the page shows them (`face`).
    """

    def __init__(self, value, label):
        super().__init__(default_value=value)
        self.label = label
        self.tag(sync=True)

    def validate(self, obj, value):
        """The value, or ParameterError: no state that the page cannot show can be set from Python."""
        return self.check(value)

    def said(self, value):
        """How messages call an assignment: by the name that Python knows, or else by the label."""
        return f"{self.name or self.label} = {value!r}"

    def number(self, value):
        """What a kernel gets for this value."""
        return float(value)


class Slider(Control):
    """A number; on the page it moves between `low` and `high` by `step`, or through the listed `stops`.

    limits : (float, float), what Python and kernels may set, where that is more than the page's range. The page then
    shows the number and leaves its handle at the end.

    >>> from compecon.live.controls import Slider
    >>> Slider(5, "RC", low=0, high=20, step=0.1).check(25)
    Traceback (most recent call last):
    ...
    compecon.errors.ParameterError: RC = 25; it must lie between 0 and 20.
    """

    def __init__(self, value, label, low=None, high=None, step=None, stops=None, format=".2f", unit="", limits=None):
        super().__init__(float(value), label)
        self.stops = None if stops is None else tuple(float(stop) for stop in stops)
        self.low, self.high = (low, high) if stops is None else (min(self.stops), max(self.stops))
        self.limits = (self.low, self.high) if limits is None else limits
        self.step, self.format, self.unit = step, format, unit

    def check(self, value):
        """`value` as a float, if it lies within the limits."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        low, high = self.limits
        if not low <= number <= high:
            raise ParameterError(f"{self.said(value)}; it must lie between {low:g} and {high:g}.")
        return number

    def face(self, value):
        """What the page needs to know of it."""
        known = {"kind": "slider", "value": value, "format": self.format, "unit": self.unit}
        if self.stops is None:
            return {**known, "min": self.low, "max": self.high, "step": self.step}
        return {**known, "min": 0, "max": len(self.stops) - 1, "step": 1, "stops": self.stops}


class Choice(Control):
    """One of several `options`, a dict from values to labels. A kernel gets the value, or its place if it is no number.

    >>> from compecon.live.controls import Choice
    >>> Choice("firms", "conduct", {"firms": "firms as they are", "alone": "each product alone"}).number("alone")
    1.0
    """

    def __init__(self, value, label, options):
        super().__init__(value, label)
        self.options = dict(options)

    def check(self, value):
        """The option that equals `value`."""
        for option in self.options:
            if option == value:
                return option
        raise ParameterError(f"{self.said(value)}; choose one of {', '.join(map(repr, self.options))}.")

    def number(self, value):
        """The value itself, or its place among the options."""
        return float(value) if isinstance(value, (int, float)) else float(list(self.options).index(value))

    def face(self, value):
        """What the page needs to know of it."""
        return {"kind": "choice", "value": value, "values": list(self.options),
                "numbers": [self.number(option) for option in self.options]}


class Switch(Control):
    """True or False; 1 or 0 to a kernel."""

    def check(self, value):
        """`value` as a bool."""
        if value in (True, False):
            return bool(value)
        raise ParameterError(f"{self.said(value)}; it is True or False.")

    def face(self, value):
        """What the page needs to know of it."""
        return {"kind": "switch", "value": value}
