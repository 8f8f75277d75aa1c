"""What an exercise is: its kinds, its solution, and the mistakes that its check knows by name."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer and what to say to it.

    Attributes
    ----------
    message : str
        What is wrong and why, said to the student.
    answer : callable
        Makes the mistake. For a 'compute' exercise it takes nothing and returns the wrong value; for an 'implement'
        exercise it is the wrong function, with the arguments of the right one.
    """

    message: str
    answer: Callable


@dataclass(frozen=True)
class Exercise:
    """An exercise with an answer that can be checked.

    Attributes
    ----------
    number : str, as '9.3'
    kind : 'predict', 'compute' or 'implement'
    solution : callable
        'predict': returns the right option. 'compute': returns the right value. 'implement': the right function.
    mistakes : tuple of Mistake
    options : dict of str to str
        'predict' only: every option and why it is right or wrong.
    draw : callable
        'implement' only: (numpy Generator) -> tuple of arguments. The student does not see them.
    rtol : float
        Relative accuracy that is asked for: four digits of a number that is typed, more of a function's results.
    """

    number: str
    kind: str
    solution: Callable
    mistakes: tuple[Mistake, ...] = ()
    options: dict | None = None
    draw: Callable | None = None
    rtol: float | None = None

    def __post_init__(self):
        if self.rtol is None:
            object.__setattr__(self, "rtol", 1e-6 if self.kind == "implement" else 5e-4)
