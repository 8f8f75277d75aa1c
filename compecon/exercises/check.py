"""`check("9.3", answer)`: is the answer right, and if not, why?"""

import copy
from dataclasses import dataclass
from html import escape

import numpy as np

from compecon.exercises.catalogue import find_exercise

_TRIALS = 5
_SIGNS = {"passed": "✓", "not yet": "…", "wrong": "✗"}


@dataclass(frozen=True)
class Verdict:
    """What `check` answers.

    Attributes
    ----------
    status : 'passed', 'not yet' or 'wrong'
    message : str
    """

    status: str
    message: str

    @property
    def passed(self):
        """Whether the answer is right."""
        return self.status == "passed"

    def __repr__(self):
        return f"{_SIGNS[self.status]} {self.message}"

    def _repr_html_(self):
        return f"<p><strong>{_SIGNS[self.status]}</strong> {escape(self.message)}</p>"


def check(number, answer=None):
    """Check the answer to an exercise of the book.

    Parameters
    ----------
    number : str
        As the book prints it, '9.3'.
    answer : str, number, array or function
        What the exercise asks for. `...` or None is not an answer yet.

    Returns
    -------
    Verdict
        Its repr says what is wrong and why.

    Examples
    --------
    >>> from compecon.exercises import check
    >>> check("9.1", ...)
    … Exercise 9.1 has no answer yet. Replace the dots.
    """
    exercise = find_exercise(number)
    if answer is None or answer is ...:
        return Verdict("not yet", f"Exercise {number} has no answer yet. Replace the dots.")
    return {"predict": _check_choice, "compute": _check_value, "implement": _check_function}[exercise.kind](
        exercise, answer
    )


def _passed(exercise):
    return Verdict("passed", f"Exercise {exercise.number} is right.")


def _check_choice(exercise, answer):
    """Compare an option's name; say why it is right or wrong."""
    option = answer.strip().lower() if isinstance(answer, str) else answer
    if not isinstance(option, str) or option not in exercise.options:
        return Verdict("wrong", f"Answer with one of {', '.join(map(repr, exercise.options))}; found {answer!r}.")
    return Verdict("passed" if option == exercise.solution() else "wrong", exercise.options[option])


def _check_value(exercise, answer):
    """Compare a number or an array with the solution, then with each mistake, then for sign and scale."""
    right = np.asarray(exercise.solution(), dtype=float)
    found, problem = _as_array(answer, right.shape)
    if problem:
        return Verdict("wrong", problem)
    if np.allclose(found, right, rtol=exercise.rtol, atol=0):
        return _passed(exercise)
    for mistake in exercise.mistakes:
        if _alike(found, mistake.answer(), exercise.rtol):
            return Verdict("wrong", mistake.message)
    return Verdict("wrong", _guess([found], [right], exercise.rtol))


def _check_function(exercise, answer):
    """Run the student's function on inputs that the student has not seen, and the mistakes on the same inputs."""
    if not callable(answer):
        return Verdict("wrong", f"Pass the function itself, without brackets; found {type(answer).__name__}.")
    rng = np.random.default_rng([ord(letter) for letter in exercise.number])
    inputs = [exercise.draw(rng) for _ in range(_TRIALS)]
    found, right = [], []
    for arguments in inputs:
        right.append(np.asarray(exercise.solution(*copy.deepcopy(arguments)), dtype=float))
        value, problem = _run(answer, arguments, right[-1].shape)
        if problem:
            return Verdict("wrong", problem)
        found.append(value)
    if all(np.allclose(a, b, rtol=exercise.rtol, atol=1e-12) for a, b in zip(found, right)):
        return _passed(exercise)
    for mistake in exercise.mistakes:
        with np.errstate(all="ignore"):
            made = [mistake.answer(*copy.deepcopy(arguments)) for arguments in inputs]
        if all(_alike(a, b, exercise.rtol) for a, b in zip(found, made)):
            return Verdict("wrong", mistake.message)
    return Verdict("wrong", _guess(found, right, exercise.rtol))


def _run(function, arguments, shape):
    """(value, None) or (None, what went wrong) of a student's function on a private copy of the arguments."""
    given = copy.deepcopy(arguments)
    try:
        with np.errstate(all="ignore"):
            answer = function(*given)
    except Exception as error:
        return None, f"Your function stopped with {type(error).__name__}: {error}"
    if not all(_same(a, b) for a, b in zip(given, arguments)):
        return None, "Your function changes its arguments. Work on a copy: x = x.copy()."
    if answer is None or answer is ...:
        return None, "Your function returns nothing yet. End it with return."
    return _as_array(answer, shape)


def _as_array(answer, shape):
    """(float array of that shape, None), or (None, what is wrong with it)."""
    try:
        found = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return None, f"Expected numbers, found {type(answer).__name__}."
    if found.shape == shape[::-1] and found.shape != shape:
        return None, f"The shape is {found.shape}, which is transposed: it should be {shape}."
    if found.shape != shape:
        return None, f"The shape is {found.shape}; it should be {shape}."
    return found, None


def _same(left, right):
    """Whether an argument is still what it was."""
    return np.array_equal(np.asarray(left), np.asarray(right), equal_nan=True)


def _alike(found, made, rtol):
    """Whether an answer equals what a mistake gives; shapes must agree too."""
    made = np.asarray(made, dtype=float)
    return made.shape == found.shape and np.allclose(found, made, rtol=rtol, atol=1e-12, equal_nan=True)


def _guess(found, right, rtol):
    """What to say to a wrong answer that no known mistake explains."""
    found, right = np.concatenate([a.ravel() for a in found]), np.concatenate([a.ravel() for a in right])
    if np.isnan(found).any():
        return "Your answer holds NaN. Look for 0/0, inf - inf, or the log of a negative number."
    for digits in (3, 2, 1):
        if np.allclose(found, [float(f"{value:.{digits}g}") for value in right], rtol=1e-9, atol=0):
            return f"That is right to {digits} digit{'s' * (digits > 1)}. Give at least four."
    if np.allclose(found, -right, rtol=rtol, atol=0):
        return "The size is right and the sign is wrong."
    for decimals in (4, 3, 2):
        if found.all() and np.allclose(found, np.round(right, decimals), rtol=1e-9, atol=0):
            return f"That is right to {decimals} decimals. Give four digits that are not leading zeros."
    usable = right != 0
    if usable.any() and np.array_equal(usable, found != 0):
        ratio = found[usable] / right[usable]
        # The ratio of two numbers is always there, and would give the answer away; a common factor is a hint.
        telling = ratio.size > 1 or _is_common_factor(abs(ratio[0]), rtol)
        if telling and np.allclose(ratio, ratio[0], rtol=rtol) and abs(ratio[0]) > rtol:
            return f"Your answer is {ratio[0]:.6g} times the right one. Which factor is missing, or one too many?"
    return "Not right, and not one of the usual mistakes. Try a case small enough to work out by hand."


def _is_common_factor(ratio, rtol):
    """Whether a positive number is one of 2 to 12, a hundred or a thousand, or the inverse of one."""
    return any(np.isclose(max(ratio, 1 / ratio), factor, rtol=rtol) for factor in (*range(2, 13), 100, 1000))
