"""How objects show themselves, and how messages list ids."""


class Printed:
    """Shows the tables that `_tables` returns, by default the one of `table`: as text, or as HTML in a notebook."""

    def __repr__(self):
        return "\n\n".join(map(str, self._tables()))

    def _repr_html_(self):
        return "".join(table.to_html() for table in self._tables())

    def _tables(self):
        return (self.table(),)


def named(ids, most=5):
    """The first few ids, quoted, and how many more."""
    shown = ", ".join(f"'{one}'" for one in ids[:most])
    return shown if len(ids) <= most else f"{shown} and {len(ids) - most} more"
