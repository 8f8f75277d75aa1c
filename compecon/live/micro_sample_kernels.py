"""Scene of the figure on micro moments: standard errors from aggregate data and a survey of any size.

With efficient weights, information adds: var(theta, beta) = (A + N_d B)^-1, where A is what the aggregate moments say
of all parameters, and B what one interview says of theta. Parameters are in units of their standard errors from the
aggregate moments alone, so that A^-1 has a diagonal of ones.
"""

import math

from compecon._jit import kernel
from compecon._linalg import lu_solve

FAILED, DONE = 0, 1


@kernel
def micro_sample(observations, moments, sample, parameter, stops, aggregate, units, interview, curves, alone, floor,
                 share, ratios, chosen, shown, summary, square, columns):  # fmt: skip
    """Standard errors by the size of the survey, for three sets of moments, and of all parameters at one size.

    stops : (S,), sizes. aggregate : (K, K), A. units : (K,). interview : (2, 3, P, P), B by sample and set of moments;
    P < K, the first of the parameters. curves : (3, S), standard errors of the parameter; alone : (S,), from a survey
    with the scores and without aggregate moments; floor : (S,), for a parameter outside theta, when theta is known.
    share : (3, S), of the variance, what the survey's sampling error makes. ratios : (3, K), standard errors at
    `observations`; chosen : (2, K), those of the moments in use, the parameter apart. shown : (2,), standard error and
    share there. summary : (4,), standard errors in the parameter's own units, and the share. square, columns : (K, K).
    """
    place, used, who, n_theta = int(parameter), int(moments), int(sample), interview.shape[2]
    for kind in range(3):
        for k in range(stops.size):
            if invert(aggregate, stops[k], interview[who, kind], square, columns) == 0:
                return FAILED
            curves[kind, k] = math.sqrt(columns[place, place])
            share[kind, k] = survey_share(stops[k], interview[who, kind], columns, place)
        if invert(aggregate, observations, interview[who, kind], square, columns) == 0:
            return FAILED
        for a in range(units.size):
            ratios[kind, a] = math.sqrt(columns[a, a])
        if kind == used:
            shown[1] = survey_share(observations, interview[who, kind], columns, place)
    shown[0] = ratios[used, place]
    for a in range(units.size):
        chosen[0, a] = math.nan if a == place else ratios[used, a]
        chosen[1, a] = ratios[used, a] if a == place else math.nan
    if survey_alone(interview[who, 2], square[:n_theta, :n_theta], columns[:n_theta, :n_theta]) == 0:
        return FAILED
    for k in range(stops.size):
        alone[k], floor[k] = math.nan, math.nan
        if place < n_theta:
            alone[k] = math.sqrt(columns[place, place] / stops[k])
        else:
            floor[k] = math.sqrt(1.0 / aggregate[place, place])
    summary[0], summary[1], summary[2] = units[place], units[place] * shown[0], units[place] * ratios[2, place]
    summary[3] = shown[1]
    return DONE


@kernel
def invert(aggregate, observations, interview, square, columns):
    """columns = (A + N_d B)^-1; 0 if that is singular."""
    n = aggregate.shape[0]
    for a in range(n):
        for b in range(n):
            square[a, b] = aggregate[a, b]
            columns[a, b] = 1.0 if a == b else 0.0
    for a in range(interview.shape[0]):
        for b in range(interview.shape[0]):
            square[a, b] += observations * interview[a, b]
    return lu_solve(square, columns)


@kernel
def survey_alone(interview, square, columns):
    """columns = B^-1; 0 if that is singular."""
    for a in range(interview.shape[0]):
        for b in range(interview.shape[0]):
            square[a, b] = interview[a, b]
            columns[a, b] = 1.0 if a == b else 0.0
    return lu_solve(square, columns)


@kernel
def survey_share(observations, interview, inverse, place):
    """N_d v'Bv / v_p for the row v of (A + N_d B)^-1 that belongs to parameter p.

    Its variance v_p is v'(A + N_d B)v: v'Av from the sampling of products, N_d v'Bv from the sampling of consumers.
    """
    total, v = 0.0, inverse[place]
    for a in range(interview.shape[0]):
        for b in range(interview.shape[0]):
            total += v[a] * interview[a, b] * v[b]
    return observations * total / v[place]
