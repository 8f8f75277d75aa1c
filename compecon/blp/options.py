"""Printing options, named as pyblp names them: `blp.options.digits = 2` holds for every table printed from then on.

Attributes
----------
digits : int, 7
    Significant digits of a printed number.
verbose : bool, False
    Whether `solve` reports its progress. pyblp's default is True; here everything is silent until asked.

Examples
--------
>>> from compecon.blp import options
>>> from compecon.blp.tables import format_number
>>> format_number(-62.7298962)
'-6.272990E+01'
>>> options.digits = 2
>>> format_number(-62.7298962)
'-6.3E+01'
>>> options.digits = 7
"""

digits = 7
verbose = False
