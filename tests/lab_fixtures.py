"""JupyterLab for the tests: a server of its own for a folder of notebooks, and how a cell in it is run."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.error import URLError
from urllib.request import urlopen

from browser_fixtures import unless_present

# Widgets' state goes into the notebook; nothing is asked of jupyter.org.
SETTINGS = {
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"


def free_port():
    """A port that nothing listens to."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answers(address, seconds=60):
    """Wait until the server answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            return urlopen(f"{address}/api/status").status == 200
        except (URLError, ConnectionError):
            time.sleep(0.2)
    return False


@contextmanager
def jupyterlab(folder, home, root):
    """JupyterLab on `folder` at an address of this machine, with settings of its own, in `home`, and nobody else's."""
    port = free_port()
    (home / "settings").mkdir()
    (home / "settings/overrides.json").write_text(json.dumps(SETTINGS))
    own = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(home / "user"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "IPYTHONDIR": str(home / "ipython"), "PYTHONPATH": str(root)}
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0",
               "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}",
               "--LabApp.expose_app_in_browser=True", f"--LabApp.app_settings_dir={home / 'settings'}"]
    with open(home / "log", "w") as log:
        process = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], cwd=folder, env=os.environ | own,
                                   stdout=log, stderr=subprocess.STDOUT)
    unless_present(f"a JupyterLab that starts ({home / 'log'})", answers(f"http://127.0.0.1:{port}"))
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=20)


def run(page, place):
    """Run the cell at that place to its end, and return what it prints."""
    page.evaluate("""async (place) => {
      jupyterapp.shell.currentWidget.content.activeCellIndex = place;
      await jupyterapp.commands.execute("notebook:run-cell");
    }""", place)
    page.wait_for_function(IDLE)
    return page.evaluate("""(place) =>
      jupyterapp.shell.currentWidget.content.widgets[place].model.toJSON().outputs.map((o) => o.text ?? "").join("")""",
                         place).strip()
