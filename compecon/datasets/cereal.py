"""Nevo's (2000) cereal tables: simulated data, made for learning."""

from importlib import resources
from typing import NamedTuple

import pandas as pd

PRODUCTS = resources.files("compecon.datasets") / "nevo_products.csv"
AGENTS = resources.files("compecon.datasets") / "nevo_agents.csv"


class Cereal(NamedTuple):
    """The two tables of `load_cereal`.

    Attributes
    ----------
    products : DataFrame, 2,256 rows, one a product and market
    agents : DataFrame, 1,880 rows, one a simulated consumer and market
    """

    products: pd.DataFrame
    agents: pd.DataFrame


def load_cereal():
    """Load Nevo's "fake cereal" data: 24 brands and 20 simulated consumers in each of 94 markets, a city and a quarter.

    The data are simulated. They have the form of real scanner data, but no conclusion about cereals can be drawn
    from them.

    Returns
    -------
    Cereal : named tuple of two DataFrames, in the file's order of rows

    `products`, 2,256 rows:

    - market_ids : str, 'C01Q1' is city 1, quarter 1; city_ids, quarter : int
    - product_ids : str, 'F1B04' is firm 1, brand 4; firm_ids, brand_ids : int
    - shares : float, of the market's potential; what they leave to 1 is the outside good's
    - prices : float, dollars per serving
    - sugar : int, sugar content
    - mushy : 0 or 1, 1 if the cereal gets soggy in milk
    - demand_instruments0 .. demand_instruments19 : float, Nevo's excluded instruments for the price

    `agents`, 1,880 rows:

    - market_ids, city_ids, quarter : as above
    - weights : float, 1/20
    - nodes0 .. nodes3 : float, standard normal draws for the constant, prices, sugar and mushy
    - income, income_squared : float, log income and its square, each less its mean over all markets
    - age, child : float, log age in years, and 1 below age 16, each less its mean

    Notes
    -----
    Source and licence: `compecon/datasets/README.md`.

    Examples
    --------
    >>> from compecon.datasets import load_cereal
    >>> products, agents = load_cereal()
    >>> products.shape, agents.shape, products["market_ids"].nunique()
    ((2256, 30), (1880, 12), 94)
    """
    return Cereal(*map(_read, (PRODUCTS, AGENTS)))


def _read(file):
    with resources.as_file(file) as path:
        return pd.read_csv(path)
