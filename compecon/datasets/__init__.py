"""The data files of the course and their loaders. `README.md` in this folder describes each file."""

from compecon.datasets.bus_panel import load_bus_panel, read_bus_panel, validate_bus_panel
from compecon.datasets.cereal import load_cereal
from compecon.datasets.rust_tables import load_rust_tables

__all__ = ["load_bus_panel", "load_cereal", "load_rust_tables", "read_bus_panel", "validate_bus_panel"]
