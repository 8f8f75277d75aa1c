"""Every solution passes its check, every typical mistake gets its own message, and a blank never passes."""

import numpy as np
import pytest
from exercise_fixtures import EXERCISES

from compecon.errors import ParameterError
from compecon.exercises import check
from compecon.exercises.catalogue import chapters, exercises_of, find_exercise

CASES = [(exercise, mistake) for exercise in EXERCISES for mistake in exercise.mistakes]


def answer_of(exercise, make):
    """What a student hands in: the function itself, or the value that it makes."""
    return make if exercise.kind == "implement" else make()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.number)
def test_the_solution_passes(exercise):
    verdict = check(exercise.number, answer_of(exercise, exercise.solution))
    assert verdict.passed, verdict


@pytest.mark.parametrize(("exercise", "mistake"), CASES, ids=lambda case: getattr(case, "number", ""))
def test_a_typical_mistake_gets_its_own_message(exercise, mistake):
    verdict = check(exercise.number, answer_of(exercise, mistake.answer))
    assert verdict.status == "wrong"
    assert verdict.message == mistake.message


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.number)
@pytest.mark.parametrize("blank", [None, ...])
def test_a_blank_answer_is_not_yet_an_answer(exercise, blank):
    assert check(exercise.number, blank).status == "not yet"


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if e.kind == "predict"], ids=lambda e: e.number)
def test_every_wrong_prediction_is_told_why(exercise):
    for option, reason in exercise.options.items():
        verdict = check(exercise.number, option.upper())
        assert verdict.passed == (option == exercise.solution())
        assert verdict.message == reason
    assert "Answer with one of" in check(exercise.number, 3).message


def test_each_chapter_has_five_exercises_and_each_has_two_mistakes_or_wrong_options():
    for chapter in chapters():
        assert [exercise.number for exercise in exercises_of(chapter)][:5] == [f"{chapter}.{k}" for k in range(1, 6)]
    for exercise in EXERCISES:
        assert len(exercise.options or {}) - 1 >= 2 or len(exercise.mistakes) >= 2, exercise.number


class TestStudentCode:
    """`check` survives whatever a student hands in."""

    def test_that_raises(self):
        assert "ZeroDivisionError" in check("9.4", lambda scores, weights: 1 / 0).message

    def test_that_takes_other_arguments(self):
        assert "TypeError" in check("9.4", lambda: 0).message

    def test_that_returns_nothing(self):
        assert "return" in check("9.4", lambda scores, weights: None).message

    def test_that_returns_text(self):
        assert "numbers" in check("9.4", lambda scores, weights: "three").message

    def test_of_the_wrong_shape(self):
        assert "shape" in check("9.4", lambda scores, weights: np.ones(7)).message

    def test_that_changes_its_arguments(self):
        def spoils(scores, weights):
            scores *= 2
            return weights @ scores

        assert "changes its arguments" in check("9.4", spoils).message

    def test_that_is_no_function(self):
        assert "without brackets" in check("9.4", 3.0).message

    def test_that_gives_nan(self):
        assert "NaN" in check("9.2", np.nan).message

    def test_with_the_wrong_sign(self):
        assert "sign" in check("8.2", -find_exercise("8.2").solution()).message

    def test_that_is_off_by_a_factor(self):
        assert "3 times" in check("8.2", 3 * find_exercise("8.2").solution()).message

    def test_that_is_rounded_to_decimals(self):
        assert "right to 4 decimals" in check("8.6", [0.3996, 0.5876, 0.0128]).message

    def test_that_differs_only_where_the_right_answer_is_zero(self):
        message = check("8.3", lambda m, n, top: np.maximum(np.ceil(m * n / top) - 1, 1)).message
        assert "small enough" in message

    def test_that_nothing_explains(self):
        assert "small enough" in check("8.6", [0.2, 0.3, 0.5]).message


def test_a_verdict_shows_its_sign_in_text_and_in_html():
    verdict = check("9.1", "falls")
    assert repr(verdict).startswith("✓ Right.")
    assert "<strong>✓</strong>" in verdict._repr_html_()


def test_an_unknown_number_lists_those_that_exist():
    with pytest.raises(ParameterError, match="chapter 9 has 9.1, .*9.6"):
        check("9.9", 1)


@pytest.mark.parametrize("number", ["99.1", "9", "nine", 9.3])
def test_an_unknown_chapter_lists_those_that_exist(number):
    if number == 9.3:
        assert check(number, ...).status == "not yet"
        return
    with pytest.raises(ParameterError, match="such as '9.3', and there are chapters .*8, 9"):
        check(number, 1)


def test_the_random_inputs_of_a_check_are_the_same_every_time():
    seen = []
    for _ in range(2):
        check("9.4", lambda scores, weights: seen.append(scores.sum()))
    assert seen[0] == seen[1]


# Solutions against numbers from outside: counts of the archive, Rust (1987), and the checkpoints printed in the book


@pytest.mark.parametrize(
    ("number", "value", "rtol"),
    [
        ("8.2", 33 / 4292, 1e-12),
        ("8.6", np.array([1715, 2522, 55]) / 4292, 1e-12),
        ("9.2", 85.46, 1e-4),  # Table IX, heterogeneity
        ("9.6", 0.00035, 0.01),  # what Table IX's .0035 should be
    ],
)
def test_a_computed_solution_is_the_number_known_from_outside(number, value, rtol):
    np.testing.assert_allclose(find_exercise(number).solution(), value, rtol=rtol)


@pytest.mark.parametrize(
    ("number", "arguments", "value"),
    [
        ("8.3", (np.array([0, 5000, 5001]), 90, 450_000), [0, 0, 1]),
        ("8.4", (np.array([3, 4, 0, 1]), np.array([0, 1, 0, 0])), [1, 1, 1]),
        ("8.5", (np.array([1, 2, 60]), np.array([0, 1, 0]), 2), [0.5, 0]),
        ("9.3", (np.zeros(2), np.array([0, 1])), [-np.log(2), -np.log(2)]),
        ("9.4", (np.array([[2.0]]), np.array([3.0])), [0.5]),
        ("9.5", (np.array([[2.0]]), np.array([3.0])), [1 / np.sqrt(12)]),
    ],
)
def test_an_implemented_solution_meets_the_checkpoint_in_the_book(number, arguments, value):
    np.testing.assert_allclose(find_exercise(number).solution(*arguments), value, rtol=1e-12)


def test_the_right_predictions_are_what_the_library_finds(bus_data):
    from compecon import datasets, zurcher

    longer = zurcher.discretize(datasets.load_bus_panel(), [4], n_states=180, max_mileage=900_000)
    assert longer.dx_counts.tolist() == bus_data((4,), 90).dx_counts.tolist()
    assert find_exercise("8.1").solution() == "the same"
    fits = [zurcher.nfxp(zurcher.ZurcherModel(n, 0.9999), bus_data((4,), n)) for n in (90, 180)]
    assert fits[1].params["theta11"] == pytest.approx(fits[0].params["theta11"] / 2, rel=0.01)
    assert fits[1].params["RC"] == pytest.approx(fits[0].params["RC"], rel=0.01)
    assert find_exercise("9.1").solution() == "falls"
