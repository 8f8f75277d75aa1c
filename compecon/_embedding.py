"""Data for a page's script, inside the page: what live figures and answer boxes are made with."""

import json


def embedded(data):
    """Return plain data as JSON that cannot end the script element it stands in; raise ValueError for NaN.

    >>> embedded({"name": "</script>"})
    '{"name":"\\\\u003c/script>"}'
    """
    return json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
