"""What the outside services need: a workflow with pinned actions and least permissions, and Binder's files."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / ".github/workflows/book.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOBS = WORKFLOW["jobs"]


def test_every_action_is_pinned_to_a_commit_and_says_its_version():
    used = re.findall(r"uses: (.+)", TEXT)
    assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v[\d.]+", action) for action in used)


def test_only_the_job_that_publishes_may_write_and_only_from_main():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name for name, job in JOBS.items() if "permissions" in job} == {"publish"}
    assert JOBS["publish"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert "github.ref == 'refs/heads/main'" in JOBS["publish"]["if"] and "push" in JOBS["publish"]["if"]
    assert set(JOBS["publish"]["needs"]) == set(JOBS) - {"publish"}


def test_the_tests_run_on_three_systems_and_three_pythons():
    matrix = JOBS["test"]["strategy"]["matrix"]
    assert [name.split("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert matrix["python"] == ["3.11", "3.12", "3.13"]


def test_the_workflow_calls_commands_that_the_makefile_has():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(re.findall(r"run: make ([\w-]+)", TEXT)) <= targets


def test_binder_installs_the_package_with_what_the_notebooks_draw_with():
    lines = (ROOT / "binder/requirements.txt").read_text(encoding="utf-8").splitlines()
    assert ".[plot]" in lines and any(line.startswith("jupyterlab") for line in lines)
