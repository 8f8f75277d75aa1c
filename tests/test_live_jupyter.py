"""A live figure in JupyterLab: page and Python move each other, and a saved notebook computes without Python."""

import json

import nbformat
import pytest
from browser_fixtures import new_page
from lab_fixtures import IDLE, jupyterlab, run

from compecon import live

pytestmark = pytest.mark.notebook

CELLS = [
    "from compecon import live\nfigure = live.ZurchersChoice()\nfigure",
    'print(f"RC is {figure.RC:.2f}")',
    "figure.RC = 12",
    'print("lifetime is", figure.read()["lifetime"])',
    "fit = live.NFXPByHand()\nfit",
    "print(fit.RC, fit.theta11)",
]
STATE = "application/vnd.jupyter.widget-state+json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the notebook lies."""
    folder = tmp_path_factory.mktemp("notebooks")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    nbformat.write(notebook, folder / "figure.ipynb")
    return folder


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory, root):
    """The address of JupyterLab on that folder."""
    with jupyterlab(folder, tmp_path_factory.mktemp("jupyter"), root) as address:
        yield address


ROOT = "[...document.querySelectorAll('[data-live-figure=zurchers-choice]')].find((root) => root.figure)"
FIT = ROOT.replace("zurchers-choice", "nfxp-by-hand")
# What a reader sees of the figure: RC's slider and the value beside it, the first curve, the first read-out.
FACE = f"""() => {{
  const root = {ROOT}, slider = root.querySelector("[data-control=RC]");
  return {{slider: slider.value, value: slider.parentElement.querySelector(".live-value").textContent,
    curve: root.querySelector(".live-box [aria-label=line] path").getAttribute("d"),
    lifetime: Number(root.querySelector("[data-readout=lifetime]").dataset.value)}};
}}"""


@pytest.fixture(scope="module")
def lab(browser, server):
    """The notebook in JupyterLab, its first cell run and the figure there."""
    page = new_page(browser, server, height=1400)
    page.set_default_timeout(60_000)
    page.goto(f"{server}/lab/tree/figure.ipynb")
    page.wait_for_function(IDLE)
    run(page, 0)
    page.wait_for_function(f"{ROOT}?.dataset.state === 'ready'")
    yield page
    page.context.close()


def move(page, value):
    """Move RC's slider to that value, as a pointer does, and wait until the figure rests."""
    page.evaluate(f"""(value) => {{
      const slider = {ROOT}.querySelector("[data-control=RC]");
      slider.value = value;
      slider.dispatchEvent(new Event("input", {{bubbles: true}}));
    }}""", value)
    rest(page, value)


def rest(page, value):
    """Wait until the figure shows that value."""
    page.wait_for_function(f"{ROOT}?.dataset.state === 'ready' && !{ROOT}.figure.changed.size "
                           f"&& {ROOT}.figure.values.RC === {value}")
    page.wait_for_timeout(100)


def lifetime(value):
    """What Python computes there."""
    return pytest.approx(live.ZurchersChoice(RC=value).read()["lifetime"], rel=1e-10)


def test_a_move_on_the_page_reaches_python(lab):
    before = lab.evaluate(FACE)
    move(lab, 8.5)
    after = lab.evaluate(FACE)
    assert after["curve"] != before["curve"] and after["value"] == "8.50" and after["lifetime"] == lifetime(8.5)
    assert run(lab, 1) == "RC is 8.50"


def test_an_assignment_in_python_reaches_the_page(lab):
    move(lab, 7)
    before = lab.evaluate(FACE)
    run(lab, 2)
    rest(lab, 12)
    after = lab.evaluate(FACE)
    assert (after["slider"], after["value"]) == ("12", "12.00")
    assert after["curve"] != before["curve"] and after["lifetime"] == lifetime(12)
    assert float(run(lab, 3).removeprefix("lifetime is")) == lifetime(12)
    assert lab.problems == []


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_button_on_the_page_sets_the_controls_in_python(lab, motion):
    lab.emulate_media(reduced_motion=motion)
    run(lab, 4)
    lab.wait_for_function(f"{FIT}?.dataset.state === 'ready'")
    lab.evaluate(f"{FIT}.querySelector('[data-button=climb]').click()")
    lab.wait_for_function(f"{FIT}.dataset.state === 'ready' && {FIT}.figure.values.RC > 5")
    lab.wait_for_timeout(100)
    fit = live.NFXPByHand()
    fit.press("climb")
    found = [float(word) for word in run(lab, 5).split()]
    assert found == lab.evaluate(f"[{FIT}.figure.values.RC, {FIT}.figure.values.theta11]")
    assert found == pytest.approx([fit.RC, fit.theta11], rel=1e-8)
    assert lab.problems == []


@pytest.fixture(scope="module")
def reopened(lab, folder):
    """The notebook, saved with RC = 9.5 and opened again in a page where no cell has been run."""
    move(lab, 9.5)
    assert run(lab, 1) == "RC is 9.50"
    lab.evaluate("jupyterapp.commands.execute('docmanager:save')")
    lab.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
    lab.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    lab.reload()
    lab.problems.clear()  # what the first page had asked for when it was left
    lab.wait_for_function(f"{ROOT}?.dataset.state === 'ready'")
    return lab


def test_a_saved_notebook_holds_the_figure_for_every_reader(reopened, folder):
    notebook = json.loads((folder / "figure.ipynb").read_text())
    (output,) = notebook["cells"][0]["outputs"]
    assert "<svg" in "".join(output["data"]["text/html"]), "for a reader without widgets"
    model = output["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    state = notebook["metadata"]["widgets"][STATE]["state"][model]["state"]
    assert state["RC"] == 9.5 and state["n_states"] == 90


def test_a_saved_notebook_computes_without_python(reopened):
    assert run_count(reopened) == 0
    before = reopened.evaluate(FACE)
    assert before["value"] == "9.50" and before["lifetime"] == lifetime(9.5)
    move(reopened, 6)
    after = reopened.evaluate(FACE)
    assert after["curve"] != before["curve"] and after["value"] == "6.00" and after["lifetime"] == lifetime(6)
    assert reopened.problems == []


def run_count(page):
    """How many cells the present kernel has run."""
    return page.evaluate("""async () => {
      const {session} = jupyterapp.shell.currentWidget.sessionContext;
      if (!session?.kernel) return 0;
      const reply = await session.kernel.requestExecute({code: "", silent: true, store_history: false}).done;
      return reply.content.execution_count;
    }""")
