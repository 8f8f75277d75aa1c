"""The answer boxes in the built book: every exercise that a page can check has one, and it accepts the right answer."""

import re

import numpy as np
import pytest
from browser_fixtures import HTML, new_page
from exercise_fixtures import ASK

from compecon.exercises.catalogue import chapters, exercises_of

pytestmark = pytest.mark.browser


def written(values):
    """Numbers as a student writes them, to six digits."""
    return ", ".join(f"{value:.6g}" for value in np.ravel(values))


def answers(exercise):
    """The right answer, and a wrong one with what should be said to it."""
    if exercise.kind == "predict":
        wrong = next(option for option in exercise.options if option != exercise.solution())
        return exercise.solution(), wrong, exercise.options[wrong]
    right = np.asarray(exercise.solution(), dtype=float)
    made = ((np.asarray(mistake.answer(), dtype=float), mistake.message) for mistake in exercise.mistakes)
    wrong, message = next((value, message) for value, message in made if value.shape == right.shape)
    return written(right), written(wrong), message


@pytest.mark.parametrize("chapter", chapters())
def test_the_boxes_of_a_chapter_take_the_right_answer_and_diagnose_a_wrong_one(book_browser, chapter):
    page = new_page(book_browser, "file:")
    page.goto(next((HTML / "book/chapters").glob(f"{chapter:02d}-*.html")).as_uri())
    boxed = [exercise for exercise in exercises_of(chapter) if exercise.kind != "implement"]
    assert page.locator("form.answer-box").count() == len(boxed) > 0
    assert page.locator(".answer-elsewhere").count() == len(exercises_of(chapter)) - len(boxed)
    for exercise in boxed:
        right, wrong, message = answers(exercise)
        assert page.evaluate(ASK, [exercise.number, wrong]) == f"✗ {message}"
        assert page.evaluate(ASK, [exercise.number, right]).startswith("✓"), exercise.number
    assert page.problems == []
    page.context.close()


@pytest.mark.parametrize("chapter", chapters())
def test_the_number_that_an_exercise_is_checked_by_is_the_number_that_the_page_prints(chapter):
    text = next((HTML / "book/chapters").glob(f"{chapter:02d}-*.html")).read_text(encoding="utf-8")
    printed = re.findall(r'class="caption-number">Exercise (\d+\.\d+) </span>', text)
    assert printed == [exercise.number for exercise in exercises_of(chapter)]
