"""Random draws that are numbered instead of remembered: draw i of a stream is a function of seed, stream and i alone.

NumPy's Philox (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3") in loops that a
browser can run too. Its arithmetic is modulo 2^64, so as plain Python NumPy warns of overflows that are meant.
"""

import math

import numpy as np

from compecon._jit import kernel

# Every integer below is a uint64: next to a plain literal numba would turn it into a float64.
_MULTIPLIER_0, _HIGH_0, _LOW_0 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xD2E7470E), np.uint64(0xE14C6C93)
_MULTIPLIER_1, _HIGH_1, _LOW_1 = np.uint64(0xCA5A826395121157), np.uint64(0xCA5A8263), np.uint64(0x95121157)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_DROP_11, _DROP_12, _ZERO = np.uint64(11), np.uint64(12), np.uint64(0)


@kernel
def high_product(high, low, b):
    """The upper 64 bits of the 128-bit product a b of two uint64, a = 2^32 high + low; no sum here exceeds 64 bits.

    a comes in halves because LLVM, where it sees a whole, makes this a 128-bit product, which browsers lack.
    """
    b_high, b_low = b >> _HALF, b & _LOW
    middle = high * b_low + ((low * b_low) >> _HALF)
    carry = low * b_high + (middle & _LOW)
    return high * b_high + (middle >> _HALF) + (carry >> _HALF)


@kernel
def philox(key, counter):
    """Philox4x64-10: the four uint64 words that belong to a counter of four and a key of two (tuples of uint64)."""
    k0, k1 = key
    c0, c1, c2, c3 = counter
    for _ in range(10):
        high0, high1 = high_product(_HIGH_0, _LOW_0, c0), high_product(_HIGH_1, _LOW_1, c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, _MULTIPLIER_1 * c2, high0 ^ c3 ^ k1, _MULTIPLIER_0 * c0
        k0, k1 = k0 + _WEYL_0, k1 + _WEYL_1
    return c0, c1, c2, c3


@kernel
def block(seed, stream, number):
    """Words 4 number, ..., 4 number + 3 of np.random.Philox(key=[seed, stream]); seed, stream : whole floats >= 0."""
    # By way of int64: from a float straight to uint64 is undefined in LLVM above 2^63, and differs between machines.
    key = (np.uint64(np.int64(seed)), np.uint64(np.int64(stream)))
    # NumPy counts up before the first block.
    return philox(key, (np.uint64(number + 1), _ZERO, _ZERO, _ZERO))


@kernel
def fraction(word):
    """A word's first 53 bits as a number in [0, 1): NumPy's `Generator.random`."""
    return float(word >> _DROP_11) * 2.0**-53


@kernel
def midpoint(word):
    """A word's first 52 bits as a number in (0, 1): the middle of its cell of width 2^-52.

    One bit less than `fraction`, because with 53 the last midpoint, 1 - 2^-54, is no float64 and rounds to 1.
    """
    return (float(word >> _DROP_12) + 0.5) * 2.0**-52


@kernel
def store(out, start, a, b, c, d):
    """out[start : start + 4] = a, b, c, d, as far as `out` goes; start < out.size."""
    out[start] = a
    if start + 1 < out.size:
        out[start + 1] = b
    if start + 2 < out.size:
        out[start + 2] = c
    if start + 3 < out.size:
        out[start + 3] = d


@kernel
def uniforms(seed, stream, out):
    """out : (M,), the doubles of np.random.Generator(np.random.Philox(key=[seed, stream])).random(M), bit for bit.

    seed, stream : whole floats from 0 to 2^53.
    """
    for start in range(0, out.size, 4):
        a, b, c, d = block(seed, stream, start // 4)
        store(out, start, fraction(a), fraction(b), fraction(c), fraction(d))


@kernel
def normals(seed, stream, out):
    """out : (M,), independent standard normals: the quantiles at the midpoints of the words behind `uniforms`."""
    for start in range(0, out.size, 4):
        a, b, c, d = block(seed, stream, start // 4)
        a, b, c, d = midpoint(a), midpoint(b), midpoint(c), midpoint(d)
        store(out, start, normal_quantile(a), normal_quantile(b), normal_quantile(c), normal_quantile(d))


@kernel
def normal_quantile(u):
    """The z with Phi(z) = u, to about 1e-15 relative: PPND16 of Wichura (1988, Applied Statistics 37, AS 241).

    A ratio of two polynomials of degree 7 in the middle, |u - 1/2| <= 0.425, and two more in the tails, in
    sqrt(-log(min(u, 1 - u))). -inf at 0, inf at 1, NaN outside.
    """
    if u == 0.0:
        return -math.inf
    if u == 1.0:
        return math.inf
    if not 0.0 < u < 1.0:
        return math.nan
    centred = u - 0.5
    if abs(centred) <= 0.425:
        return centred * _central(0.180625 - centred * centred)
    if u < 0.5:
        return -_tail(math.sqrt(-math.log(u)))
    return _tail(math.sqrt(-math.log(1.0 - u)))


@kernel
def _central(r):
    """z / (u - 1/2) for r = 0.425^2 - (u - 1/2)^2."""
    above = _polynomial(
        r, 3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
        4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
    )  # fmt: skip
    below = _polynomial(
        r, 1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
        2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
    )  # fmt: skip
    return above / below


@kernel
def _tail(r):
    """|z| for r = sqrt(-log(tail probability)): up to 5 (a tail of 1.4e-11), and beyond it (good to 1e-316)."""
    if r <= 5.0:
        r -= 1.6
        above = _polynomial(
            r, 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
            1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
        )  # fmt: skip
        below = _polynomial(
            r, 1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
            1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
        )  # fmt: skip
        return above / below
    r -= 5.0
    above = _polynomial(
        r, 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
        2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
    )  # fmt: skip
    below = _polynomial(
        r, 1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
        7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
    )  # fmt: skip
    return above / below


@kernel
def _polynomial(r, c0, c1, c2, c3, c4, c5, c6, c7):
    """c0 + c1 r + ... + c7 r^7, by Horner's rule."""
    return ((((((c7 * r + c6) * r + c5) * r + c4) * r + c3) * r + c2) * r + c1) * r + c0


@kernel
def poisson_quantile(u, mean):
    """The smallest count k with P(Y <= k) > u, for a Poisson Y and u in [0, 1): a draw of it, if u is uniform.

    Adds up probabilities from 0 on; for means of at most some hundred.
    """
    count, chance = 0.0, math.exp(-mean)
    below = chance
    # Beyond the mean the chances fall; once they change nothing, the rest is less than the rounding error of `below`.
    while u >= below and (count < mean or chance > 1e-18):
        count += 1.0
        chance *= mean / count
        below += chance
    return count


@kernel
def geometric_quantile(u, p):
    """The smallest count k of failures with P(Y <= k) = 1 - (1 - p)^(k + 1) > u, for u in [0, 1) and 0 < p < 1."""
    return float(int(math.log1p(-u) / math.log1p(-p)))
