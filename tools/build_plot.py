"""Bundle what the live figures use of Observable Plot and d3: compecon/live/assets/plot.js, and the licences in it.

Run as `make plot`, with npm, when a version below changes. Nobody else needs npm: both files ship with the package.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ASSETS = Path(__file__).resolve().parents[1] / "compecon" / "live" / "assets"
PACKAGES = ["@observablehq/plot@0.6.17", "d3-contour@4.0.3", "d3-format@3.1.3", "esbuild@0.28.2"]
ENTRY = """
export {plot, line, dot, rectY, ruleX, ruleY} from "@observablehq/plot";
export {contours} from "d3-contour";
export {format} from "d3-format";
"""
OPTIONS = ["--bundle", "--minify", "--format=iife", "--global-name=Plot", "--charset=utf8", "--legal-comments=none"]


def bundle(folder):
    """Install into `folder`, write the bundle, and return the names of the packages that went into it."""
    run = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL}
    (folder / "entry.js").write_text(ENTRY, encoding="utf-8")
    subprocess.run(["npm", "install", "--no-save", *PACKAGES], **run)
    target = [f"--outfile={ASSETS / 'plot.js'}", "--metafile=used.json"]
    subprocess.run(["npx", "esbuild", "entry.js", *OPTIONS, *target], **run)
    used = json.loads((folder / "used.json").read_text(encoding="utf-8"))
    (output,) = used["outputs"].values()
    sources = [name for name, part in output["inputs"].items() if part["bytesInOutput"]]
    return sorted({match[1] for name in sources if (match := re.search(r"node_modules/((?:@[^/]+/)?[^/]+)", name))})


def licences(folder, packages):
    """The licence texts of the packages, each under its name and version."""
    for package in packages:
        home = folder / "node_modules" / package
        version = json.loads((home / "package.json").read_text(encoding="utf-8"))["version"]
        (text,) = (path for path in home.iterdir() if path.stem.upper() == "LICENSE")
        yield f"{package} {version}\n\n{text.read_text(encoding='utf-8').strip()}\n"


def main():
    """Write both files."""
    if shutil.which("npm") is None:
        sys.exit("npm is missing: it fetches Observable Plot. Install Node.js, which comes with it.")
    with tempfile.TemporaryDirectory() as name:
        packages = bundle(Path(name))
        text = f"\n{'-' * 80}\n\n".join(licences(Path(name), packages))
    (ASSETS / "plot_LICENSES.txt").write_text(f"plot.js holds code of these packages.\n\n{text}", encoding="utf-8")
    print(f"plot.js: {(ASSETS / 'plot.js').stat().st_size:,} bytes of {', '.join(packages)}")


if __name__ == "__main__":
    main()
