"""Options outside their domain are refused where they are given, with the value found and what is allowed."""

import numpy as np
import pytest

from compecon import zurcher
from compecon._options import one_of, positive, positive_integer, share, vector
from compecon.errors import DataError, ParameterError
from compecon.likelihood import bhhh, examples

MODEL = zurcher.ZurcherModel(30, 0.99)
PARAMS = zurcher.Params(6.0, [3.0], [0.4, 0.6])


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3", None, np.nan])
def test_a_positive_integer_is_nothing_else(value):
    with pytest.raises(ParameterError, match="n = .*; it must be an integer of at least 1"):
        positive_integer(value, "n")


@pytest.mark.parametrize("value", [0, -1.0, np.inf, np.nan, True, "1"])
def test_a_positive_number_is_finite(value):
    with pytest.raises(ParameterError, match="tol = .*; it must be a finite number above 0"):
        positive(value, "tol")


@pytest.mark.parametrize("value", [0, 1, 95, np.nan, "0.9", True])
def test_a_share_lies_strictly_inside(value):
    with pytest.raises(ParameterError, match="level = .*; it must lie strictly between 0 and 1"):
        share(value, "level")


@pytest.mark.parametrize("value", ["bhh", None, ["bhhh"]])
def test_a_misspelt_name_lists_the_right_ones(value):
    with pytest.raises(ParameterError, match="unknown optimizer .*; choose one of 'bhhh', 'newton'"):
        one_of(value, ("bhhh", "newton"), "optimizer")


def test_good_values_come_back():
    assert positive_integer(np.int64(3), "n") == 3
    assert positive(1, "tol") == 1.0
    assert share(0.9, "level") == 0.9
    assert one_of("a", ("a", "b"), "letter") == "a"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: zurcher.simulate(MODEL, PARAMS, 5, 5, 1, max_mileage=0),
            "max_mileage = 0; it must be a finite number",
        ),
        (lambda: zurcher.simulate(MODEL, PARAMS, 5, 0, 1), "n_periods = 0; it must be an integer"),
        (lambda: zurcher.counterfactual(MODEL, PARAMS, n_buses=-3, RC=4.0), "n_buses = -3; it must be an integer"),
        (lambda: MODEL.solve(PARAMS, max_iter=True), "max_iter = True; it must be an integer"),
        (lambda: MODEL.solve((6.0, 3.0)), "pass zurcher.Params"),
        (lambda: bhhh(examples.Poisson([1, 2]), [1.0], tol=0), "tol = 0; it must be a finite number"),
        (lambda: bhhh(examples.Poisson([1, 2]), [1.0], max_iter=0), "max_iter = 0; it must be an integer"),
    ],
)
def test_functions_refuse_bad_options(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


@pytest.mark.parametrize(
    ("values", "message"), [(["a"], "numbers"), ([], "at least one"), ([[1.0]], "list"), ([np.inf], "finite")]
)
def test_a_vector_is_a_list_of_finite_numbers(values, message):
    with pytest.raises(ParameterError, match=message):
        vector(values, "x")


def test_a_vector_is_a_copy():
    values = np.ones(3)
    assert vector(values, "x") is not values
    np.testing.assert_array_equal(vector(2, "x"), [2.0])


def test_nfxp_says_what_it_wants_when_its_arguments_are_something_else(bus_panel, bus_data):
    model, data = zurcher.ZurcherModel(90, 0.9999), bus_data((4,), 90)
    with pytest.raises(DataError, match="data is a DataFrame; pass zurcher.discretize"):
        zurcher.nfxp(model, bus_panel)
    with pytest.raises(ParameterError, match="the first argument is a BusData"):
        zurcher.nfxp(data, model)
    with pytest.raises(ParameterError, match="params is a NFXPEstimate; .* fit.as_params"):
        model.solve(zurcher.nfxp(model, data))
    with pytest.raises(TypeError, match="stepp"):
        zurcher.nfxp(model, data, "transitions", stepp="unit")


def test_a_start_may_be_params(bus_data):
    model, data = zurcher.ZurcherModel(90, 0.9999), bus_data((4,), 90)
    first = zurcher.nfxp(model, data)
    again = zurcher.nfxp(model, data, start=first.as_params())
    assert again.maximum.n_iter < first.maximum.n_iter
    np.testing.assert_array_equal(again.maximum.path[0, :2], first.theta[:2])
