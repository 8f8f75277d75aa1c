"""A live figure: a Python object in a notebook, a computing picture in a page, a still one on paper."""

import anywidget
import traitlets

from compecon.errors import ConvergenceError, ParameterError
from compecon.live.bundle import script, style
from compecon.live.controls import Control
from compecon.live.engine import FAILED, MORE, Engine, kernel
from compecon.live.markup import page
from compecon.live.parts import as_data, look_up

_NO_SOLUTION = "There is no solution at these values. Move a control."


class LiveFigure(anywidget.AnyWidget):
    """Base of all figures. A figure declares its parts, and a page or a notebook does the rest.

    Attributes
    ----------
    name : str, the value of `data-live-figure` on the page
    title, caption : str
    runs : tuple of Run, the kernels that a change of controls calls, in this order
    buttons : tuple of Button
    panels : tuple of Panel
    readouts : tuple of Readout
    messages : dict from a kernel's name to what the figure says when it returns FAILED

    Its controls are traits (Slider, Choice, Switch), which Python reads and sets. `arrays()` gives the arrays that
    its kernels read, write and keep.

    Raises
    ------
    ParameterError
        An unknown control, or a value that the page could not show.

    Examples
    --------
    >>> from compecon import live
    >>> figure = live.ZurchersChoice(RC=8)
    >>> figure.RC = 12
    >>> figure
    ZurchersChoice(RC=12.0, theta11=2.29, discount=0.9999, n_states=90, bus=1.0)
    >>> round(figure.read()["lifetime"], 1)
    106.5
    """

    name = title = caption = ""
    runs = buttons = panels = readouts = ()
    messages = {}

    _esm, _css = script("module"), style()
    _html = traitlets.Unicode().tag(sync=True)

    def __init__(self, **values):
        unknown = set(values) - set(self.controls())
        if unknown:
            raise ParameterError(f"{type(self).__name__} has no control {', '.join(sorted(unknown))}; "
                                 f"it has {', '.join(self.controls())}.")
        self._engine, self._changed = Engine(self.arrays()), None
        super().__init__(**values)
        self._html = page(self)
        self.observe(self._note_change, names=list(self.controls()))

    def arrays(self):
        """Dict of arrays by the names of the kernels' arguments: data, results, and what is kept between calls."""
        return {}

    @classmethod
    def controls(cls):
        """Dict of the figure's controls by name, in the order of their declaration."""
        found = [name for base in reversed(cls.__mro__) for name, value in vars(base).items()
                 if isinstance(value, Control)]
        return {name: getattr(cls, name) for name in found}

    def values(self):
        """Dict of the controls' present values."""
        return {name: getattr(self, name) for name in self.controls()}

    def numbers(self):
        """Dict of what kernels get for them."""
        return {name: control.number(getattr(self, name)) for name, control in self.controls().items()}

    def outputs(self):
        """Dict of the figure's arrays at the present values of its controls, and of the controls' numbers.

        Raises
        ------
        ConvergenceError
            When a kernel has failed; the message is the one that the page shows.
        """
        self._run()
        for name, status in self._engine.status.items():
            if status == FAILED:
                raise ConvergenceError(f"{self.name}: {self.messages.get(name, _NO_SOLUTION)}")
        return {**self._engine.arrays, **self.numbers()}

    def read(self):
        """Dict of the figure's read-outs at the present values of its controls: key to number."""
        outputs = self.outputs()
        return {readout.key: float(look_up(readout.value, outputs)) for readout in self.readouts}

    def press(self, key):
        """Do what the button `key` does on the page, to its end.

        Raises
        ------
        ParameterError, ConvergenceError
            There is no such button; its kernel has failed.
        """
        buttons = {button.key: button for button in self.buttons}
        if key not in buttons:
            raise ParameterError(f"{type(self).__name__} has no button {key!r}; it has {', '.join(buttons)}.")
        button, status, first = buttons[key], MORE, 1.0
        self._forget()
        self._run()
        while status == MORE and (first or not button.once):
            status, first = self._engine.call(button.kernel, self.numbers(), first), 0.0
            for control, reference in button.moves if status != FAILED else ():
                setattr(self, control, float(look_up(reference, self._engine.arrays)))
            self._run(always=True)
        self.outputs()

    def spec(self):
        """What the page's script needs to know, as plain data."""
        names = dict.fromkeys([part.kernel for part in (*self.runs, *self.buttons)])
        arrays = Engine(self.arrays()).arrays
        return {
            "name": self.name,
            "kernels": {name: {"arguments": [argument for argument, _ in kernel(name).arguments],
                               "message": self.messages.get(name, _NO_SOLUTION)} for name in names},
            "arrays": {name: {"shape": values.shape, "values": values.ravel().tolist() if values.any() else None}
                       for name, values in arrays.items()},
            "controls": {name: control.face(getattr(self, name)) for name, control in self.controls().items()},
            "runs": as_data(self.runs), "buttons": as_data(self.buttons),
            "panels": as_data(self.panels), "readouts": as_data(self.readouts),
        }  # fmt: skip

    def _run(self, always=False):
        """Call the kernels that changes since the last time ask for; after a button's also those that any asks for."""
        changed, self._changed = self._changed, set()
        if always or changed != set():
            self._engine.update(self.runs, self.numbers(), changed)

    def _forget(self):
        """That a button has failed holds until something else is done."""
        for name in {button.kernel for button in self.buttons} - {run.kernel for run in self.runs}:
            self._engine.status.pop(name, None)

    def _note_change(self, change):
        """Remember what to compute again when somebody asks."""
        self._forget()
        if self._changed is not None:
            self._changed.add(change["name"])

    def __repr__(self):
        values = ", ".join(f"{name}={value!r}" for name, value in self.values().items())
        return f"{type(self).__name__}({values})"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, "text/html": page(self, pictures=True)}, metadata
