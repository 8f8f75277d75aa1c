"""The files that a page needs, as one script and one style sheet; and whether the kernels in them are up to date."""

import base64
import gzip
import hashlib
import re
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
KERNELS, MANIFEST = ASSETS / "kernels.wasm", ASSETS / "kernels.json"
PACKAGE = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(r"^(?:from (compecon[\w.]*) import (.+)|import (compecon[\w.]*))", re.MULTILINE)


def kernel_files(package=PACKAGE):
    """The source files that the exported kernels come from: the scenes, and all kernels that they import."""
    found, waiting = set(), [*(package / "live").glob("*kernels.py")]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for module, names, plain in _IMPORT.findall(path.read_text(encoding="utf-8")):
            dotted = [module or plain, *(f"{module}.{name.split()[0]}" for name in names.split(",") if module)]
            files = (package.parent / (name.replace(".", "/") + ".py") for name in dotted)
            waiting += [file for file in files if file.exists()]
    return sorted(found)


def source_hash(package=PACKAGE):
    """A hash of everything that decides what is in kernels.wasm, the same whatever the line endings."""
    digest = hashlib.sha256()
    others = package / "live" / "exports.py", package.parent / "tools" / "build_kernels.py"
    for path in (*kernel_files(package), *others):
        digest.update(path.relative_to(package.parent).as_posix().encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def script(kind="classic"):
    """The page's JavaScript in one text: the plotting library, the kernels, and the code that ties them together.

    kind : 'classic' for a script element, which also works in a file opened by double-click, where modules do not;
    'module' for a notebook's widget.
    """
    packed = base64.b64encode(gzip.compress(KERNELS.read_bytes(), mtime=0)).decode()
    code = [_read(name) for name in ("engine.js", "draw.js", "figure.js", "mount.js")]
    pieces = [_read("plot.js"), f'const KERNELS = "{packed}";', *code]
    body = "\n".join(pieces)
    if kind == "module":
        return f"{body}\nexport default {{render}};\n"
    return f"(() => {{\n{body}\nwhenReady(() => mountAll(document));\n}})();\n"


def style():
    """The style sheet of all figures."""
    return _read("live.css")


def _read(name):
    return (ASSETS / name).read_text(encoding="utf-8")
