"""What a chapter may refer to: numbered equations, figures, tables, exercises, theorems; pages; the bibliography.

Numbers follow the book's: the chapter's number is that of its file name (09-nfxp.md), each kind counts from one.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import jupytext
from myst_blocks import split_blocks
from pybtex.database import parse_file

ROOT = Path(__file__).resolve().parents[1]
_TARGET = re.compile(r"^\(([\w:.-]+)\)=\s*$")
_KINDS = {"figure": "Figure", "glue:figure": "Figure", "table": "Table", "list-table": "Table", "exercise": "Exercise",
          "exercise-start": "Exercise"}


@dataclass
class Page:
    """One source file of the book: its notebook as jupytext reads it, and the numbers of what it holds."""

    path: Path
    notebook: object
    title: str = ""
    numbers: dict = field(default_factory=dict)  # (kind, position) -> "Figure 9.1"
    counts: dict = field(default_factory=dict)

    @property
    def has_code(self):
        """Whether the page holds a code cell, so that students get it as a notebook."""
        return any(cell.cell_type == "code" for cell in self.notebook.cells)

    def number(self, kind):
        """Return the next number of a kind: Exercise 9.1, Exercise 9.2, ..."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        chapter = re.match(r"(\d\d)-", self.path.name)
        return f"{int(chapter[1])}.{self.counts[kind]}" if chapter else f"{self.counts[kind]}"


@dataclass
class Book:
    """All pages, what their labels stand for, and the bibliography."""

    pages: dict  # path -> Page
    labels: dict  # label -> readable text
    bibliography: dict  # key -> pybtex entry


def has_figure(cell):
    """Return the figure metadata (caption, name) of a code cell, or None."""
    return cell.metadata.get("mystnb", {}).get("figure")


def kind_of(block):
    """Return what a block is counted as (Figure, Exercise, Theorem, ...), or None when it has no number."""
    if block.kind == "math" or (block.kind == "directive" and block.name == "math"):
        return "Equation" if block.label else None
    if block.kind != "directive" or "nonumber" in block.options:
        return None
    if block.name.startswith("prf:") and block.name != "prf:proof":
        return block.name.removeprefix("prf:").capitalize()
    if block.name == "figure" and not (block.label or block.lines):
        return None
    return _KINDS.get(block.name)


def number_blocks(page, lines, labels):
    """Walk the blocks of a page in order, number them, and note what their labels stand for."""
    target = None
    for block in split_blocks(lines):
        kind = kind_of(block)
        if kind:
            number = page.number(kind)
            page.numbers[kind, page.counts[kind]] = number
            if block.label:
                labels[block.label] = f"({number})" if kind == "Equation" else f"{kind} {number}"
        if block.kind == "directive":
            number_blocks(page, block.lines, labels)
        for line in block.lines if block.kind == "text" else []:
            match = _TARGET.match(line)
            if match:
                target = match[1]
            elif line.startswith("#") and target:
                labels[target], target = line.lstrip("# ").strip(), None


def read_page(path, labels):
    """Read one source file and number what it holds."""
    notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md:myst")
    page = Page(path, notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = re.search(r"^# (.+)$", cell.source, flags=re.M)
            page.title = page.title or (heading[1].strip() if heading else "")
            number_blocks(page, cell.source.split("\n"), labels)
        elif cell.cell_type == "code" and has_figure(cell):
            number = page.number("Figure")
            page.numbers["Figure", page.counts["Figure"]] = number
            labels[has_figure(cell).get("name", "")] = f"Figure {number}"
    return page


def read_book(root=ROOT):
    """Read all pages under `book/` and its bibliography; the lectures are slides and no pages."""
    folder, labels = root / "book", {}
    paths = (path for path in sorted(folder.rglob("*.md")) if "lectures" not in path.relative_to(folder).parts)
    pages = {path: read_page(path, labels) for path in paths}
    return Book(pages, labels, dict(parse_file(str(folder / "references.bib")).entries))


def _plain(text):
    """Return BibTeX text without its braces and dashes."""
    return re.sub(r"[{}]", "", text).replace("``", '"').replace("''", '"').replace("--", "–")


def cite(book, keys, textual):
    """Return `Rust (1987)` or `(Rust, 1987)` for one or more keys of the bibliography."""
    parts = []
    for key in (key.strip() for key in keys.split(",")):
        if key not in book.bibliography:
            raise ValueError(f"{key!r} is not in book/references.bib")
        entry = book.bibliography[key]
        names = [_plain(" ".join(person.last_names)) for person in entry.persons["author"]]
        who = names[0] if len(names) == 1 else f"{names[0]} and {names[1]}" if len(names) == 2 else f"{names[0]} et al."
        parts.append(f"{who} ({entry.fields['year']})" if textual else f"{who}, {entry.fields['year']}")
    return ", ".join(parts) if textual else f"({'; '.join(parts)})"


def full_reference(book, key):
    """Return one line for the list of references at the end of a notebook."""
    entry = book.bibliography[key]
    authors = ", ".join(_plain(str(person)) for person in entry.persons["author"])
    fields = {name: _plain(entry.fields[name]) for name in entry.fields}
    where = fields.get("journal") or fields.get("booktitle") or fields.get("publisher", "")
    number = f"({fields['number']})" if "number" in fields else ""
    volume = f" {fields['volume']}{number}" if "volume" in fields else ""
    pages = f", {fields['pages']}" if "pages" in fields else ""
    return f"- {authors} ({fields['year']}). {fields['title']}. *{where}*{volume}{pages}."
