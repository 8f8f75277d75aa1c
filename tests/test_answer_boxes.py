"""The answer boxes of the online book say what `check` says, for every exercise that a page can check."""

from pathlib import Path

import numpy as np
import pytest
from browser_fixtures import CHROMIUM, new_page, unless_present
from exercise_fixtures import ASK, EXERCISES

from compecon.exercises import check
from compecon.exercises.answer_box import answer_box, answer_table
from compecon.exercises.catalogue import find_exercise

SCRIPT = Path(__file__).resolve().parents[1] / "book/_static/answers.js"
SIGNS = {"passed": "✓", "not yet": "…", "wrong": "✗"}
BOXED = [exercise for exercise in EXERCISES if exercise.kind != "implement"]


@pytest.fixture(scope="module")
def ask(browser, tmp_path_factory):
    """A function that types an answer into an exercise's box and returns what the page says."""
    unless_present("chromium", CHROMIUM)
    folder = tmp_path_factory.mktemp("boxes")
    boxes = "\n".join(answer_box(exercise) for exercise in EXERCISES)
    (folder / "page.html").write_text(f"<!doctype html><meta charset='utf-8'><link rel='icon' href='data:,'>{boxes}"
                                      f"<script>{SCRIPT.read_text()}</script>", encoding="utf-8")
    page = new_page(browser, "file:")
    page.goto((folder / "page.html").as_uri())
    yield lambda number, answer: page.evaluate(ASK, [number, answer])
    assert page.problems == []


def typed(value):
    """A number or vector as a student would type it, to its last digit."""
    return " ".join(repr(float(number)) for number in np.ravel(value))


def said(number, answer):
    verdict = check(number, answer)
    return f"{SIGNS[verdict.status]} {verdict.message}"


def values_of(exercise):
    """The right value, the mistakes, and what a mistyped answer may be; those of the right shape."""
    right = np.asarray(exercise.solution(), dtype=float)
    yield from (right, -right, 3 * right, right * 1.0004, right * 1.0006, right + 1, np.full(right.shape, 0.123))
    yield from (np.vectorize(lambda value: float(f"{value:.{digits}g}"))(right) for digits in (1, 2, 3, 4))
    for mistake in exercise.mistakes:
        if np.shape(mistake.answer()) == right.shape and np.isfinite(mistake.answer()).all():
            yield np.asarray(mistake.answer(), dtype=float)


@pytest.mark.parametrize("exercise", [e for e in BOXED if e.kind == "compute"], ids=lambda e: e.number)
def test_a_typed_answer_gets_the_diagnosis_that_python_gives(ask, exercise):
    for value in values_of(exercise):
        assert ask(exercise.number, typed(value)) == said(exercise.number, value)
    assert ask(exercise.number, typed(exercise.solution())).startswith("✓")


@pytest.mark.parametrize("exercise", [e for e in BOXED if e.kind == "predict"], ids=lambda e: e.number)
def test_a_prediction_gets_the_reason_that_python_gives(ask, exercise):
    for option in exercise.options:
        assert ask(exercise.number, option) == said(exercise.number, option)


@pytest.mark.parametrize("exercise", BOXED, ids=lambda e: e.number)
def test_a_blank_is_not_yet_an_answer(ask, exercise):
    assert ask(exercise.number, "") == f"… Exercise {exercise.number} has no answer yet."


@pytest.mark.parametrize(("answer", "message"), [
    ("33/4292", "is right"),
    (" 0.0076887 ", "is right"),
    ("7.6887e-3", "is right"),
    ("(0.007689)", "is right"),
    ("\u22120.007689", "sign is wrong"),
    ("0,0077", "Decimals take a point"),
    ("half", "'half' is not a number"),
    ("0.77%", "not a number"),
    ("1/0", "not a number"),
    ("1/2/3", "not a number"),
    ("[1, 2]", "Give one number; found 2"),
    ("0.0077", "right to 2 digits"),
    ("7.68872", "1000 times the right one"),
    ("0.00384436", "0.5 times the right one"),
    ("0.0093", "not one of the usual mistakes"),
])
def test_numbers_are_read_as_students_write_them(ask, answer, message):
    assert message in ask("8.2", answer)


def test_a_vector_takes_blanks_or_commas_and_says_how_many_numbers_it_wants(ask):
    right = find_exercise("8.6").solution()
    assert ask("8.6", ", ".join(f"{value:.5f}" for value in right)).startswith("✓")
    assert ask("8.6", f"[{right[0]:.4f}; {right[1]:.4f}; {right[2]:.5f}]").startswith("✓")
    assert "Give 3 numbers" in ask("8.6", "0.5 0.5")


def test_a_function_has_no_box_but_a_place_where_it_is_checked():
    exercise = find_exercise("9.4")
    assert answer_table(exercise) is None and "notebook" in answer_box(exercise) and "<form" not in answer_box(exercise)


@pytest.mark.parametrize("exercise", BOXED, ids=lambda e: e.number)
def test_what_a_box_wants_can_be_typed(exercise):
    table = answer_table(exercise)
    if exercise.kind == "predict":
        assert table["right"] in table["options"] and 3 <= len(table["options"]) <= 5
    else:
        assert len(table["right"]) <= 6 and np.isfinite(table["right"]).all()
        assert np.ndim(exercise.solution()) <= 1
