"""Write notebooks/*.ipynb from the chapters of the book that hold code. Run it as `make notebooks`.

`make notebooks SOLUTIONS=1` writes a lecturer's copy, with solutions, into _build/notebooks; it is never committed.

The chapters are the single source. A notebook holds their text in plain Markdown and their code, without outputs, and
- starts with a cell that installs the package when it runs on Google Colab;
- leaves out solutions: `solution` directives, and cells tagged `solution`;
- leaves out cells tagged `book-only`: above all those that `glue` a number into the text, where the
  notebook names the expression instead;
- shows cells tagged `notebook-only`, which the book hides with `remove-cell`: sliders that need a kernel;
- turns a ```python fence inside an exercise into a cell for the student to fill in.
The result depends on the sources alone, so a test can hold the committed notebooks equal to a fresh run.
"""

import ast
import hashlib
import sys
from pathlib import Path

import nbformat
from book_index import full_reference, has_figure, read_book
from myst_to_markdown import Converter

ROOT = Path(__file__).resolve().parents[1]
INSTALL = """\
# On Google Colab this cell installs the package. Anywhere else it does nothing.
try:
    import google.colab
except ImportError:
    pass
else:
    %pip install -q "compecon-course[plot] @ git+https://github.com/compecon-course/compecon-course"
"""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def tags(cell):
    """Return the tags of a cell as a set."""
    return set(cell.metadata.get("tags", []))


def glued_names(notebook):
    """Return {name: expression} for every `glue("name", expression)` of a chapter's code."""
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and "glue" in cell.source:
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "glue":
                    found[node.args[0].value] = _inner(node.args[1])
    return found


def _inner(node):
    """Return the expression inside an f-string or a call of round, float or str."""
    if isinstance(node, ast.JoinedStr):
        values = [part for part in node.values if isinstance(part, ast.FormattedValue)]
        return _inner(values[0].value) if len(values) == 1 else ast.unparse(node)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("round", "float", "int", "str"):
        return _inner(node.args[0])
    return ast.unparse(node)


def notebook_cells(book, page, solutions=False):
    """Return the cells of a page's notebook as (kind, source, tags), for students or with the solutions."""
    convert = Converter(book, page, glued_names(page.notebook), solutions)
    left_out = {"book-only"} if solutions else {"book-only", "solution"}
    cells = [("code", INSTALL.strip(), [])]
    for cell in page.notebook.cells:
        if cell.cell_type == "markdown":
            pieces = convert.cell(cell.source)
            starter = [("code", text, ["raises-exception"]) for kind, text in pieces if kind == "code"]
            kept = [starter.pop(0) if kind == "code" else (kind, text, []) for kind, text in pieces]
            cells.extend(kept if not tags(cell) & left_out else [])
            continue
        figure = has_figure(cell)
        number = convert.next_number("Figure") if figure else None
        if convert.in_solution or tags(cell) & left_out:
            continue
        if "myst_nb" in cell.source:
            raise ValueError(f"{page.path.name}: a cell that uses myst_nb needs the tag book-only:\n{cell.source}")
        cells.append(("code", cell.source, sorted(tags(cell) & {"raises-exception"})))
        if figure and figure.get("caption"):
            cells.append(("markdown", f"**Figure {number}.** {convert.inline(figure['caption'].strip())}", []))
    if convert.cited:
        references = [full_reference(book, key) for key in sorted(convert.cited)]
        cells.append(("markdown", "\n".join(["## References", "", *references]), []))
    return cells


def build(book, page, solutions=False):
    """Return a page's notebook as the text of an .ipynb file."""
    notebook, seen = nbformat.v4.new_notebook(metadata=METADATA), {}
    for kind, source, cell_tags in notebook_cells(book, page, solutions):
        digest = hashlib.sha256(f"{kind}\n{source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1  # a cell keeps its id when cells around it change
        new = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        cell = new(source, id=digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
        if cell_tags:
            cell.metadata["tags"] = cell_tags
        notebook.cells.append(cell)
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def build_all(root=ROOT, solutions=False):
    """Return {file name: text} for every page of the book that holds code."""
    book = read_book(root)
    notebooks = {}
    for path, page in book.pages.items():
        if page.has_code:
            name = f"{path.stem}.ipynb"
            if name in notebooks:
                raise ValueError(f"two pages of the book would be written to notebooks/{name}; rename one")
            notebooks[name] = build(book, page, solutions)
    return notebooks


def main(solutions):
    """Write the notebooks, and remove those whose chapter is gone."""
    folder = ROOT / "_build/notebooks" if solutions else ROOT / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    notebooks = build_all(solutions=solutions)
    for path in folder.glob("*.ipynb"):
        if path.name not in notebooks:
            path.unlink()
    for name, text in notebooks.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{folder.relative_to(ROOT)}/: {', '.join(sorted(notebooks))}")


if __name__ == "__main__":
    main(solutions="--solutions" in sys.argv[1:])
