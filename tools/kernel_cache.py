"""Print the folder in which numba keeps this version's machine code.

A kernel may call kernels of `compecon/_linalg.py`, and numba does not notice an edit in another file. So the folder
is named after the hash of all kernel sources: after any edit there is a new one, and stale code is never run.

    NUMBA_CACHE_DIR=$(python tools/kernel_cache.py) python my_script.py
"""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def kernel_sources(root=ROOT):
    """Return the files that hold kernels: every `*kernels.py`, the shared leaf kernels, the decorator."""
    package = root / "compecon"
    shared = [path for path in (package / "_linalg.py", package / "_jit.py") if path.exists()]
    return sorted([*package.rglob("*kernels.py"), *shared])


def kernel_cache_dir(root=ROOT):
    """Return the cache folder that belongs to the present kernel sources."""
    digest = hashlib.sha256()
    for path in kernel_sources(root):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return root / ".numba_cache" / digest.hexdigest()[:16]


if __name__ == "__main__":
    print(kernel_cache_dir())
