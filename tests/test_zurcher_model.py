"""`Params` and `ZurcherModel`: what they keep, and what they refuse with what to do."""

import numpy as np
import pytest

from compecon import zurcher
from compecon.errors import ParameterError


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_states": 1}, "n_states = 1; it must be an integer of at least 2"),
        ({"n_states": 90.0}, "n_states = 90.0; it must be an integer"),
        ({"n_states": True}, "n_states = True"),
        ({"discount": 1}, r"discount = 1; it must lie in \[0, 1\)"),
        ({"discount": 1.0 - 1e-12}, r"it must lie in \[0, 1\), and at most 1 - 1e-8"),
        ({"discount": -0.1}, "discount = -0.1"),
        ({"discount": np.nan}, "discount = nan"),
        ({"discount": "high"}, "discount = 'high' is not a number"),
        (
            {"cost": "linaer"},
            "unknown cost 'linaer'; choose one of linear, quadratic, cubic, sqrt, hyperbolic, mixed, power",
        ),
        ({"cost": ["linear"]}, "unknown cost .*; choose one of linear"),
        ({"cost": None}, "unknown cost None"),
    ],
)
def test_a_wrong_model_is_refused_with_what_to_do(arguments, message):
    with pytest.raises(ParameterError, match=message):
        zurcher.ZurcherModel(**arguments)


@pytest.mark.parametrize(
    ("RC", "theta1", "theta3", "message"),
    [
        (1.0, [1.0], [0.3, 0.6], "sums to 0.9; the J probabilities must sum to 1. Give the last one too"),
        (1.0, [1.0], [1.2, -0.2], "holds no or negative probabilities"),
        (1.0, [1.0], [], "holds no or negative probabilities"),
        (np.nan, [1.0], [1.0], "RC = nan is not finite"),
        (1.0, [np.inf], [1.0], "theta1 = .*inf.* is not finite"),
        (1.0, [1.0], [0.5, np.nan], "theta3 = .* is not finite"),
        ("ten", [1.0], [1.0], "RC must be a number, theta1 and theta3 lists of numbers"),
        (1.0, [[1.0], [2.0]], [1.0], "theta1 and theta3 are vectors; found 2 and 1 dimensions"),
        (1.0, [1.0], [[0.5, 0.5]], "theta1 and theta3 are vectors; found 1 and 2 dimensions"),
    ],
)
def test_wrong_parameters_are_refused_with_what_was_found(RC, theta1, theta3, message):
    with pytest.raises(ParameterError, match=message):
        zurcher.Params(RC, theta1, theta3)


def test_params_keep_their_own_copy_normalise_rounding_and_have_a_short_repr():
    theta3 = np.array([0.25, 0.75 + 3e-9])
    params = zurcher.Params(1, 2, theta3)
    assert params.theta3.sum() == pytest.approx(1, abs=1e-15)
    assert theta3[1] == 0.75 + 3e-9
    assert repr(params) == "Params(RC=1, theta1=[2], theta3=[0.25, 0.75])"
    assert repr(zurcher.Params(1, 2, np.full(8, 0.125))).endswith("0.125, 0.125, ...])")


def test_theta1_of_the_wrong_length_names_the_costs_parameters():
    model = zurcher.ZurcherModel(20, 0.9, "quadratic")
    with pytest.raises(
        ParameterError, match=r"theta1 has shape \(1,\); cost 'quadratic' has the parameters .*theta11.*theta12"
    ):
        model.solve(zurcher.Params(1.0, [1.0], [0.5, 0.5]))


def test_a_cost_that_overflows_is_an_error_before_anything_is_solved():
    model = zurcher.ZurcherModel(50, 0.9, "power")
    with pytest.raises(
        ParameterError, match="must give 50 finite values, one a state; it gives shape .50,. with [0-9]+ that are not"
    ):
        model.solve(zurcher.Params(1.0, [1.0, 400.0], [0.5, 0.5]))
