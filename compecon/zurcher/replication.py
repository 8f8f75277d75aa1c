"""Rust's (1987) Tables VIII, IX and X, estimated again and set beside what was printed."""

import pandas as pd

from compecon._options import one_of
from compecon.datasets import load_bus_panel, load_rust_tables
from compecon.likelihood.inference import lr_test
from compecon.zurcher.data import discretize
from compecon.zurcher.hypotheses import homogeneity_test
from compecon.zurcher.model import ZurcherModel
from compecon.zurcher.nfxp import nfxp

SAMPLES = {"1-3": [1, 2, 3], "4": [4], "1-4": [1, 2, 3, 4]}
_N_STATES = {"VIII": 90, "IX": 90, "X": 175}
_DISCOUNTS = (0.9999, 0.0)
MARKS = {"misprint": "*", "follows": "+", "last digit": "'", "not reproduced": "?", "differs": "!"}


def replicate_table(table="IX"):
    """Estimate everything that a table of Rust (1987) reports, and compare.

    Parameters
    ----------
    table : {'VIII', 'IX', 'X'}
        IX and X: joint estimates with OPG standard errors, at 90 and 175 states. VIII: partial log-likelihoods by cost.

    Returns
    -------
    DataFrame
        One row an entry: discount, sample, entry, statistic, printed (str), computed (float), verdict, note. The
        verdict is 'same' when the computed value rounds to the printed one, 'last digit' when it rounds to a neighbour
        of it, and else 'misprint', 'follows' (from another printed entry) or 'not reproduced' as the note says, or
        'differs', which no entry does.

    Examples
    --------
    >>> from compecon import zurcher
    >>> zurcher.replicate_table("IX")["verdict"].value_counts().to_dict()
    {'same': 46, 'last digit': 9, 'follows': 4, 'misprint': 3}
    """
    one_of(table, _N_STATES, "table")
    published = load_rust_tables()
    published = published[published["table"] == table].drop(columns="table").reset_index(drop=True)
    computed = _partial_values() if table == "VIII" else _joint_values(_N_STATES[table])
    keys = published[["discount", "sample", "entry", "statistic"]].itertuples(index=False, name=None)
    published["computed"] = [computed[key] for key in keys]
    published["verdict"] = [
        _verdict(row.printed, row.computed, row.note) for row in published.itertuples(index=False)
    ]
    return published[["discount", "sample", "entry", "statistic", "printed", "computed", "verdict", "note"]]


def _partial_values():
    """{(discount, sample, cost, 'llf'): value} for the costs that have a name."""
    panel, costs = load_bus_panel(), ("linear", "quadratic", "cubic", "sqrt", "hyperbolic", "mixed")
    values = {}
    for sample, groups in SAMPLES.items():
        data = discretize(panel, groups, n_states=_N_STATES["VIII"])
        for discount in _DISCOUNTS:
            for cost in costs:
                fit = nfxp(ZurcherModel(data.n_states, discount, cost), data, "partial")
                values[discount, sample, cost, "llf"] = fit.llf
    return values


def _joint_values(n_states):
    """{(discount, sample, entry, statistic): value} of a table of joint estimates."""
    panel, fits, values = load_bus_panel(), {}, {}
    for sample, groups in SAMPLES.items():
        data = discretize(panel, groups, n_states=n_states)
        for discount in _DISCOUNTS:
            fit = fits[discount, sample] = nfxp(ZurcherModel(n_states, discount), data)
            values[discount, sample, "llf", "llf"] = fit.llf
            for name, estimate, error in zip(fit.params.index, fit.params, fit.bse):
                values[discount, sample, name, "estimate"] = estimate
                values[discount, sample, name, "std err"] = error
        test = lr_test(fits[0.0, sample].llf, fits[0.9999, sample].llf, df=1)
        values[0.0, sample, "myopia", "LR"] = test.statistic
        values[0.0, sample, "myopia", "p-value"] = test.pvalue
    for discount in _DISCOUNTS:
        test = homogeneity_test([fits[discount, "1-3"], fits[discount, "4"]], fits[discount, "1-4"])
        values[discount, "1-4", "homogeneity", "LR"] = test.statistic
    return values


def _verdict(printed, computed, note):
    """How a computed value compares with a printed one."""
    decimals = len(printed.partition(".")[2])
    units = round((round(computed, decimals) - float(printed)) * 10**decimals)
    if units == 0:
        return "same"
    for verdict in ("misprint", "follows", "not reproduced"):
        if note.startswith(verdict):
            return verdict
    return "last digit" if abs(units) == 1 else "differs"


def side_by_side(comparison):
    """The frame of `replicate_table` as a wide one, samples side by side: 'printed | computed', misprints marked *."""

    def cell(row):
        # One digit more than printed where rounding would hide the difference.
        decimals = max(len(row.printed.partition(".")[2]), 3) + (row.verdict == "misprint")
        return f"{row.printed}{MARKS.get(row.verdict, ' ')}| {row.computed:.{decimals}f}"

    cells = pd.Series([cell(row) for row in comparison.itertuples(index=False)], dtype=object)
    frame = comparison[["discount", "sample", "entry", "statistic"]].assign(cell=cells)
    order = frame[["discount", "entry", "statistic"]].drop_duplicates()
    wide = frame.pivot(index=["discount", "entry", "statistic"], columns="sample", values="cell")
    return wide.loc[list(order.itertuples(index=False, name=None)), list(SAMPLES)].fillna("")
