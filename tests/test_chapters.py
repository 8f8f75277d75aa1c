"""Every chapter has the form that the book promises: its parts, its length, short cells, exercises that are checked."""

import re
from pathlib import Path
from statistics import median

import jupytext
import pytest
from myst_blocks import split_blocks

from compecon import live
from compecon.exercises.catalogue import chapters, exercises_of

FOLDER = Path(__file__).resolve().parents[1] / "book/chapters"
FILES = sorted(FOLDER.glob("*.md"))
FIRST_FIGURES = {path.name: re.findall(r"live\.([A-Z]\w+)\(", path.read_text(encoding="utf-8"))[:1] for path in FILES}
FILLER = re.compile(r"\b(clearly|obviously|of course|simply|it is easy to see|trivially|needless to say|note that|"
                    r"state[- ]of[- ]the[- ]art|cutting[- ]edge|powerful)\b", re.IGNORECASE)


def number_of(path):
    return int(path.name[:2])


@pytest.fixture(params=FILES, ids=lambda path: path.stem, scope="module")
def chapter(request):
    """(path, source, notebook) of one chapter."""
    source = request.param.read_text(encoding="utf-8")
    return request.param, source, jupytext.reads(source, fmt="md:myst")


def cells(notebook, kind):
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def prose(lines):
    """The running text of a page's lines: without code, formulas, directives' fences and options."""
    for block in split_blocks(lines):
        if block.kind == "text":
            yield from (line for line in block.lines if not line.startswith("%"))
        elif block.kind == "directive" and block.name != "math":
            yield from prose(block.lines)


def words(notebook):
    """How many words of prose a chapter has; a formula in the text counts as one, a role as its content."""
    text = "\n".join(line for cell in cells(notebook, "markdown") for line in prose(cell.source.split("\n")))
    text = re.sub(r"\{math\}`[^`]*`", "x", text)
    text = re.sub(r"\{[\w:.+-]+\}`([^`]*)`", r"\1", text)
    return len(re.findall(r"[^\W_][\w'’.,-]*", text))


def directives(notebook, name):
    """The directives of that name in a chapter, in order."""
    def walk(lines):
        for block in split_blocks(lines):
            if block.kind == "directive":
                yield block
                yield from walk(block.lines)

    found = (block for cell in cells(notebook, "markdown") for block in walk(cell.source.split("\n")))
    return [block for block in found if block.name == name]


def test_all_nineteen_chapters_are_there_with_their_exercises():
    assert [number_of(path) for path in FILES] == list(range(1, 20)) == chapters()


def test_each_chapter_shows_a_live_figure_first_and_no_two_the_same():
    figures = [names[0] for names in FIRST_FIGURES.values() if names]
    assert len(figures) == len(set(figures)) == len(FILES) and set(figures) == set(live.__all__)


def test_a_chapter_begins_with_its_question_and_ends_with_its_reading(chapter):
    _, source, _ = chapter
    body = source.split("---\n", 2)[2].strip()
    assert re.match(r"# .+\n\n\*\*.+\?\*\*\n\nAfter this chapter you can\n", body, flags=re.DOTALL)
    headings = re.findall(r"^## (.+)$", source, flags=re.MULTILINE)
    assert headings[-4:] == ["What can go wrong", "Exercises", "Summary", "Reading"]
    summary = source.split("## Summary\n")[1].split("## Reading")[0]
    assert len(re.findall(r"^- ", summary, flags=re.MULTILINE)) == 5


def test_a_chapter_is_short_enough_to_be_read(chapter):
    assert 1_500 <= words(chapter[2]) <= 2_500


def test_cells_are_short(chapter):
    lengths = [len(cell.source.splitlines()) for cell in cells(chapter[2], "code")]
    assert max(lengths) <= 25 and median(lengths) <= 5


def test_nothing_is_installed_or_fetched_and_nothing_fills_the_page(chapter):
    _, source, notebook = chapter
    code = "\n".join(cell.source for cell in cells(notebook, "code"))
    assert not re.search(r"pip install|https?://|urlopen", code)
    assert FILLER.findall("\n".join(cell.source for cell in cells(notebook, "markdown"))) == []


def test_each_exercise_has_a_check_and_a_solution_that_is_checked(chapter):
    path, _, notebook = chapter
    number = number_of(path)
    exercises, expected = directives(notebook, "exercise"), exercises_of(number)
    assert 5 <= len(expected) <= 7
    assert [block.label for block in exercises] == [f"ex-{number}-{k + 1}" for k in range(len(expected))]
    assert [block.argument for block in directives(notebook, "solution-start")] == [b.label for b in exercises]
    solutions = [cell.source for cell in cells(notebook, "code") if "solution" in cell.metadata.get("tags", [])]
    for block, exercise in zip(exercises, expected):
        text = "\n".join(block.lines)
        assert exercise.number == block.label.removeprefix("ex-").replace("-", ".")
        assert re.search(r"\*(Core|Further), (predict|compute|implement|debug|interpret)\.\*", text), exercise.number
        assert f'check("{exercise.number}"' in text
        assert any(f'check("{exercise.number}"' in source for source in solutions), exercise.number


def test_in_a_notebook_sliders_drive_a_function_of_the_students_own(chapter):
    driven = [cell for cell in cells(chapter[2], "code") if re.search(r"^drive\(", cell.source, flags=re.MULTILINE)]
    assert driven
    for cell in driven:
        assert {"notebook-only", "remove-cell"} <= set(cell.metadata["tags"])
