"""Figures that compute in the reader's browser, from the library's own kernels; the same objects work in notebooks."""

import importlib

_FIGURES = {
    "BootstrapBands": "bootstrap_bands",
    "BusHistories": "bus_histories",
    "Climbing": "climbing",
    "Contraction": "contraction",
    "CostsAndMarkups": "costs_and_markups",
    "Diversion": "diversion",
    "FixedPoint": "fixed_point",
    "InformationEquality": "information_equality",
    "InstrumentStrength": "instrument_strength",
    "LikelihoodCurve": "likelihood_curve",
    "LogitSubstitution": "logit_substitution",
    "MergerRoom": "merger_room",
    "MicroSample": "micro_sample",
    "NFXPByHand": "nfxp_by_hand",
    "ProfiledObjective": "profiled_objective",
    "ReplacementDemand": "replacement_demand",
    "SamplingDistribution": "sampling_distribution",
    "ThreeTests": "three_tests",
    "ZurchersChoice": "zurchers_choice",
}
__all__ = [*_FIGURES]


def __getattr__(name):
    if name in _FIGURES:
        return getattr(importlib.import_module(f"compecon.live.{_FIGURES[name]}"), name)
    raise AttributeError(f"module 'compecon.live' has no attribute {name!r}; it has {', '.join(__all__)}.")


def __dir__():
    return sorted(__all__)
