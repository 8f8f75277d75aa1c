"""The numbers printed in Tables VIII, IX and X of Rust (1987)."""

from importlib import resources

import pandas as pd


def load_rust_tables():
    """Load what Rust (1987) prints, entry by entry.

    Returns
    -------
    DataFrame with the columns

    - table : str, 'VIII', 'IX' or 'X'
    - discount : float, monthly discount factor
    - sample : str, bus groups '1-3', '4' or '1-4'
    - entry : str, a parameter, 'llf', 'homogeneity', 'myopia', or (Table VIII) the name of a cost function
    - statistic : str, 'estimate', 'std err', 'llf', 'LR' or 'p-value'
    - printed : str, the digits as printed
    - note : str, what is known to be wrong with the entry; empty for most

    Examples
    --------
    >>> from compecon.datasets import load_rust_tables
    >>> table = load_rust_tables()
    >>> table.loc[table["table"] == "IX", "printed"].iloc[0]
    '11.7270'
    """
    with resources.as_file(resources.files("compecon.datasets") / "rust1987_tables.csv") as path:
        return pd.read_csv(path, dtype={"sample": str, "printed": str, "note": str}, keep_default_na=False)
