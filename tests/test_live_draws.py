"""The pages' random numbers are NumPy's Philox bit for bit, and their normal quantiles those of mpmath and SciPy."""

import math

import mpmath
import numpy as np
import pytest
from scipy import special

from compecon.live import draws_kernels as draws

SEEDS = [(0, 0), (1, 0), (0, 1), (20260101, 7), (2**32, 2**32 - 1), (2**53, 5), (3, 2**53 - 1)]
LARGEST = 2**64 - 1


def filled(kernel, seed, stream, size):
    """What a kernel of draws leaves in an array of that size."""
    out = np.full(size, np.nan)
    kernel(float(seed), float(stream), out)
    return out


def words(values):
    """Python's integers as a tuple of uint64."""
    return tuple(np.uint64(value) for value in values)


# The generator


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 31, 1000])
@pytest.mark.parametrize("seed, stream", SEEDS)
def test_the_uniforms_are_numpys_bit_for_bit(seed, stream, size):
    expected = np.random.Generator(np.random.Philox(key=[seed, stream])).random(size)
    assert filled(draws.uniforms, seed, stream, size).tobytes() == expected.tobytes()


@pytest.mark.parametrize("counter, key, expected", [
    ((0,) * 4, (0,) * 2, (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B)),
    ((LARGEST,) * 4, (LARGEST,) * 2, (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0)),
    ((0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
     (0x452821E638D01377, 0xBE5466CF34E90C6C),
     (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6)),
])  # fmt: skip
def test_philox_gives_the_known_answers_of_its_authors(counter, key, expected):
    # Random123, tests/kat_vectors, lines philox4x64 10.
    assert tuple(int(word) for word in draws.philox(words(key), words(counter))) == expected


def test_the_high_product_is_that_of_pythons_long_integers():
    rng = np.random.default_rng(0)
    ends = [0, 1, 2**32 - 1, 2**32, 2**63, LARGEST]
    pairs = [(a, b) for a in ends for b in ends]
    pairs += rng.integers(0, LARGEST, (500, 2), dtype=np.uint64, endpoint=True).tolist()
    for a, b in pairs:
        assert int(draws.high_product(*words((a >> 32, a & 0xFFFFFFFF, b)))) == (a * b) >> 64


def test_a_draw_depends_on_its_number_and_not_on_how_many_are_drawn():
    assert np.array_equal(filled(draws.uniforms, 4, 2, 10), filled(draws.uniforms, 4, 2, 50)[:10])
    assert np.array_equal(filled(draws.normals, 4, 2, 10), filled(draws.normals, 4, 2, 50)[:10])


# Normal draws


@pytest.mark.parametrize("size", [1, 2, 3, 4, 1001])
@pytest.mark.parametrize("seed, stream", SEEDS)
def test_the_normals_are_the_quantiles_of_numpys_raw_words(seed, stream, size):
    raw = np.random.Philox(key=[seed, stream]).random_raw(size)
    expected = special.ndtri(((raw >> np.uint64(12)) + 0.5) * 2.0**-52)
    np.testing.assert_allclose(filled(draws.normals, seed, stream, size), expected, rtol=2e-15, atol=0)


def test_no_word_gives_an_infinite_normal():
    first, last = (draws.midpoint(np.uint64(word)) for word in (0, LARGEST))
    assert (first, last) == (2.0**-53, 1 - 2.0**-53)
    assert draws.normal_quantile(first) == -draws.normal_quantile(last) == pytest.approx(-8.2095361516, abs=1e-9)
    assert draws.fraction(np.uint64(0)) == 0 and draws.fraction(np.uint64(LARGEST)) == 1 - 2.0**-53


def exact_quantile(u):
    """The z with Phi(z) = u by Newton's method in mpmath, from SciPy's."""
    if u > 0.5:
        return -exact_quantile(1 - u)
    z = mpmath.mpf(float(special.ndtri(float(u))))
    for _ in range(4):
        z -= (mpmath.ncdf(z) - u) / mpmath.npdf(z)
    return z


# The last ones lie on both sides of where one ratio of polynomials hands over to the next.
@pytest.mark.parametrize("levels", [
    10.0 ** np.linspace(-300, -12, 145), 10.0 ** np.linspace(-12, -1, 112), np.linspace(0.01, 0.99, 98),
    1 - 10.0 ** np.linspace(-16, -1, 151), 0.5 + np.array([1e-15, -1e-15, 1e-9, -1e-6]), np.array([1e-310, 5e-324]),
    np.array([0.075, 0.925]) + [[-1e-15], [1e-15]], math.exp(-25) * np.array([1 - 1e-14, 1 + 1e-14]),
], ids=["far tail", "tail", "middle", "upper tail", "near a half", "subnormal", "seam at 0.425", "seam at 5"])
def test_the_normal_quantile_is_mpmaths_to_a_few_units_in_the_last_digit(levels):
    with mpmath.workdps(40):
        for u in levels.ravel().tolist():
            error = draws.normal_quantile(u) / exact_quantile(mpmath.mpf(u)) - 1
            assert abs(error) < 8e-16, u


def test_the_normal_quantile_is_scipys_also_at_the_ends_and_outside():
    levels = np.concatenate([np.linspace(0, 1, 2001), 10.0 ** -np.arange(1.0, 301), [-0.1, 1.1, math.nan]])
    found = np.array([draws.normal_quantile(u) for u in levels])
    np.testing.assert_allclose(found, special.ndtri(levels), rtol=2e-15, atol=0)
    assert found[0] == -math.inf and found[2000] == math.inf and found[1000] == 0 and np.isnan(found[-3:]).all()
