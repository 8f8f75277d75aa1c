"""Which exercises there are: one module a chapter, such as `chapter09.py`, with EXERCISES in the book's order."""

import importlib
import re
from pathlib import Path

from compecon.errors import ParameterError


def chapters():
    """List of the chapters that have exercises."""
    files = Path(__file__).parent.glob("chapter[0-9][0-9].py")
    return sorted(int(file.stem.removeprefix("chapter")) for file in files)


def exercises_of(chapter):
    """Tuple of the chapter's exercises."""
    return importlib.import_module(f"compecon.exercises.chapter{chapter:02d}").EXERCISES


def find_exercise(number):
    """The `Exercise` of that number, such as '9.3'; raises ParameterError with the numbers that exist."""
    match = re.fullmatch(r"(\d{1,2})\.\d{1,2}", str(number))
    if not match or int(match[1]) not in chapters():
        raise ParameterError(f"no exercise {number!r}; a number names chapter and exercise, such as '9.3', and "
                             f"there are chapters {', '.join(map(str, chapters()))}.")
    found = {exercise.number: exercise for exercise in exercises_of(int(match[1]))}
    if str(number) not in found:
        raise ParameterError(f"no exercise {number!r}; chapter {match[1]} has {', '.join(found)}.")
    return found[str(number)]
