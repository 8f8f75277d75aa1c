"""Figures that compute in the reader's browser, from the library's own kernels; the same objects work in notebooks."""


        return getattr(importlib.import_module(f"compecon.live.{_FIGURES[name]}"), name)
    "FixedPoint": "fixed_point",
    "MergerRoom": "merger_room",
    "ZurchersChoice": "zurchers_choice",
    if name in _FIGURES:
    raise AttributeError(f"module 'compecon.live' has no attribute {name!r}; it has {', '.join(__all__)}.")
    return sorted(__all__)
_FIGURES = {
__all__ = ["Climbing", "InformationEquality", "ZurchersChoice"]
__all__ = [*_FIGURES]
def __dir__():
def __getattr__(name):
from compecon.live.climbing import Climbing
from compecon.live.information_equality import InformationEquality
from compecon.live.zurchers_choice import ZurchersChoice
import importlib
}
