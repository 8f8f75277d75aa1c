"""What the pages may call: each exported kernel and the shapes of its arguments."""

from dataclasses import dataclass
from inspect import signature

from compecon.live import (
    bootstrap_bands_kernels,
    bus_histories_kernels,
    climbing_kernels,
    contraction_kernels,
    costs_and_markups_kernels,
    diversion_kernels,
    fixed_point_kernels,
    information_kernels,
    instrument_strength_kernels,
    likelihood_curve_kernels,
    logit_substitution_kernels,
    merger_kernels,
    micro_sample_kernels,
    nfxp_kernels,
    profiled_objective_kernels,
    replacement_demand_kernels,
    sampling_distribution_kernels,
    three_tests_kernels,
    zurcher_kernels,
)


@dataclass(frozen=True)
class Export:
    """A kernel for the browser. `arrays` maps its array arguments to their dimensions; the others are numbers."""

    kernel: object
    arrays: dict

    @property
    def name(self):
        """The kernel's own name, by which a page calls it."""
        return self.kernel.__name__

    @property
    def arguments(self):
        """List of (name, dimensions) in the kernel's order; 0 dimensions for a number."""
        function = getattr(self.kernel, "py_func", self.kernel)
        return [(name, self.arrays.get(name, 0)) for name in signature(function).parameters]


_PROFILED = {
    "grid": 1, "exact": 2, "curve": 2, "best": 1, "window": 1, "hand": 1, "path": 2, "report": 1, "search": 1,
    "state": 1, "place": 1, "progress": 1, "small": 2, "shares": 2, "logit": 2, "x2": 3, "traits": 3, "weights": 2,
    "moments": 3, "linear": 3, "pairs": 3, "by_agent": 2, "square": 2, "by_product": 2, "columns": 2, "by_trait": 3,
    "row": 2, "slopes": 2, "products": 2, "coefficients": 2,
}  # fmt: skip
EXPORTS = (
    Export(bootstrap_bands_kernels.bootstrap_bands, {
        "progress": 1, "count": 1, "lives": 1, "totals": 1, "random": 1, "stars": 1, "ratios": 1, "estimates": 1,
        "bounds": 3, "histogram": 2, "shown": 2, "coverage": 2, "summary": 1,
    }),
    Export(bus_histories_kernels.bus_histories, {
        "mileage": 1, "starts": 1, "bus_groups": 1, "bus_ids": 1, "members": 2, "history": 2, "shares": 2, "hazard": 2,
        "by_state": 2, "seen": 2, "month": 2, "summary": 1,
    }),
    Export(climbing_kernels.climbing_sample, {
        "y": 1, "weights": 1, "histogram": 2, "fitted": 2, "maximum": 1, "near": 1, "terms": 1, "scores": 2,
        "hessian": 3, "small": 2,
    }),
    Export(climbing_kernels.climbing_surface, {
        "y": 1, "weights": 1, "mu_grid": 1, "sigma_grid": 1, "surface": 2, "terms": 1, "scores": 2,
    }),
    Export(climbing_kernels.climbing, {
        "y": 1, "weights": 1, "mu_path": 2, "sigma_path": 2, "far": 2, "distance": 2, "iterations": 1, "seen": 1,
        "terms": 1, "scores": 2, "hessian": 3, "small": 2,
    }),
    Export(information_kernels.information_equality, {
        "progress": 1, "population": 2, "fits": 2, "count": 1, "standard_errors": 1, "scaled": 1, "coverage": 1,
        "histogram": 2, "claims": 2, "y": 1, "picks": 1, "weights": 1, "terms": 1, "scores": 2, "hessian": 3,
        "small": 2,
    }),
    Export(instrument_strength_kernels.instrument_strength, {
        "progress": 1, "grid": 1, "state": 1, "ordered": 3, "held": 2, "f_total": 1, "median": 2, "spread": 2,
        "coverage": 2, "limits": 2, "bound": 1, "histogram": 2, "shown": 2, "bars": 2, "summary": 1, "buffer": 1,
        "table": 2, "gram": 2, "square": 2, "rhs": 2,
    }),
    Export(contraction_kernels.contraction, {
        "shares": 2, "logit": 2, "x2": 3, "traits": 3, "weights": 2, "firms": 1, "pi": 2, "base": 1, "x2dot": 2,
        "tolerance": 1, "loadings": 3, "delta": 2, "errors": 2, "ends": 2, "observed": 1, "predicted": 1,
        "diversion": 3, "elasticities": 3, "bars": 2, "summary": 1, "pairs": 3, "by_agent": 2,
        "square": 2, "by_product": 2,
    }),
    Export(costs_and_markups_kernels.costs_and_markups, {
        "firms": 1, "prices": 2, "shares": 2, "delta": 2, "x2": 3, "base": 1, "x2dot": 2, "weights": 2, "traits": 3,
        "loadings": 2, "kappas": 1, "agents": 3, "people": 1, "squares": 3, "margins": 1, "eta": 2, "costs": 2,
        "lerner": 2, "path": 2, "profits": 2, "summary": 1,
    }),
    Export(diversion_kernels.diversion, {
        "prices": 2, "shares": 2, "delta": 2, "x2": 3, "base": 1, "x2dot": 2, "weights": 2, "traits": 3,
        "loadings": 2, "percents": 1, "agents": 3, "people": 2, "columns": 2, "square": 2, "elasticities": 2,
        "dots": 1, "own": 2, "curves": 2, "here": 1, "flows": 2, "bars": 2, "summary": 1,
    }),
    Export(zurcher_kernels.zurchers_choice, {
        "sizes": 1, "increments": 2, "mileage": 1, "value": 1, "hazard": 1, "history": 2, "paths": 2, "summary": 1,
        "work": 2,
    }),
    Export(fixed_point_kernels.newton_paths, {
        "sizes": 1, "increments": 2, "switching": 1, "fixed": 1, "newton": 2, "poly": 2, "needs": 2, "summary": 1,
        "work": 2,
    }),
    Export(fixed_point_kernels.contraction_path, {
        "sizes": 1, "increments": 2, "fixed": 1, "ev": 1, "sweeps": 2, "needs": 2, "summary": 1, "place": 1,
        "progress": 1, "work": 2,
    }),
    Export(likelihood_curve_kernels.likelihood_sample, {
        "truth": 1, "log_factorials": 1, "y": 1, "log_factorial": 1, "bins": 2, "counts": 2, "grid": 1, "product": 1,
        "relative": 1, "mean_llf": 1, "expected": 2, "limit": 1, "peak": 1, "terms": 1, "scores": 2,
    }),
    Export(likelihood_curve_kernels.likelihood_point, {
        "y": 1, "log_factorials": 1, "log_factorial": 1, "curve": 2, "mass": 2, "heights": 2, "grid": 1, "tangent": 1,
        "parabola": 1, "here": 1, "summary": 1, "terms": 1, "scores": 2, "hessian": 3,
    }),
    Export(logit_substitution_kernels.logit_substitution, {
        "shares": 2, "prices": 2, "mushy": 1, "alphas": 1, "percents": 1, "curves": 2, "here": 1, "changes": 2,
        "diversion": 2, "chosen": 1, "summary": 1, "agents": 3, "products": 2, "one": 2, "matrix": 2,
    }),
    Export(merger_kernels.merger_room, {
        "firms": 1, "prices": 2, "shares": 2, "delta": 2, "x2": 3, "base": 1, "x2dot": 2, "weights": 2,
        "traits": 3, "loadings": 2, "columns": 2, "squares": 3, "agents": 3, "people": 2, "eta": 2, "report": 1,
        "flat": 1, "change": 2, "pressure": 2, "margin": 2, "gains": 2, "summary": 1,
    }),
    Export(micro_sample_kernels.micro_sample, {
        "stops": 1, "aggregate": 2, "units": 1, "interview": 4, "curves": 2, "alone": 1, "floor": 1, "share": 2,
        "ratios": 2, "chosen": 2, "shown": 1, "summary": 1, "square": 2, "columns": 2,
    }),
    Export(nfxp_kernels.nfxp_surface, {
        "cells": 2, "starts": 1, "shares": 2, "dcost": 2, "ddcost": 3, "bounds": 2, "window": 2, "best": 1,
        "surface": 2, "progress": 1, "states": 2, "steps": 1, "terms": 1, "scores": 2, "hessian": 3, "search": 1,
        "small": 2,
    }),
    Export(nfxp_kernels.nfxp_point, {
        "cells": 2, "starts": 1, "shares": 2, "dcost": 2, "bins": 2, "bin_starts": 1, "window": 2, "best": 1,
        "path": 2, "before": 2, "state": 1, "here": 1, "peak": 1, "hazard": 1, "observed": 2, "summary": 1,
        "states": 2, "steps": 1, "terms": 1, "scores": 2, "small": 2,
    }),
    Export(nfxp_kernels.nfxp_climb, {
        "cells": 2, "starts": 1, "shares": 2, "dcost": 2, "ddcost": 3, "bounds": 2, "path": 2, "before": 2,
        "state": 1, "target": 1, "states": 2, "steps": 1, "terms": 1, "scores": 2, "hessian": 3, "search": 1,
        "small": 2,
    }),
    Export(nfxp_kernels.nfxp_start, {"path": 2, "state": 1, "home": 1, "target": 1}),
    Export(profiled_objective_kernels.profiled_exact, _PROFILED),
    Export(profiled_objective_kernels.profiled_curve, _PROFILED),
    Export(profiled_objective_kernels.profiled_hand, _PROFILED),
    Export(profiled_objective_kernels.profiled_search, _PROFILED),
    Export(replacement_demand_kernels.replacement_demand, {
        "discounts": 1, "estimates": 2, "llf": 1, "prices": 1, "curves": 3, "scale": 1, "curve": 2, "tangent": 1,
        "point": 1, "shares": 2, "hazard": 1, "path": 1, "summary": 1, "steps": 1, "states": 2,
    }),
    Export(sampling_distribution_kernels.exact_coverage, {"exact": 2}),
    Export(sampling_distribution_kernels.sampling_distribution, {
        "progress": 1, "y": 1, "count": 1, "sums": 1, "tally": 1, "histogram": 2, "exact": 2, "held": 2, "missed": 2,
        "window": 1, "wald_bar": 1, "lr_bar": 1, "summary": 1,
    }),
    Export(three_tests_kernels.three_tests_sample, {"truth": 1, "y": 1, "estimate": 1}),
    Export(three_tests_kernels.three_tests, {
        "estimate": 1, "windows": 2, "window": 1, "height": 1, "place": 1, "curve": 1, "at_top": 1, "at_null": 1,
        "points": 2, "spans": 2, "statistics": 1, "pvalues": 1, "nulls": 1, "by_null": 2, "outcome": 1,
        "log_factorial": 1, "term": 1, "score": 2, "second": 3,
    }),
    Export(three_tests_kernels.three_tests_size, {
        "nulls": 1, "size": 2, "trial": 1, "outcome": 1, "log_factorial": 1, "term": 1, "score": 2, "second": 3,
    }),
)  # fmt: skip
