"""Chapter 18's exercises: checkpoints printed in the page, and numbers from outside."""

import numpy as np
import pytest

from compecon.exercises.catalogue import find_exercise
from compecon.live import InstrumentStrength


@pytest.mark.parametrize(("number", "arguments", "value"), [
    ("18.3", (np.array([1.0, 3.0]), np.ones((2, 1)), np.ones((2, 1)), np.array([1.0, 3.0])), [1.5]),
    ("18.4", (np.array([1.0, 0.0]), np.ones(2), np.array([1.0, 0.0])), np.sqrt(0.5)),
])  # fmt: skip
def test_an_implemented_solution_meets_the_checkpoint_in_the_book(number, arguments, value):
    np.testing.assert_allclose(find_exercise(number).solution(*arguments), value, rtol=1e-12)


def test_the_bound_is_the_figures():
    assert find_exercise("18.2").solution() == pytest.approx(0.13416407864998738, rel=1e-12)  # 3 / sqrt(500)
    found = InstrumentStrength(n=500, strength=0.1).outputs()
    assert find_exercise("18.2").solution() == pytest.approx(found["bound"][list(found["grid"]).index(0.1)], rel=1e-12)


def test_the_optimal_estimator_spreads_less_than_its_mistakes_that_are_consistent():
    exercise, rng = find_exercise("18.3"), np.random.default_rng(0)
    samples = [exercise.draw(rng) for _ in range(400)]
    spreads = [np.std([f(*sample)[1] for sample in samples])
               for f in (exercise.solution, exercise.mistakes[0].answer, exercise.mistakes[1].answer)]
    assert spreads[0] < 0.95 * spreads[2] < 0.95 * spreads[1]


def test_the_standard_error_is_the_spread_of_the_estimates_where_the_instrument_is_strong():
    exercise, rng = find_exercise("18.4"), np.random.default_rng(1)
    samples = [exercise.draw(rng) for _ in range(2000)]
    spread = np.subtract(*np.quantile([(h @ y) / (h @ p) for y, p, h in samples], [0.75, 0.25])) / 1.349
    said = np.median([exercise.solution(*sample) for sample in samples])
    assert said == pytest.approx(spread, rel=0.08)
    # The second stage's residual is alpha v + xi, and here the two offset each other.
    assert np.median([exercise.mistakes[0].answer(*sample) for sample in samples]) < 0.85 * spread


def test_the_mistakes_of_the_cereal_exercises_are_the_reference_numbers():
    # reference/nevo.json, solve_1 and solve_2: beta and its standard errors.
    exercise, last = find_exercise("18.5"), find_exercise("18.6")
    assert exercise.mistakes[1].answer() == pytest.approx(14.80321435412756, rel=1e-6)
    assert exercise.mistakes[0].answer() == pytest.approx(4.526847984108782, rel=1e-6)
    assert exercise.solution() < 4
    assert last.mistakes[0].answer() == pytest.approx(-31.40334175289444, rel=1e-6)
    assert -32 < last.solution() < -31.5


def test_the_right_prediction_is_what_the_figure_shows():
    few, many = (InstrumentStrength(extras=extras).read() for extras in (0, 30))
    assert many["raw_spread"] < few["raw_spread"] and many["raw_bias"] > few["raw_bias"] + 0.2
    assert find_exercise("18.1").solution() == "falls"
