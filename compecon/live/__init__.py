"""Figures that compute in the reader's browser, from the library's own kernels; the same objects work in notebooks."""

from compecon.live.zurchers_choice import ZurchersChoice

__all__ = ["ZurchersChoice"]
