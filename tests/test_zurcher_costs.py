"""Cost functions: Rust's Table VIII, and a user's own cost from its check to its estimate."""

import numpy as np
import pytest
from zurcher_fixtures import assert_solves

from compecon import zurcher
from compecon.errors import ParameterError

# Rust's costs


@pytest.mark.parametrize("cost", list(zurcher.COSTS.values()), ids=list(zurcher.COSTS))
def test_the_derivatives_of_every_cost_pass_its_own_check(cost):
    theta1 = np.linspace(0.4, 0.9, len(cost.param_names))
    cost.check(60, theta1)
    x = np.arange(60.0)
    assert cost.gradient(x, theta1).shape == (theta1.size, 60)
    assert cost.hessian(x, theta1).shape == (theta1.size, theta1.size, 60)


def test_the_costs_are_those_of_rusts_table_viii():
    x = np.array([0.0, 1.0, 50.0, 89.0])
    grid = np.arange(90.0)
    rows = {
        ("linear", (2.0,)): 2e-3 * x,
        ("quadratic", (2.0, 3.0)): 2e-3 * x + 3e-5 * x**2,
        ("cubic", (2.0, 3.0, 4.0)): 2e-3 * x + 3e-5 * x**2 + 4e-7 * x**3,
        ("sqrt", (2.0,)): 2e-2 * np.sqrt(x + 1),
        ("hyperbolic", (2.0,)): 0.2 / (91 - (x + 1)),
        ("mixed", (2.0, 3.0)): 0.2 / (91 - (x + 1)) + 3e-2 * np.sqrt(x + 1),
        ("power", (2.0, 0.7)): 2.0 * (x + 1) ** 0.7,
    }
    for (name, theta1), expected in rows.items():
        values = zurcher.COSTS[name].value(grid, np.array(theta1))
        assert np.allclose(values[x.astype(int)], expected, rtol=1e-13), name


# A user's own cost


def saturating(gradient=None, hessian=None, value=None, start=(0.3, 0.05)):
    """A user's cost, theta11 (1 - exp(-theta12 x)), with parts to be replaced by wrong ones."""

    def own_value(x, t):
        return t[0] * (1 - np.exp(-t[1] * x))

    def own_gradient(x, t):
        return np.array([1 - np.exp(-t[1] * x), t[0] * x * np.exp(-t[1] * x)])

    def own_hessian(x, t):
        cross = x * np.exp(-t[1] * x)
        return np.array([[0 * x, cross], [cross, -t[0] * x * cross]])

    return zurcher.Cost(
        "saturating",
        ("theta11", "theta12"),
        value or own_value,
        gradient or own_gradient,
        hessian or own_hessian,
        start,
    )


def forgets_theta11(x, t):
    return np.array([1 - np.exp(-t[1] * x), x])


def test_a_users_own_cost_is_estimated_end_to_end():
    model = zurcher.ZurcherModel(30, 0.95, saturating())
    truth = zurcher.Params(4.0, [2.0, 0.15], [0.3, 0.7])
    assert_solves(model.solve(truth))
    panel = zurcher.simulate(model, truth, n_buses=400, n_periods=200, seed=5)
    data = zurcher.discretize(panel, n_states=30, groups=None, increments="model")
    fit = zurcher.nfxp(model, data, start=[3.0, 1.0, 0.1])
    assert fit.converged
    assert list(fit.params.index) == ["RC", "theta11", "theta12", "theta30"]
    assert (np.abs(fit.params - [4.0, 2.0, 0.15, 0.3]) <= 4 * fit.bse).all()
    assert np.allclose(fit.bse, fit.standard_errors("hessian"), rtol=0.1)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"gradient": forgets_theta11},
            "gradient .* in theta12 differs from a central difference .* correct the derivative",
        ),
        ({"gradient": lambda x, t: np.ones(x.size)}, r"gradient .* has shape \(100,\); .* it must be \(2, 100\)"),
        ({"hessian": lambda x, t: np.zeros((2, 2, x.size))}, "hessian of cost 'saturating' in theta1"),
        ({"hessian": lambda x, t: np.zeros((2, x.size))}, r"hessian .* has shape \(2, 100\); .* \(2, 2, 100\)"),
        ({"gradient": lambda x, t: np.full((2, x.size), np.nan)}, "differs from a central difference by nan"),
    ],
)
def test_a_users_wrong_derivative_is_caught_before_the_estimation(parts, message, bus_data):
    model = zurcher.ZurcherModel(175, 0.9, saturating(**parts))
    with pytest.raises(ParameterError, match=message):
        zurcher.nfxp(model, bus_data((4,), 175))


def test_a_users_cost_of_the_wrong_shape_and_a_wrong_number_of_starts_are_errors():
    scalar = zurcher.ZurcherModel(20, 0.9, saturating(value=lambda x, t: 1.0))
    with pytest.raises(ParameterError, match=r"must give 20 finite values, one a state; it gives shape \(1?,?\)"):
        scalar.solve(zurcher.Params(1.0, [1.0, 1.0], [0.5, 0.5]))
    with pytest.raises(ParameterError, match="names 2 parameters .* and has 1 starting values"):
        saturating(start=(1.0,))
