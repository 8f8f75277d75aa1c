"""The book's exercises and their checks."""

from compecon.exercises.check import Verdict, check

__all__ = ["Verdict", "check"]
