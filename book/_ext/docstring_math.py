"""Formulas in docstrings, between dollar signs as in the book, become formulas of the API reference."""

import re
import textwrap

_DISPLAYED = re.compile(r"^([ ]*)\$\$(.+?)\$\$[ ]*$", flags=re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"(?<![\\$\w])\$([^$]+)\$(?![$\w])")


def with_math(text):
    """Return a docstring in which formulas are reStructuredText.

    >>> print(with_math("The sum of $x^2$."))
    The sum of :math:`x^2`.
    """
    def displayed(match):
        indent, formula = match[1], textwrap.dedent(match[2]).strip().replace("\n", " ")
        return f"{indent}.. math::\n\n{indent}   {re.sub(r'[ ]+', ' ', formula)}\n"

    return _INLINE.sub(r":math:`\1`", _DISPLAYED.sub(displayed, text))


def convert(app, what, name, obj, options, lines):
    """Replace the lines of a docstring in place, as autodoc asks."""
    if any("$" in line for line in lines):
        lines[:] = with_math("\n".join(lines)).split("\n")


def setup(app):
    """Listen before napoleon, which reads the sections."""
    app.connect("autodoc-process-docstring", convert, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
