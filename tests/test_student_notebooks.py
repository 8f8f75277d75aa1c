"""Two chapters' notebooks in JupyterLab as a student works: run the cells, answer an exercise, read the check.

The student types into the cells; nothing is put into the notebook from outside.
"""

import shutil

import pytest
from browser_fixtures import new_page
from lab_fixtures import IDLE, jupyterlab

pytestmark = pytest.mark.notebook

# The notebook, the exercise, a typical wrong answer with a part of its diagnosis, and the right one.
WORK = [
    ("01-likelihood", "1.3", '''
def log_likelihood(p, months, replaced):
    return replaced.sum() * np.log(p) + months.sum() * np.log1p(-p)

check("1.3", log_likelihood)
''', "✗", '''
def log_likelihood(p, months, replaced):
    return replaced.sum() * np.log(p) + (months - replaced).sum() * np.log1p(-p)

check("1.3", log_likelihood)
'''),
    ("09-nfxp", "9.3", '''
def log_choice(gap, d):
    return -np.logaddexp(0, np.where(d == 1, -gap, gap))

check("9.3", log_choice)
''', "✗ Keep and replace are swapped", '''
def log_choice(gap, d):
    return -np.logaddexp(0, np.where(d == 1, gap, -gap))

check("9.3", log_choice)
'''),
]
OUTPUTS = """() => jupyterapp.shell.currentWidget.content.widgets.map((cell) => ({
  kind: cell.model.type, source: cell.model.sharedModel.getSource(), tags: cell.model.getMetadata("tags") ?? [],
  outputs: (cell.model.toJSON().outputs ?? []).map((o) => o.output_type === "error" ? `error ${o.ename}: ${o.evalue}`
    : [o.data?.["text/plain"] ?? o.text ?? ""].flat().join("")),
}))"""


@pytest.fixture(scope="module")
def server(tmp_path_factory, root):
    """JupyterLab on a copy of the notebooks."""
    folder = tmp_path_factory.mktemp("student")
    for name, *_ in WORK:
        shutil.copyfile(root / "notebooks" / f"{name}.ipynb", folder / f"{name}.ipynb")
    with jupyterlab(folder, tmp_path_factory.mktemp("jupyter"), root) as address:
        yield address


@pytest.fixture
def lab(browser, server):
    """A page on JupyterLab."""
    page = new_page(browser, server, height=1400)
    page.set_default_timeout(180_000)
    yield page
    page.context.close()


def go_to(page, place):
    """Make a cell the active one and put it on the screen."""
    page.evaluate("""async (place) => {
      const notebook = jupyterapp.shell.currentWidget.content;
      notebook.activeCellIndex = place;
      await notebook.scrollToItem(place);
    }""", place)


def answer(page, place, text):
    """Type an answer over a cell's code, run it with Ctrl+Enter, and return what it shows."""
    go_to(page, place)
    page.locator(".jp-Notebook .jp-Cell.jp-mod-active .cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text.strip())
    page.keyboard.press("Control+Enter")
    page.wait_for_function(f"""(place) => {IDLE} &&
      jupyterapp.shell.currentWidget.content.widgets[place].model.executionState !== 'running'""", arg=place)
    page.wait_for_function("""(place) => jupyterapp.shell.currentWidget.content.widgets[place].model.toJSON()
      .outputs.length > 0""", arg=place)
    return page.evaluate(OUTPUTS)[place]["outputs"][-1]


@pytest.mark.parametrize(("name", "number", "wrong", "diagnosis", "right"), WORK, ids=[work[0] for work in WORK])
def test_a_student_gets_from_the_first_cell_to_a_passed_check(lab, server, name, number, wrong, diagnosis, right):
    # A workspace of its own: another one would open the last notebook again beside this one.
    lab.goto(f"{server}/lab/workspaces/{name}/tree/{name}.ipynb")
    lab.wait_for_function(f"{IDLE} && jupyterapp.shell.currentWidget.context?.path === '{name}.ipynb'")
    lab.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    lab.wait_for_function(f"{IDLE} && jupyterapp.shell.currentWidget.content.widgets.filter((c) => "
                          "c.model.type === 'code').every((c) => c.model.executionCount)")
    cells = lab.evaluate(OUTPUTS)
    failed = [cell for cell in cells if any(out.startswith("error") for out in cell["outputs"])]
    assert all("raises-exception" in cell["tags"] for cell in failed), failed
    place = next(k for k, cell in enumerate(cells) if f'check("{number}"' in cell["source"])
    assert "yet" in cells[place]["outputs"][-1]
    assert answer(lab, place, wrong).startswith(diagnosis)
    assert answer(lab, place, right).startswith("✓")
