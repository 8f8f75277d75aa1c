"""A small printable table: a title, a few facts, a DataFrame, a note. Text in a terminal, HTML in a notebook."""

from dataclasses import dataclass
from html import escape

import pandas as pd


@dataclass(frozen=True, eq=False)
class Summary:
    """What `summary()` returns; `str()` gives text and notebooks show HTML.

    Attributes
    ----------
    title : str
    facts : dict of str to str
    table : DataFrame
    note : str
    """

    title: str
    facts: dict
    table: pd.DataFrame
    note: str

    def __str__(self):
        width = max(len(name) for name in self.facts) + 2
        facts = [f"{name:<{width}}{value}" for name, value in self.facts.items()]
        return "\n".join([self.title, *facts, "", self.table.to_string(float_format=_number), "", self.note])

    __repr__ = __str__

    def _repr_html_(self):
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in self.facts.items()
        )
        table = self.table.to_html(float_format=_number, border=0)
        return (
            f"<p><strong>{escape(self.title)}</strong></p><table>{rows}</table>{table}<p><em>{escape(self.note)}</em></p>"
        )


def _number(value):
    """Five significant digits: more than a standard error deserves, and enough to compare with print."""
    return f"{value:.5g}"
