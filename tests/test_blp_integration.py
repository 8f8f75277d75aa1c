"""Integration rules against pyblp's nodes, moments of the normal distribution and known expectations."""

import numpy as np
import pytest
from scipy.special import ndtr

from compecon.blp.integration import Integration
from compecon.errors import ParameterError

RULES = [
    ("product", 1, {}), ("product", 5, {}), ("product", 6, {}), ("monte_carlo", 50, {"seed": 3}),
    ("halton", 50, {"seed": 3}), ("halton", 50, {"scramble": False}), ("halton", 7, {"seed": 1, "discard": 0}),
    ("lhs", 50, {"seed": 3}), ("mlhs", 50, {"seed": 3}),
]
RANDOM = ["monte_carlo", "halton", "sobol", "lhs", "mlhs"]


@pytest.mark.parametrize(("specification", "size", "options"), RULES)
def test_nodes_and_weights_are_pyblps_for_one_set_and_for_many_markets(specification, size, options):
    pyblp = pytest.importorskip("pyblp")
    ours, theirs = (kind(specification, size, options) for kind in (Integration, pyblp.Integration))
    for mine, other in zip(ours.build(3), theirs._build(3), strict=True):
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-12)
    markets = np.array(["a", "b", "c"])
    (ids, *mine), (other_ids, *other) = ours.build_many(2, markets), theirs._build_many(2, markets)
    assert ids.tolist() == other_ids.tolist()
    for values, expected in zip(mine, other, strict=True):
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_a_product_rule_gets_all_moments_up_to_degree_two_size_minus_one(size):
    (nodes, weights), moment = Integration("product", size).build(1), 1.0
    for degree in range(0, 2 * size, 2):
        moment *= max(1, degree - 1)
        assert weights @ nodes[:, 0] ** degree == pytest.approx(moment, rel=1e-12)
        if degree:
            odd = weights @ nodes[:, 0] ** (degree - 1)
            assert abs(odd) <= 1e-13 * (weights @ np.abs(nodes[:, 0]) ** (degree - 1))
    degree = 2 * size
    assert weights @ nodes[:, 0] ** degree != pytest.approx(moment * (degree - 1), rel=1e-9), "and not the next one"


def test_a_product_rule_of_fifty_nodes_keeps_the_tails_to_relative_accuracy():
    nodes, weights = Integration("product", 50).build(1)
    # Largest root of He_50 and its weight 1 / (50 h_49^2), h orthonormal: Newton steps in mpmath with 60 digits.
    assert nodes[-1, 0] == pytest.approx(12.985884455415557341, rel=1e-14, abs=0)
    assert weights[-1] == pytest.approx(1.0346075005769982122e-37, rel=1e-12, abs=0)
    # E exp(3 nu) = exp(9/2).
    assert weights @ np.exp(3 * nodes[:, 0]) == pytest.approx(np.exp(4.5), rel=1e-13)


def test_the_last_dimension_of_a_product_rule_varies_fastest():
    nodes, weights = Integration("product", 3).build(2)
    r = np.sqrt(3)
    assert nodes == pytest.approx(np.array([(x, y) for x in (-r, 0, r) for y in (-r, 0, r)]), abs=1e-15)
    assert weights == pytest.approx(np.outer([1, 4, 1], [1, 4, 1]).ravel() / 36, rel=1e-14)


@pytest.mark.parametrize(("specification", "bound"), [
    # Monte Carlo's standard error at 4,096 draws is sd / 64: here 1.3 / 64 = 0.02.
    ("monte_carlo", 0.06), ("lhs", 0.01), ("mlhs", 0.01), ("halton", 0.01), ("sobol", 0.003),
])
def test_the_expectation_of_exp_is_met_to_a_stated_bound(specification, bound):
    nodes, weights = Integration(specification, 4096, {"seed": 0}).build(3)
    values = np.exp(nodes @ [0.5, -0.4, 0.3])
    assert np.isfinite(nodes).all()
    assert weights @ values == pytest.approx(np.exp((0.25 + 0.16 + 0.09) / 2), abs=bound)


@pytest.mark.parametrize("specification", RANDOM)
def test_each_market_has_draws_of_its_own_that_the_seed_fixes(specification):
    rule = Integration(specification, 64, {"seed": 5})
    ids, nodes, weights = rule.build_many(2, ["a", "b", "c"])
    assert ids.tolist() == ["a"] * 64 + ["b"] * 64 + ["c"] * 64
    assert weights.tolist() == [1 / 64] * 192
    assert len(np.unique(nodes, axis=0)) == 192
    assert np.array_equal(nodes, rule.build_many(2, ["a", "b", "c"])[1])
    assert np.array_equal(nodes[:64], rule.build(2)[0]), "the stream starts with the first market"
    assert not np.array_equal(nodes, Integration(specification, 64, {"seed": 6}).build_many(2, ["a", "b", "c"])[1])


@pytest.mark.parametrize("specification", ["sobol", "lhs"])
def test_each_market_s_stretch_has_one_point_in_each_of_its_equal_slices(specification):
    _, nodes, _ = Integration(specification, 32, {"seed": 1}).build_many(2, range(5))
    slices = np.sort(np.floor(ndtr(nodes) * 32).reshape(5, 32, 2), axis=1)
    assert np.array_equal(slices, np.broadcast_to(np.arange(32)[:, None], slices.shape))


def test_sobol_points_are_middles_of_cells_so_that_none_has_an_infinite_quantile():
    nodes, _ = Integration("sobol", 256, {"seed": 2}).build(2)
    np.testing.assert_allclose(ndtr(nodes) * 2**30 % 1, 0.5, atol=1e-4)


def test_a_sobol_rule_of_any_size_is_finite_and_silent():
    _, nodes, weights = Integration("sobol", 7, {"seed": 0}).build_many(4, range(3))
    assert nodes.shape == (21, 4)
    assert np.isfinite(nodes).all()
    assert weights[:7].sum() == pytest.approx(1, abs=1e-15)
    assert Integration("sobol", 1, {"seed": 0}).build(1)[0].shape == (1, 1)


@pytest.mark.parametrize(("arguments", "message"), [
    (("gauss", 5), "unknown specification 'gauss'; choose one of 'product', 'monte_carlo', 'halton', 'sobol', 'lhs'"),
    ((None, 5), "unknown specification None"),
    (("product", 0), "size = 0; it must be an integer of at least 1"),
    (("product", 2.5), r"size = 2\.5"),
    (("product", 5, {"seed": 0}), "unknown option 'seed' of the specification 'product'; it has none"),
    (("halton", 5, {"sead": 0}), "unknown option 'sead' .*'halton'; choose one of 'seed', 'discard', 'scramble'"),
    (("sobol", 5, {"discard": 0}), "unknown option 'discard' .*'sobol'; choose one of 'seed'"),
    (("halton", 5, 17), r"specification_options = 17; it must be a dict like \{'seed': 0\}"),
    (("monte_carlo", 5, {"seed": 0.5}), r"seed = 0\.5; it must be an integer of at least 0"),
    (("halton", 5, {"discard": -1}), "discard = -1; it must be an integer of at least 0"),
    (("halton", 5, {"discard": 0, "scramble": False}), "discard = 0; it must be an integer of at least 1"),
    (("halton", 5, {"scramble": "no"}), "scramble = 'no'; it must be True or False"),
])
def test_a_wrong_argument_is_an_error_that_lists_what_is_valid(arguments, message):
    with pytest.raises(ParameterError, match=message):
        Integration(*arguments)


def test_dimensions_are_a_positive_integer():
    with pytest.raises(ParameterError, match="dimensions = 0; it must be an integer of at least 1"):
        Integration("product", 3).build(0)


def test_options_are_completed_by_defaults_and_the_caller_s_dict_is_left_alone():
    mine = {"seed": 4}
    rule = Integration("halton", 9, mine)
    assert rule.specification_options == {"seed": 4, "discard": 1000, "scramble": True}
    mine["seed"] = 5
    assert rule == Integration("halton", 9, {"seed": 4})
    assert repr(Integration("product", 5)) == "Integration('product', 5)"
    assert repr(rule) == "Integration('halton', 9, {'seed': 4, 'discard': 1000, 'scramble': True})"
