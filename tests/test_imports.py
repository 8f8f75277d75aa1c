"""The house rules that a machine can hold: imports point one way, `import compecon` is light, pieces stay small."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kernel_cache import kernel_sources

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "compecon"
MODULES = sorted(PACKAGE.rglob("*.py"))
CODE = [*MODULES, *sorted((ROOT / "tools").glob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py")),
        *sorted((ROOT / "book/_ext").glob("*.py"))]

# A module may import from its own layer and from those to the left of it.
LAYERS = [{"errors"}, {"_jit", "_options", "_embedding"}, {"_linalg"}, {"kernels"}, {"datasets"}, {"likelihood"},
          {"zurcher", "blp"}, {"plotting", "live", "exercises"}, {"__main__"}]
DRAWING = {"matplotlib", "ipywidgets", "anywidget", "IPython"}


def name_of(path):
    """Return a path's place below the package, as in `zurcher/kernels.py`: the id of its test."""
    return path.relative_to(ROOT).as_posix()


def part(module):
    """Return the part a dotted module belongs to: compecon.zurcher.solve -> zurcher; any file of kernels -> kernels."""
    names = module.split(".")[1:]
    if not names:
        return "compecon"
    return "kernels" if names[-1].endswith("kernels") else names[0]


def dotted(path):
    """Return the dotted name of a module file."""
    names = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def imported(path):
    """Return the dotted names that a module imports anywhere in its source, relative ones resolved."""
    package = dotted(path).split(".")[: None if path.name == "__init__.py" else -1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module]))
            full = (f"{module}.{alias.name}" for alias in node.names)
            yield from (name if is_module(name) else module for name in full)


def is_module(name):
    """Whether a dotted name is a module or package of this repository."""
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists()


def layer(name):
    """Return the place of a part in the order of layers."""
    places = [i for i, names in enumerate(LAYERS) if name in names]
    assert places, f"{name!r} has no place in the order of layers: see LAYERS"
    return places[0]


@pytest.mark.parametrize("path", [p for p in MODULES if p != PACKAGE / "__init__.py"], ids=name_of)
def test_imports_point_one_way(path):
    me = part(dotted(path))
    for module in imported(path):
        if module.split(".")[0] != "compecon":
            continue
        other = part(module)
        if other in ("compecon", me):
            continue
        home, away = dotted(path).split(".")[1], module.split(".")[1]
        assert {home, away} != {"zurcher", "blp"}, f"{name_of(path)} imports {module}: zurcher and blp stay apart"
        below = layer(other) < layer(me) and layer(away) <= layer(home)
        assert below, f"{name_of(path)} imports {module}, which does not stand below it"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_drawing_parts_import_drawing_libraries(path):
    if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in ("plotting", "live", "exercises"):
        return
    assert not {module.split(".")[0] for module in imported(path)} & DRAWING


@pytest.mark.parametrize("path", kernel_sources(), ids=name_of)
def test_a_kernel_file_calls_only_its_own_kernels_and_the_leaf_kernels(path):
    found = {module for module in imported(path) if module.startswith("compecon")}
    if path.parent.name == "live":
        # What a page shows may compose any kernels, but nothing else.
        assert {part(module) for module in found} <= {"_jit", "_linalg", "kernels"}
        return
    assert found <= {"compecon._jit", "compecon._linalg"}


@pytest.mark.parametrize("path", sorted(set(MODULES) - set(kernel_sources())), ids=name_of)
def test_kernels_live_where_the_cache_folder_sees_them(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for decorator in getattr(node, "decorator_list", []):
            name = ast.unparse(decorator).split("(")[0].split(".")[-1]
            assert name not in ("kernel", "inlined", "njit", "jit", "vectorize", "guvectorize", "cfunc"), (
                f"{node.name} is compiled, but tools/kernel_cache.py does not hash {name_of(path)}: "
                "move it to a file named *kernels.py")


def test_importing_the_package_brings_in_neither_numba_nor_drawing():
    heavy = sorted(DRAWING | {"numba", "scipy", "pandas"})
    code = f"import compecon, sys; print(*(m for m in {heavy!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_importing_every_part_compiles_nothing(tmp_path):
    parts = sorted({f"compecon.{path.stem}" for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")}
                   | {f"compecon.{path.parent.name}" for path in PACKAGE.glob("*/__init__.py")})
    code = f"""
import importlib
from numba.core import compiler
def refuse(*args, **kwargs):
    raise AssertionError("an import compiled a kernel")
compiler.compile_extra = refuse
for name in {parts!r}:
    importlib.import_module(name)
"""
    empty_cache = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=empty_cache)


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_a_file_holds_one_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_a_function_holds_one_idea(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            length = node.end_lineno - body[0].lineno + 1
            assert length <= 40, f"{name_of(path)}, {node.name}: {length} lines"
