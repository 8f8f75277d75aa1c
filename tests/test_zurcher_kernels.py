"""The structured kernels of Rust's model against dense twins, and its derivatives against complex steps."""

import numpy as np
import pytest
from zurcher_fixtures import EPS, choices_twin, dense_transitions, fixed_point_twin, gamma_prime

from compecon import zurcher
from compecon.zurcher import kernels
from compecon.zurcher.dense import bellman_dense, newton_dense, transition_matrix

SIZES = [(2, 1), (2, 2), (2, 6), (3, 5), (5, 6), (6, 6), (7, 3), (40, 1), (40, 4), (90, 6)]  # n, J


def draw(n, n_categories, seed=0):
    """A random policy, mileage distribution, cost and value function."""
    rng = np.random.default_rng([seed, n, n_categories])
    replace = rng.uniform(0, 1, n) ** 4
    return {
        "keep": 1 - replace, "replace": replace, "p": rng.dirichlet(np.ones(n_categories)),
        "cost": np.cumsum(rng.exponential(0.1, n)), "ev": -np.cumsum(rng.exponential(0.2, n)),
        "rhs": rng.normal(size=n),
    }  # fmt: skip


def solve_newton(keep, replace, p, discount, rhs):
    """(I - Gamma')^-1 rhs by the structured kernels; also 1 / T(x, x), and (1 - discount) T^-1 1."""
    pivot, unit, out = np.empty((3, keep.size))
    kernels.factor(replace, p, discount, pivot)
    kernels.solve_factored(keep, p, discount, pivot, rhs, unit, out)
    return out, pivot, unit


# The Bellman operator and Newton's step


@pytest.mark.parametrize(("n", "n_categories"), SIZES)
def test_expect_is_a_product_with_the_dense_transition_matrix(n, n_categories):
    policy, out = draw(n, n_categories), np.empty(n)
    kernels.expect(policy["ev"], policy["p"], out)
    assert np.allclose(out, dense_transitions(policy["p"], n) @ policy["ev"], rtol=1e-13, atol=1e-13)
    assert np.array_equal(transition_matrix(policy["p"], n), dense_transitions(policy["p"], n))


@pytest.mark.parametrize(("RC", "discount"), [(0.0, 0.0), (3.0, 0.9), (800.0, 0.9999), (-5.0, 0.5)])
def test_choose_is_the_textbook_logit(RC, discount):
    policy, (keep, replace, logsum) = draw(50, 3), np.empty((3, 50))
    kernels.choose(policy["ev"], policy["cost"], RC, discount, keep, replace, logsum)
    twin = choices_twin(policy["ev"], policy["cost"], RC, discount)
    for value, expected in zip((keep, replace, logsum), twin, strict=True):
        assert np.allclose(value, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.9999, 0.999999])
@pytest.mark.parametrize(("n", "n_categories"), SIZES)
def test_the_structured_newton_step_is_the_dense_solve(n, n_categories, discount):
    for seed in range(5):
        policy = draw(n, n_categories, seed)
        out, _, _ = solve_newton(policy["keep"], policy["replace"], policy["p"], discount, policy["rhs"])
        derivative = gamma_prime(policy["keep"], policy["replace"], dense_transitions(policy["p"], n), discount)
        expected = np.linalg.solve(np.eye(n) - derivative, policy["rhs"])
        # The dense matrix has a condition number of about 1/(1 - discount); the structured solve has none.
        assert np.abs(out - expected).max() <= max(1e-12, 100 * EPS / (1 - discount)) * np.abs(expected).max()


def test_pivot_and_unit_are_the_parts_of_the_triangle_that_their_docstrings_name():
    policy = draw(9, 4)
    _, pivot, unit = solve_newton(policy["keep"], policy["replace"], policy["p"], 0.9, policy["rhs"])
    T = np.eye(9) - 0.9 * dense_transitions(policy["p"], 9) * policy["keep"]
    assert np.allclose(T, np.triu(T))
    assert np.allclose(1 / pivot, np.diag(T), rtol=1e-13)
    assert np.allclose(unit, 0.1 * np.linalg.solve(T, np.ones(9)), rtol=1e-12)
    assert (unit > 0).all() and (unit <= 1 + 1e-15).all()


def test_the_newton_step_loses_no_digit_at_discount_one_minus_1e_6_to_a_difference_near_one():
    mpmath = pytest.importorskip("mpmath")
    policy, discount = draw(12, 3), 0.999999
    replace = policy["replace"] * 1e-6
    out, _, _ = solve_newton(1 - replace, replace, policy["p"], discount, policy["rhs"])
    with mpmath.workdps(40):
        p = [mpmath.mpf(float(value)) for value in policy["p"]]
        p[-1] = 1 - sum(p[:-1])
        matrix = mpmath.eye(12)
        for x in range(12):
            for j, probability in enumerate(p):
                y = min(x + j, 11)
                matrix[x, y] -= mpmath.mpf(discount) * probability * (1 - mpmath.mpf(float(replace[y])))
                matrix[x, 0] -= mpmath.mpf(discount) * probability * mpmath.mpf(float(replace[y]))
        exact = mpmath.lu_solve(matrix, mpmath.matrix([mpmath.mpf(float(value)) for value in policy["rhs"]]))
        exact = np.array([float(value) for value in exact])
    assert np.abs(out - exact).max() <= 1e-12 * np.abs(exact).max()


# Iterations


@pytest.mark.parametrize(("n", "n_categories"), SIZES)
def test_newton_takes_the_steps_of_its_dense_twin(n, n_categories):
    policy, work, steps = draw(n, n_categories), np.empty((7, n)), np.empty(50)
    ev = np.zeros(n)
    n_iter = kernels.newton(ev, policy["cost"], policy["p"], 4.0, 0.99, 1e-12, 50, steps, work)
    Pi = transition_matrix(policy["p"], n)
    expected, expected_steps = newton_dense(np.zeros(n), policy["cost"], Pi, 4.0, 0.99, 1e-12, 50)
    assert n_iter == expected_steps.size
    assert np.allclose(ev, expected, rtol=1e-12)
    assert np.allclose(steps[:n_iter], expected_steps, rtol=1e-6, atol=1e-12)


def test_contract_repeats_the_bellman_operator_and_stops_at_the_ratio_it_is_told():
    policy, work, steps = draw(25, 3), np.empty((7, 25)), np.empty(40)
    ev = np.zeros(25)
    assert kernels.contract(ev, policy["cost"], policy["p"], 4.0, 0.95, 0.0, 0.0, 40, steps, work) == 40
    twin, changes = np.zeros(25), []
    Pi = dense_transitions(policy["p"], 25)
    for _ in range(40):
        update = Pi @ choices_twin(twin, policy["cost"], 4.0, 0.95)[2]
        changes.append(np.abs(update - twin).max())
        assert steps[len(changes) - 1] == pytest.approx(
            0.95 / 0.05 * changes[-1] / max(1, np.abs(update).max()), rel=1e-10
        )
        twin = update
    assert np.allclose(ev, twin, rtol=1e-12)
    ratios = np.abs(np.divide(changes[1:], changes[:-1]) - 0.95)
    n_sweeps = kernels.contract(np.zeros(25), policy["cost"], policy["p"], 4.0, 0.95, 0.0, 0.02, 40, steps, work)
    assert n_sweeps == 2 + int(np.argmax(ratios <= 0.02))


# Derivatives


def test_bellman_is_the_dense_operator_and_its_frechet_derivative_that_of_a_complex_step():
    policy = draw(8, 3)
    model = zurcher.ZurcherModel(8, 0.97)
    params = zurcher.Params(2.0, [300.0], policy["p"])
    cost, Pi = model.costs(params.theta1), transition_matrix(policy["p"], 8)
    image, derivative, _ = bellman_dense(policy["ev"], cost, Pi, 2.0, 0.97)
    assert np.allclose(model.bellman(policy["ev"], params), image, rtol=1e-13)
    for y in range(8):
        shifted = policy["ev"].astype(complex)
        shifted[y] += 1e-30j
        column = (Pi @ choices_twin(shifted, cost, 2.0, 0.97)[2]).imag / 1e-30
        assert np.allclose(derivative[:, y], column, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("n_categories", [2, 3, 5])
def test_the_fixed_points_derivatives_are_those_of_a_complex_step(n_categories):
    n, discount = 20, 0.98
    p = np.random.default_rng(n_categories).dirichlet(np.ones(n_categories))
    model = zurcher.ZurcherModel(n, discount, "power")
    theta1 = np.array([0.05, 0.9])
    cost, dcost = model.costs(theta1), np.ascontiguousarray(model.cost.gradient(model.states, theta1))
    ev = model.solve(zurcher.Params(3.0, theta1, p)).ev
    free, n_params = np.arange(n_categories - 1.0), 3 + n_categories - 1
    dgap, dlogsum = np.empty((2, n_params, n))
    work = np.empty((7, n))
    kernels.choose(ev, cost, 3.0, discount, work[0], work[1], work[2])
    kernels.differentiate(dcost, p, free, n_categories - 1, discount, dgap, dlogsum, work)
    for k in range(n_params):
        point = np.concatenate(([3.0], theta1, p[:-1])).astype(complex)
        point[k] += 1e-30j
        shifted = model.cost.value(model.states, point[1:3])
        complex_p = np.append(point[3:], 1 - point[3:].sum())
        values = fixed_point_twin(shifted, complex_p, point[0], discount)
        gap = point[0] - (shifted - shifted[0]) + discount * (values - values[0])
        logsum = choices_twin(values, shifted, point[0], discount)[2]
        assert np.allclose(dgap[k], gap.imag / 1e-30, rtol=1e-9, atol=1e-10)
        assert np.allclose(dlogsum[k], logsum.imag / 1e-30, rtol=1e-9, atol=1e-10)
