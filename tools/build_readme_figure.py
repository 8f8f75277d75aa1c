"""Draw book/_static/readme.png, the picture of the README: python tools/build_readme_figure.py."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt

from compecon import datasets, plotting, zurcher

TARGET = Path(__file__).resolve().parents[1] / "book/_static/readme.png"


def main():
    """Estimate group 4 and draw its histories, its hazard and the climb to the maximum."""
    panel = datasets.load_bus_panel()
    data = zurcher.discretize(panel, groups=[4])
    fit = zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), data, start=(6, 1))
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    plotting.plot_histories(panel, [5297, 5298, 5299, 5300], ax=axes[0])
    plotting.plot_hazard(fit.solve(), data, ax=axes[1])
    surface = zurcher.likelihood_surface(fit, np.linspace(5, 16, 60), np.linspace(0.2, 5, 60))
    plotting.plot_surface(surface, ax=axes[2])
    figure.savefig(TARGET, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
