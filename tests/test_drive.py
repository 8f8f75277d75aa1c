"""`drive` draws what a student's function returns, and says what is wrong with what it returns."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from compecon.exercises import drive


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    """The heights of each curve that was shown."""
    shown = []

    def show():
        shown.append([line.get_ydata() for line in plt.gca().lines])
        plt.close()

    monkeypatch.setattr(plt, "show", show)
    return shown


def test_a_slider_moves_the_students_function(drawn, capsys):
    sliders = drive(lambda rate: rate ** np.arange(3), log=True, rate=(0.25, 0.75, 0.25))
    sliders.children[0].value = 0.75
    np.testing.assert_allclose(drawn[-1], [[1, 0.75, 0.5625]])
    assert len(drawn) == 2


def test_several_curves_stand_over_the_places_that_are_given(drawn, capsys):
    drive(lambda a: {"up": a * np.arange(4), "down": -a * np.arange(4)}, x=np.arange(4) / 2, a=(1, 3, 1))
    np.testing.assert_allclose(drawn[-1], [[0, 2, 4, 6], [0, -2, -4, -6]])


@pytest.mark.parametrize(("function", "message"), [
    (lambda a: ..., "returns nothing yet"),
    (lambda a: None, "returns nothing yet"),
    (lambda a: {"one": ...}, "returns nothing yet"),
    (lambda a: 1 / 0, "ZeroDivisionError"),
    (lambda: 0, "TypeError"),
    (lambda a: "text", "Expected an array"),
    (lambda a: np.ones((2, 2)), r"(2, 2); it should be (3,)"),
    (lambda a: np.ones(4), r"(4,); it should be (3,)"),
    (lambda a: 1.0, "(); it should be (3,)"),
])
def test_what_cannot_be_drawn_is_said_in_words(drawn, capsys, function, message):
    drive(function, x=np.arange(3), a=(1, 3, 1))
    assert message in capsys.readouterr().out and not drawn
