"""Where the cereal tables are, for `pandas.read_csv`: Nevo's (2000) simulated data, `datasets.load_cereal()` as paths.

Attributes
----------
NEVO_PRODUCTS_LOCATION : str
    CSV file, one row a product and market. `compecon/datasets/README.md` describes its columns.
NEVO_AGENTS_LOCATION : str
    CSV file, one row a simulated consumer and market.

Examples
--------
>>> import pandas as pd
>>> from compecon.blp import data
>>> pd.read_csv(data.NEVO_PRODUCTS_LOCATION).shape, pd.read_csv(data.NEVO_AGENTS_LOCATION).shape
((2256, 30), (1880, 12))
"""

from compecon.datasets.cereal import AGENTS, PRODUCTS

NEVO_PRODUCTS_LOCATION = str(PRODUCTS)
NEVO_AGENTS_LOCATION = str(AGENTS)
