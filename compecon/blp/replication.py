"""The cereal estimates and a merger, set beside the numbers of pyblp and of its tutorial."""

from importlib import resources

import numpy as np
import pandas as pd

from compecon.blp.examples import cereal_results
from compecon.datasets import load_cereal

_DIGITS = 6


def replicate_cereal():
    """Estimate the cereal problem, let firm 1 buy firm 2, and compare with what others found.

    Returns
    -------
    DataFrame
        One row a number: entry, statistic, tutorial and reference (str, as printed; '' where there is none), computed
        (float), same. `same` says that the computed number rounds to the printed ones. Prices and surplus are in
        dollars per serving; means are over products (prices) or markets.

    Notes
    -----
    `tutorial` is what pyblp's post-estimation tutorial prints, `reference` what pyblp 1.3.0 finds at estimates where
    the gradient is below 1e-9: `compecon/datasets/README.md`, cereal_reference.csv. The data are simulated.

    Examples
    --------
    >>> from compecon.blp.replication import replicate_cereal
    >>> comparison = replicate_cereal()
    >>> len(comparison), bool(comparison["same"].all())
    (32, True)
    """
    with resources.as_file(resources.files("compecon.datasets") / "cereal_reference.csv") as path:
        comparison = pd.read_csv(path, dtype=str, keep_default_na=False)
    computed = _values(cereal_results())
    comparison["computed"] = [computed[key] for key in zip(comparison["entry"], comparison["statistic"], strict=True)]
    tutorial = comparison["computed"].map("{:+.1E}".format)
    comparison["same"] = (comparison["computed"].map(significant) == comparison["reference"]) & (
        (tutorial == comparison["tutorial"]) | (comparison["tutorial"] == "")
    )
    return comparison


def significant(value):
    """A number as the reference prints it."""
    return f"{value:.{_DIGITS}g}"


def _values(results):
    """{(entry, statistic): value} of the estimates and the merger."""
    errors = np.sqrt(np.diag(results.parameter_covariances) / results.problem.N)
    labels = [*results.theta_labels, *(f"beta {label}" for label in results.beta_labels)]
    values = dict(zip(((label, "std err") for label in labels), errors, strict=True))
    values |= zip(((label, "estimate") for label in labels), results.parameters[:, 0], strict=True)
    products = load_cereal().products
    merged = products["firm_ids"].replace(2, 1)
    prices = results.compute_prices(merged)
    after, before = results.compute_consumer_surpluses(prices), results.compute_consumer_surpluses()
    values["change of prices", "mean"] = (prices[:, 0] - products["prices"]).mean()
    values["HHI before", "mean"] = results.compute_hhi().mean()
    values["HHI after", "mean"] = results.compute_hhi(merged, results.compute_shares(prices)).mean()
    values["change of consumer surplus", "mean"] = (after - before).mean()
    return values
