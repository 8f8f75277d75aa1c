r"""The printed tables of problems and results: text in a terminal, HTML in a notebook, LaTeX, CSV, a DataFrame.

A `Table` keeps numbers as numbers. They become text when it is printed, with `options.digits` significant digits. The
builders below it take plain values, and lay them out and title them as pyblp does, without clock times.
"""

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from compecon._options import one_of, positive_integer
from compecon.blp import options

_LATEX = str.maketrans({
    **{symbol: f"\\{symbol}" for symbol in "&%$#_{}"},
    **{symbol: f"{{{symbol}}}" for symbol in "[]*"},  # after \\ the first and the last would be read as its options
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
})


class StandardError(float):
    """A number that prints in parentheses."""


def format_number(number):
    """A number in scientific notation with its sign and `options.digits` significant digits; None gives no text.

    Parameters
    ----------
    number : float, None, or an array that holds one number

    Returns
    -------
    str, filled with blanks to the width of a finite number where it is NAN, +INF or -INF

    Raises
    ------
    ParameterError
        When `options.digits` is not a positive integer.

    Examples
    --------
    >>> from compecon.blp.tables import format_number, format_se
    >>> format_number(0.5580935703981281), format_se(0.16253259870815484)
    ('+5.580936E-01', '(+1.625326E-01)')
    >>> format_number(None)
    ''
    """
    if number is None:
        return ""
    digits = positive_integer(options.digits, "options.digits")
    text = f"{float(_plain(number)):^+{digits + 6}.{digits - 1}E}"
    return text.replace("+", " ") if "NAN" in text else text


def format_se(number):
    """`format_number` in parentheses; None gives no text."""
    text = format_number(number)
    return text.replace(text.strip(), f"({text.strip()})") if text else text


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    r"""A titled table, printed as text and shown as HTML in a notebook.

    Parameters
    ----------
    title : str
    header : sequence of str
        One heading a column; a line break in a heading breaks it in print.
    rows : sequence of sequences
        Cells: str, int, bool (Yes or No), float, StandardError, None (blank). A short row is filled with blanks; an
        empty one leaves a gap in print and is left out elsewhere.
    notes : sequence of str
        Lines below the table.
    labels : sequence of int
        The columns that name the rows. A bar stands before each but the first.

    Examples
    --------
    >>> from compecon.blp.tables import Table
    >>> print(Table("Counts", ("Product:", "Markets"), [("wheat <1>", 94)], labels=(0,)))
    Counts:
    ==================
    Product:   Markets
    ---------  -------
    wheat <1>    94
    ==================
    """

    title: str
    header: tuple
    rows: tuple
    notes: tuple = ()
    labels: tuple = ()

    def __str__(self):
        heads = [heading.split("\n") for heading in self.header]
        depth = max(map(len, heads))
        top = zip(*([""] * (depth - len(lines)) + lines for lines in heads))
        body = [[_text(cell) for cell in row] + [""] * (len(heads) - len(row)) for row in self.rows]
        cells = [*top, *body]
        widths = [max(map(len, column)) for column in zip(*cells)]
        bars = ["  |" if k + 1 in self.labels[1:] else "" for k in range(len(widths))]
        lines = ["  ".join(f"{c:^{w}}{bar}" for c, w, bar in zip(row, widths, bars))
                 for row in [*cells[:depth], ["-" * width for width in widths], *body]]
        rule = "=" * len(lines[0])
        return "\n".join([f"{self.title}:", rule, *(line.rstrip() for line in lines), rule, *self.notes])

    __repr__ = __str__

    def _columns(self):
        """The headings, each on one line."""
        return [heading.replace("\n", " ").strip() for heading in self.header]

    def _filled(self):
        """The rows that hold something, each with a cell for every column."""
        return [[*row, *[None] * (len(self.header) - len(row))] for row in self.rows if len(row)]

    def to_html(self):
        """The table as HTML, everything in it escaped."""
        def cell(k, value):
            tag, scope = ("th", ' scope="row"') if k in self.labels and value is not None else ("td", "")
            return f"<{tag}{scope}>{escape(_text(value).strip())}</{tag}>"

        heads = (escape(heading.strip()).replace("\n", "<br>") for heading in self.header)
        head = "".join(f'<th scope="col">{heading}</th>' for heading in heads)
        body = "\n".join(f"<tr>{''.join(cell(*pair) for pair in enumerate(row))}</tr>" for row in self._filled())
        foot = "".join(f'<tr><td colspan="{len(self.header)}">{escape(note)}</td></tr>' for note in self.notes)
        return (
            f'<table style="white-space: nowrap">\n<caption>{escape(self.title)}</caption>\n'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
            f"{f'<tfoot>{foot}</tfoot>' if foot else ''}</table>"
        )

    _repr_html_ = to_html

    def to_latex(self):
        """The table as LaTeX, for a document that loads booktabs; names are escaped."""
        columns = "".join(r"@{\qquad}" * (k in self.labels[1:]) + ("l" if k in self.labels else "r")
                          for k in range(len(self.header)))
        head = [_latex(heading.strip()) for heading in self.header]
        head = [rf"\shortstack{{{name}}}".replace("\n", r"\\") if "\n" in name else name for name in head]
        top, *rest = (" & ".join(cells) + r" \\" for cells in [head, *(map(_latex, row) for row in self._filled())])
        notes = [rf"\par\smallskip {{\footnotesize {_latex(note)}}}" for note in self.notes]
        return "\n".join([
            r"\begin{table}", r"\centering", rf"\caption{{{_latex(self.title)}}}",
            rf"\begin{{tabular}}{{{columns}}}", r"\toprule", top, r"\midrule", *rest, r"\bottomrule", r"\end{tabular}",
            *notes, r"\end{table}",
        ])

    def to_frame(self):
        """The table as a DataFrame of unrounded numbers; if it has standard errors, its index tells where."""
        rows = self._filled()
        errors = [any(isinstance(cell, StandardError) for cell in row) for row in rows]
        index = ["se" if error else "estimate" for error in errors] if any(errors) else None
        return pd.DataFrame(rows, columns=self._columns(), index=index)

    def to_csv(self):
        """The table as comma-separated values, every digit kept."""
        frame = self.to_frame()
        return frame.to_csv(index=frame.index.dtype.kind != "i", lineterminator="\n")


def dimensions_table(dimensions):
    """The sizes of a problem, {name: count}; a name whose count is zero is left out."""
    present = {name: _plain(count) for name, count in dimensions.items() if count > 0}
    return Table("Dimensions", tuple(f" {name} " for name in present), (tuple(present.values()),))


def formulations_table(rows):
    """What enters where: (label, names of the columns) pairs; a label without names is left out."""
    rows = tuple((label, *names) for label, names in rows if len(names))
    counts = range(max(map(len, rows)) - 1)
    return Table("Formulations", ("Column Indices:", *(f" {k} " for k in counts)), rows, labels=(0,))


def summary_table(title, values):
    """One row of facts, {heading: value}; a heading whose value is None does not apply and is left out."""
    present = {heading: _plain(value) for heading, value in values.items() if value is not None}
    return Table(title, tuple(present), (tuple(present.values()),))


def nonlinear_table(sigma, pi, sigma_se, pi_se, x2_names, d_names, se_type, clusters=None, free=None):
    """The lower triangle of Sigma, and Pi, each estimate above its standard error.

    Parameters
    ----------
    sigma, sigma_se : (K2, K2) float; `sigma_se` None: no standard errors
    pi, pi_se : (K2, D) float, None when D = 0
    x2_names, d_names : sequences of K2 and D str
    se_type : 'robust', 'unadjusted' or 'clustered'
    clusters : int, how many; for 'clustered' only
    free : (K2, K2 + D) bool, optional
        Which elements of [Sigma | Pi] are estimated; the others show no standard error. Without it they are told by
        a standard error of NaN.

    Examples
    --------
    >>> from compecon.blp.tables import nonlinear_table
    >>> nonlinear_table([[0.5]], [[2.0]], [[0.1]], [[0.4]], ["prices"], ["income"], "robust")
    Nonlinear Coefficient Estimates (Robust SEs in Parentheses):
    ===================================================
    Sigma:      prices       |   Pi:        income
    ------  ---------------  |  ------  ---------------
    prices   +5.000000E-01   |  prices   +2.000000E+00
            (+1.000000E-01)  |          (+4.000000E-01)
    ===================================================
    """
    K2, estimates = len(x2_names), _loadings(sigma, pi)
    errors = None if sigma_se is None else _loadings(sigma_se, pi_se)
    header = ("Sigma:", *x2_names, *(("Pi:", *d_names) if len(d_names) else ()))
    shown = np.ones(estimates.shape, dtype=bool)
    shown[:, :K2] = np.tril(shown[:, :K2])

    def line(label, values, visible):
        cells = [value if show else None for value, show in zip(values, visible)]
        return (label, *cells[:K2], label, *cells[K2:])[:len(header)]

    rows = []
    for k, name in enumerate(x2_names):
        if errors is not None and k > 0:
            rows.append(())
        rows.append(line(name, estimates[k].tolist(), shown[k]))
        if errors is not None:
            estimated = ~np.isnan(errors[k]) if free is None else np.asarray(free[k])
            rows.append(line(None, map(StandardError, errors[k]), shown[k] & estimated))
    title = _estimates("Nonlinear Coefficient", errors, se_type, clusters)
    return Table(title, header, tuple(rows), labels=(0, K2 + 1) if len(d_names) else (0,))


def beta_table(beta, beta_se, x1_names, se_type, clusters=None):
    """The linear coefficients, (K1,) or (K1, 1), above their standard errors; `beta_se` None: no standard errors."""
    rows = [np.ravel(beta).tolist()]
    if beta_se is not None:
        rows.append([StandardError(error) for error in np.ravel(beta_se)])
    return Table(_estimates("Beta", beta_se, se_type, clusters), tuple(x1_names), tuple(rows))


def micro_table(rows):
    """Micro moments, one row a part.

    `rows` holds (observed, estimated, name of the moment, parts), and `parts` (name of the part, name of its dataset,
    observations, number of markets or None for all).
    """
    lines = []
    for observed, estimated, moment, parts in rows:
        observed, estimated = float(_plain(observed)), float(_plain(estimated))
        lead = (observed, estimated, observed - estimated, moment)
        for part, dataset, observations, markets in parts:
            lines.append((*lead, part, dataset, _plain(observations), "All" if markets is None else markets))
            lead = (None,) * 4
    header = ("Observed", "Estimated", "Difference", "Moment", "Part", "Dataset", "Observations", "Markets")
    return Table("Estimated Micro Moments", header, tuple(lines))


def _estimates(name, errors, se_type, clusters):
    """The title of a table of estimates."""
    one_of(se_type, ("robust", "unadjusted", "clustered"), "se_type")
    if errors is None:
        return f"{name} Estimates"
    kind = "Unadjusted SEs" if se_type == "unadjusted" else "Robust SEs"
    if se_type == "clustered":
        kind += f" Adjusted for {positive_integer(clusters, 'clusters')} Clusters"
    return f"{name} Estimates ({kind} in Parentheses)"


def _loadings(sigma, pi):
    """[Sigma | Pi] as one (K2, K2 + D) array; `pi` None: D = 0."""
    sigma = np.asarray(sigma, dtype=np.float64)
    return np.hstack([sigma, np.reshape([] if pi is None else pi, (len(sigma), -1))])


def _plain(value):
    """A number of numpy, or an array that holds one, as Python's own; anything else as it is."""
    return value.item() if isinstance(value, (np.generic, np.ndarray)) else value


def _text(cell):
    """A cell as it is printed."""
    if isinstance(cell, bool):
        return "Yes" if cell else "No"
    if isinstance(cell, StandardError):
        return format_se(cell)
    return format_number(cell) if cell is None or isinstance(cell, float) else str(cell)


def _latex(cell):
    """A cell in LaTeX, floats as a mantissa times a power of ten."""
    if not isinstance(cell, float):
        return _text(cell).translate(_LATEX)
    number = format_number(cell).strip()
    if np.isfinite(cell):
        mantissa, exponent = number.split("E")
        power = rf" \times 10^{{{int(exponent)}}}" if int(exponent) else ""
        number = f"${mantissa}{power}$"
    return f"({number})" if isinstance(cell, StandardError) else number
