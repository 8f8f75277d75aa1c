"""First stages against least squares with every dummy written out, and moment diagnostics against closed forms."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from compecon.blp.diagnostics import first_stage, moment_diagnostics
from compecon.blp.examples import cereal_logit
from compecon.blp.formulation import Formulation
from compecon.blp.problem import Problem
from compecon.errors import DataError, IdentificationWarning, ParameterError

# Prices are noise here.
pytestmark = pytest.mark.filterwarnings("ignore:.*like higher prices:compecon.errors.CompEconWarning")


def panel(seed=0, T=12, J=9):
    """T markets of J products in two groups of brands, with three instruments of which prices know two."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"market_ids": np.repeat(np.arange(T), J), "brand": np.tile(np.arange(J), T)})
    data["shares"] = rng.uniform(0.2, 1, T * J) / (J + 1)
    data["region"], data["x"] = rng.integers(0, 4, T * J), rng.uniform(size=T * J)
    for k in range(3):
        data[f"demand_instruments{k}"] = rng.normal(size=T * J) + data["x"]
    level = 3 + 0.4 * data["demand_instruments0"] - 0.2 * data["demand_instruments1"] + data["x"] + 0.1 * data["brand"]
    data["prices"] = level + rng.normal(size=T * J) * (0.5 + data["x"])
    return data


def dummies(codes):
    """(N, groups) zeros and ones."""
    return (np.asarray(codes)[:, None] == np.unique(codes)).astype(float)


def least_squares(y, excluded, others):
    """F, robust F (HC1), partial R2 and degrees of freedom of `excluded`, from the regression on all columns."""
    X = np.column_stack([excluded, others])
    rank, q = np.linalg.matrix_rank(X), excluded.shape[1]
    bread = np.linalg.pinv(X.T @ X)
    b = bread @ X.T @ y
    e, df = y - X @ b, len(y) - rank
    rss = np.sum((y - others @ np.linalg.lstsq(others, y, rcond=None)[0]) ** 2)
    V = (bread @ (X.T * e**2) @ X @ bread)[:q, :q] * len(y) / df
    f = (rss - e @ e) / q / (e @ e / df)
    return f, b[:q] @ np.linalg.solve(V, b[:q]) / q, 1 - e @ e / rss, (q, df)


@pytest.mark.parametrize(("formula", "absorb", "effects"), [
    ("1 + prices + x", None, []),
    ("0 + prices + I(prices**2) + x", "C(brand)", ["brand"]),
    ("0 + prices:x + prices + x", "C(brand) + C(region)", ["brand", "region"]),
    ("0 + prices + x", "C(brand) + C(region) + C(market_ids)", ["brand", "region", "market_ids"]),
])  # fmt: skip
def test_first_stages_are_those_of_least_squares_with_all_dummies(formula, absorb, effects):
    data = panel().sample(frac=1, random_state=1)
    stage = first_stage(Problem(Formulation(formula, absorb=absorb), data))
    columns = {"prices": data["prices"], "prices**2": data["prices"] ** 2, "prices*x": data["prices"] * data["x"]}
    others = np.column_stack([data["x"], np.ones(len(data)), *(dummies(data[name]) for name in effects)])
    excluded = data[[f"demand_instruments{k}" for k in range(3)]].to_numpy()
    assert (stage.n_excluded, stage.rank) == (3, 3)
    for k, name in enumerate(stage.names):
        f, robust, partial, df = least_squares(columns[name].to_numpy(), excluded, others)
        found = stage.f[k], stage.robust_f[k], stage.partial_r2[k]
        np.testing.assert_allclose(found, (f, robust, partial), rtol=1e-10)
        assert stage.df == df
    assert len(stage.names) == formula.count("prices")


def test_one_instrument_beside_a_constant_has_the_f_of_its_correlation():
    """F = (N - 2) r^2 / (1 - r^2)."""
    data = panel()[["market_ids", "shares", "prices", "demand_instruments0"]]
    stage = first_stage(Problem(Formulation("1 + prices"), data))
    r2 = np.corrcoef(data["prices"], data["demand_instruments0"])[0, 1] ** 2
    np.testing.assert_allclose(stage.partial_r2, r2, rtol=1e-11)
    np.testing.assert_allclose(stage.f, (len(data) - 2) * r2 / (1 - r2), rtol=1e-11)


def test_instruments_that_repeat_others_or_the_fixed_effects_do_not_count():
    data = panel()
    plain = first_stage(Problem(Formulation("0 + prices + x", absorb="C(brand)"), data))
    data["demand_instruments3"] = 1e3 * data["demand_instruments0"] - 2 * data["x"]
    data["demand_instruments4"] = 7.0 + data["brand"] ** 2
    data["demand_instruments5"] = 1e-7 * data["demand_instruments2"] + 1e-7 * data["demand_instruments1"]
    with pytest.warns(IdentificationWarning):
        problem = Problem(Formulation("0 + prices + x", absorb="C(brand)"), data)
    more = first_stage(problem)
    assert (more.n_excluded, more.rank, more.df) == (6, 3, plain.df)
    np.testing.assert_allclose([more.f, more.robust_f], [plain.f, plain.robust_f], rtol=1e-8)


def test_fixed_effects_that_fall_into_separate_worlds_cost_fewer_degrees_of_freedom():
    """Brands 0 to 4 sell only in regions 0 and 1, the others only in 2 and 3: 9 + 4 - 2 dummies are independent."""
    data = panel()
    data["region"] = data["region"] % 2 + 2 * (data["brand"] > 4)
    stage = first_stage(Problem(Formulation("0 + prices + x", absorb="C(brand) + C(region)"), data))
    rank = np.linalg.matrix_rank(np.column_stack([dummies(data["brand"]), dummies(data["region"])]))
    assert rank == 11
    assert stage.df == (3, len(data) - rank - 1 - 3)


def test_the_first_stage_of_the_cereal_data_counts_their_24_brands():
    stage = first_stage(cereal_logit().problem)
    assert stage.names == ("prices",)
    assert stage.df == (20, 2256 - 24 - 20)
    assert "First Stage:" in repr(stage) and "20, 2212" in repr(stage)
    assert "<td>20, 2212</td>" in stage._repr_html_()


def test_without_prices_or_instruments_there_is_no_first_stage():
    data = panel()
    with pytest.raises(ParameterError, match="no column of X1 is made from prices"):
        first_stage(Problem(Formulation("1 + x"), data))
    bare = data.drop(columns=[f"demand_instruments{k}" for k in range(3)])
    with pytest.raises(DataError, match="0 excluded instruments of rank 0"):
        first_stage(Problem(Formulation("1 + prices + x"), bare))
    with pytest.raises(DataError, match="leave 0 degrees of freedom"):
        first_stage(Problem(Formulation("1 + prices + x"), data[:5]))


def solved(data, **options):
    """A plain logit with one more moment than parameters: 1, x and three instruments for 1, prices and x."""
    return Problem(Formulation("1 + prices + x"), data).solve(**options)


def test_hansen_s_test_after_two_steps_has_the_p_value_of_chi_squared_with_two_degrees_of_freedom():
    """P(J > j) = exp(-j / 2) there."""
    results = solved(panel(), method="2s")
    found = moment_diagnostics(results)
    products, xi = results.problem.sorted_products, results.problem.to_market_order(results.xi)
    Z = products.ZD
    first = results.last_results
    before = results.problem.to_market_order(first.xi) * Z
    S = np.cov(before, rowvar=False, ddof=0)
    g = Z.T @ xi / len(Z)
    np.testing.assert_allclose(found.j, (len(Z) * g.T @ np.linalg.inv(S) @ g).item(), rtol=1e-9)
    assert (found.n_moments, found.n_parameters, found.df, found.rank) == (5, 3, 2, 3)
    assert found.p_value == pytest.approx(np.exp(-found.j / 2), rel=1e-12)
    assert "p-value" in repr(found)


def test_one_step_gives_no_p_value_and_says_why():
    found = moment_diagnostics(solved(panel(), method="1s"))
    assert found.p_value is None and found.df == 2
    assert "p-value" not in repr(found) and "W is not efficient" in repr(found)
    assert "W is not efficient" in found._repr_html_()


def test_as_many_moments_as_parameters_test_nothing():
    found = moment_diagnostics(solved(panel().drop(columns=["demand_instruments1", "demand_instruments2"])))
    assert found.df == 0 and found.p_value is None and found.j < 1e-15
    assert "J tests nothing" in repr(found)


def test_singular_values_do_not_depend_on_units_and_are_those_of_the_scaled_information():
    results = solved(panel())
    found = moment_diagnostics(results)
    information = results.moments_jacobian.T @ results.W @ results.moments_jacobian
    scale = 1 / np.sqrt(np.diag(information))
    expected = np.sqrt(np.linalg.eigvalsh(information * np.outer(scale, scale))[::-1])
    np.testing.assert_allclose(found.singular_values, expected, rtol=1e-8)
    data = panel()
    data["demand_instruments1"] *= 1e4
    data["prices"] *= 1e-3
    rescaled = moment_diagnostics(solved(data))
    np.testing.assert_allclose(rescaled.singular_values, found.singular_values, rtol=1e-6)
    assert rescaled.weakest == found.weakest


def test_parameters_that_move_the_moments_alike_lower_the_rank_and_are_named():
    results = solved(panel())
    G = results.moments_jacobian.copy()
    G[:, 2] = 2 * G[:, 0]
    found = moment_diagnostics(dataclasses.replace(results, moments_jacobian=G))
    assert found.rank == 2 and found.weakest in ("1", "x")
    assert found.singular_values.shape == (3,) and found.singular_values[-1] < 1e-10 * found.singular_values[0]


def test_fewer_moments_than_parameters_have_a_direction_that_nothing_moves():
    results = solved(panel())
    G = np.array([[1.0, 0.0, 0.1], [0.0, 1.0, 0.1]])
    found = moment_diagnostics(dataclasses.replace(results, moments_jacobian=G, W=np.eye(2)))
    assert (found.rank, found.df, found.weakest) == (2, -1, "x")
    assert found.singular_values.shape == (3,) and found.singular_values[-1] == 0


def test_the_weakest_direction_lies_in_the_most_collinear_pair_not_where_moments_move_most():
    """Gram matrix of three columns with correlation 0.6, whose largest eigenvalue is 2.2, and of two with 0.7: 0.3."""
    results = Problem(Formulation("1 + prices + x + brand + region"), panel()).solve(method="1s")
    gram = np.eye(5)
    gram[:3, :3] += 0.6 * (1 - np.eye(3))
    gram[3, 4] = gram[4, 3] = 0.7
    changes = {"moments_jacobian": np.linalg.cholesky(gram).T, "W": np.eye(5)}
    found = moment_diagnostics(dataclasses.replace(results, **changes))
    np.testing.assert_allclose(found.singular_values**2, [2.2, 1.7, 0.4, 0.4, 0.3], rtol=1e-12)
    assert found.weakest in ("brand", "region")
