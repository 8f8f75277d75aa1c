"""compecon: structural estimation, small enough to read in an evening.

Subpackages load when first used, so `import compecon` compiles nothing.
"""

import importlib

__version__ = "0.1.0"

_SUBMODULES = ("blp", "datasets", "errors", "exercises", "likelihood", "live", "plotting", "zurcher")
__all__ = [*_SUBMODULES, "__version__"]


def __getattr__(name):
    if name in _SUBMODULES:
        return importlib.import_module(f"compecon.{name}")
    raise AttributeError(f"module 'compecon' has no attribute {name!r}; it has {', '.join(__all__)}.")


def __dir__():
    return sorted(__all__)
