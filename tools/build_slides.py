"""Build the lectures, slides for reveal.js that work without a network: _build/html/lectures/*.html.

Run as `make slides`. A deck is a MyST notebook, book/lectures/*.md, in plain Markdown and `$math$`:
- a heading of the first or second level begins a slide;
- a Markdown cell tagged `notes` is for the speaker (press S on a slide);
- a code cell is executed; its code is shown unless it is tagged `remove-input`, its results unless `remove-output`.
A deck computes with the same `compecon` as the book, and shows the same live figures.
"""

import importlib.util
import re
import shutil
import sys
from html import escape
from pathlib import Path

import jupytext
import nbformat
from build_notebooks import tags
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from compecon.live.bundle import script, style

ROOT = Path(__file__).resolve().parents[1]
DECKS, TARGET = ROOT / "book/lectures", ROOT / "_build/html/lectures"
# What tex-chtml.js never asks for.
UNUSED = shutil.ignore_patterns("*svg*", "*mml-*", "sre", "node-main.js", "*-full*")
# Live figures show their HTML face, which needs no widget manager.
PRIORITY = ["text/html", "image/svg+xml", "image/png", "text/latex", "text/markdown", "text/plain"]
_HEADING = re.compile(r"^(?=##? )", flags=re.MULTILINE)


def package_folder(name, *parts):
    """Return a folder of files that an installed package brings along."""
    return Path(importlib.util.find_spec(name).origin).parent.joinpath(*parts)


def executed(path):
    """Return a deck's notebook with its results."""
    notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md:myst")
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    return notebook


def slides_of(notebook):
    """Return the slides as lists of cells; each begins with its heading."""
    slides = []
    for cell in notebook.cells:
        if cell.cell_type != "markdown" or "notes" in tags(cell):
            slides[-1].append(cell)
            continue
        for text in filter(str.strip, _HEADING.split(cell.source)):
            if re.match("##? ", text):
                slides.append([])
            slides[-1].append(nbformat.v4.new_markdown_cell(text.strip()))
    return slides


def exporter():
    """Return what turns cells into HTML: Markdown, highlighted code, results."""
    removed = {"remove_input_tags": {"remove-input"}, "remove_all_outputs_tags": {"remove-output"}, "enabled": True}
    config = Config({"NbConvertBase": {"display_data_priority": PRIORITY}, "TagRemovePreprocessor": removed})
    return HTMLExporter(template_name="basic", config=config, exclude_anchor_links=True, exclude_input_prompt=True,
                        exclude_output_prompt=True)


def section(cells, export):
    """Return a slide as HTML; what is for the speaker stands in its aside."""
    def html(part):
        return export.from_notebook_node(nbformat.v4.new_notebook(cells=part))[0] if part else ""

    notes = [cell for cell in cells if "notes" in tags(cell)]
    shown = [cell for cell in cells if cell not in notes]
    aside = f'<aside class="notes">{html(notes)}</aside>' if notes else ""
    return f"<section>{html(shown)}{aside}</section>"


def page(path, export):
    """Return a deck as an HTML page."""
    slides = slides_of(executed(path))
    title = re.match(r"# (.+)", slides[0][0].source)[1]
    template = (DECKS / "_slides/page.html").read_text(encoding="utf-8")
    sections = "\n".join(section(cells, export) for cells in slides)
    return template.replace("{{title}}", escape(title)).replace("{{sections}}", sections), len(slides)


def copy_assets():
    """Put beside the slides what they load: reveal.js, MathJax, the live figures."""
    folder = TARGET / "assets"
    shutil.rmtree(folder, ignore_errors=True)
    reveal = package_folder("sphinx_revealjs", "_static", "revealjs")
    for part in ("dist", "plugin/notes"):
        shutil.copytree(reveal / part, folder / "reveal" / part, ignore=shutil.ignore_patterns("*.map", "*.esm.js"))
    shutil.copyfile(reveal / "LICENSE", folder / "reveal/LICENSE")
    mathjax = package_folder("sphinx-mathjax-offline", "static", "mathjax")
    shutil.copytree(mathjax, folder / "mathjax", ignore=UNUSED)
    colours = HtmlFormatter().get_style_defs(".highlight")
    own = (DECKS / "_slides/slides.css").read_text(encoding="utf-8")
    (folder / "slides.css").write_text("\n".join([colours, style(), own]), encoding="utf-8")
    (folder / "live.js").write_text(script(), encoding="utf-8")
    shutil.copyfile(DECKS / "_slides/slides.js", folder / "slides.js")


def main(names):
    """Build the decks of these names, or all."""
    TARGET.mkdir(parents=True, exist_ok=True)
    copy_assets()
    export = exporter()
    for path in sorted(DECKS.glob("*.md")):
        if not names or path.stem in names:
            text, count = page(path, export)
            (TARGET / f"{path.stem}.html").write_text(text, encoding="utf-8")
            print(f"lectures/{path.stem}.html: {count} slides")


if __name__ == "__main__":
    main(sys.argv[1:])
