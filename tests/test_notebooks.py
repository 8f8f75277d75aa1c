"""The committed notebooks are what tools/build_notebooks.py makes of the chapters, and they run."""

import json
from pathlib import Path

import nbformat
import pytest
from build_notebooks import build_all

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

HEADER = """\
---
jupytext:
  text_representation: {extension: .md, format_name: myst}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""

CHAPTER = HEADER + r"""
(buses)=
# Buses

{cite:t}`rust1987` and others {cite:p}`rust1987`; see {eq}`bellman`, {numref}`fig-value`, {numref}`fig %s <fig-value>`,
{ref}`the first <ex-first>`, {ref}`ex-second`, {doc}`../plain`, {doc}`08-data`, [data](08-data.md#top),
`{eq}` in code, $E[v](x)$, {func}`compecon.likelihood.fit`.

$$
V = T(V)
$$ (bellman)

The value is {glue:text}`rc:.2f`.

:::{warning} Slow
One *line*.

```python
x = 1
```
:::

```{figure} ../_static/logo.svg
:name: fig-logo
A logo.
```

::::{exercise} Count
:label: ex-first
How many? See {eq}`bellman`.

```python
answer = ...
```
::::

```{solution} ex-first
:class: dropdown
SECRET answer {eq}`bellman`
```

```{exercise}
:label: ex-second
Again.
```

```{solution-start} ex-second
:class: dropdown
```

SECRET text

```{code-cell} ipython3
hidden = "SECRET"
```

```{solution-end}
```

```{code-cell} ipython3
:tags: [solution]
"SECRET"
```

```{code-cell} ipython3
:tags: [book-only, remove-cell]
from myst_nb import glue
glue("rc", f"{fit.params['RC']:.2f}", display=False)
```

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-value
    caption: The value, as in {eq}`bellman`.
---
draw()
```
"""


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    """The cells of a small chapter that uses every construct, as (type, source)."""
    root = tmp_path_factory.mktemp("book")
    (root / "book/chapters").mkdir(parents=True)
    (root / "book/references.bib").write_text((ROOT / "book/references.bib").read_text())
    (root / "book/plain.md").write_text("# A plain page\n")
    (root / "book/chapters/08-data.md").write_text(HEADER + "\n# The data\n\n```{code-cell} ipython3\n1\n```\n")
    (root / "book/chapters/09-nfxp.md").write_text(CHAPTER)
    notebooks = build_all(root)
    assert set(notebooks) == {"08-data.ipynb", "09-nfxp.ipynb"}
    return nbformat.reads(notebooks["09-nfxp.ipynb"], as_version=4)


def text_of(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells)


def test_the_first_cell_installs_on_colab_only(chapter):
    first = chapter.cells[0]
    assert first.cell_type == "code" and "google.colab" in first.source and "%pip install" in first.source


def test_solutions_and_book_only_cells_are_left_out(chapter):
    assert "SECRET" not in text_of(chapter) and "myst_nb" not in text_of(chapter)


def test_a_lecturers_copy_holds_the_solutions():
    for name, text in build_all(solutions=True).items():
        cells = nbformat.reads(text, as_version=4).cells
        solved = [cell.source for cell in cells if cell.cell_type == "markdown" and "**Solution**" in cell.source]
        exercises = [cell for cell in cells if cell.cell_type == "markdown" and "### Exercise" in cell.source]
        assert bool(solved) == bool(exercises), name
        if name == "09-nfxp.ipynb":
            assert sum(source.count("**Solution**") for source in solved) == 6
            assert any("def log_choice(gap, d):\n    return -np" in cell.source for cell in cells)


def test_no_directive_or_role_is_left(chapter):
    text = text_of(chapter).replace("`{eq}` in code", "")
    assert ":::" not in text and "```{" not in text and "}`" not in text and ")=" not in text


@pytest.mark.parametrize("phrase", [
    "Rust (1987) and others (Rust, 1987); see (9.1), Figure 9.2, fig 9.2,",
    "the first, Exercise 9.2, A plain page, [The data](08-data.ipynb), [data](08-data.ipynb#top),\n"
    "`{eq}` in code, $E[v](x)$, `compecon.likelihood.fit`.",
    "$$\nV = T(V)\n\\tag{9.1}\n$$",
    "The value is `fit.params['RC']`.",
    "> **Warning: Slow**\n>\n> One *line*.\n>\n> ```python\n> x = 1\n> ```",
    "![](../book/_static/logo.svg)\n\n**Figure 9.1.** A logo.",
    "### Exercise 9.1: Count\n\nHow many? See (9.1).",
    "### Exercise 9.2\n\nAgain.",
    "**Figure 9.2.** The value, as in (9.1).",
    "- Rust, John (1987). Optimal Replacement of GMC Bus Engines: An Empirical Model of Harold Zurcher. "
    "*Econometrica* 55(5), 999–1033.",
])
def test_a_construct_becomes_plain_markdown(chapter, phrase):
    assert phrase in text_of(chapter)


def test_starter_code_of_an_exercise_becomes_a_cell(chapter):
    cell = next(cell for cell in chapter.cells if cell.source == "answer = ...")
    assert cell.cell_type == "code" and cell.metadata.tags == ["raises-exception"]


def test_an_unknown_directive_is_an_error(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "book/references.bib").write_text("")
    page = "\n# Page\n\n:::{mystery}\n:::\n\n```{code-cell} ipython3\n1\n```\n"
    (tmp_path / "book/page.md").write_text(HEADER + page)
    with pytest.raises(ValueError, match="page.md: the directive 'mystery' has no form"):
        build_all(tmp_path)


def test_committed_notebooks_equal_a_fresh_generation():
    committed = {path.name: path.read_text(encoding="utf-8") for path in NOTEBOOKS}
    fresh = build_all()
    assert set(committed) == set(fresh), "run make notebooks"
    stale = [name for name in fresh if committed[name] != fresh[name]]
    assert not stale, f"run make notebooks: {', '.join(stale)}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_committed_notebooks_hold_no_output(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
    assert len({cell["id"] for cell in cells}) == len(cells)


@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs(path):
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}}).execute()
