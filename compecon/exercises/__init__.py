"""The book's exercises: `check` says whether an answer is right and if not why, `drive` moves a student's function."""

from compecon.exercises.check import Verdict, check
from compecon.exercises.drive import drive

__all__ = ["Verdict", "check", "drive"]
