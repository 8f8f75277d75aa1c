"""The cereal estimates and the merger that `python -m compecon` prints, and the README's code."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import compecon.__main__ as program
from compecon.blp import replication
from compecon.blp.replication import replicate_cereal

README = Path(__file__).resolve().parents[1] / "README.md"

# reference/nevo.json: solve_1 for the parameters, means of price_change, hhi, changed_hhi and cs_change in arrays.
REFERENCE = {
    ("1 x 1", "estimate"): 0.5580935703981281, ("sugar x sugar", "estimate"): -0.005783552014756944,
    ("prices x income", "estimate"): 588.3251148678878, ("prices x income", "std err"): 270.4410181167026,
    ("mushy x age", "estimate"): -1.3533932410986145, ("beta prices", "estimate"): -62.729896155281224,
    ("beta prices", "std err"): 14.80321435412756, ("change of prices", "mean"): 0.012159540168632068,
    ("HHI before", "mean"): 3408.193797469032, ("HHI after", "mean"): 5199.027469650054,
    ("change of consumer surplus", "mean"): -0.004661551401789853,
}  # fmt: skip
TUTORIAL = Path(__file__).resolve().parents[2] / "shared/reference/tutorial.txt"


@pytest.fixture(scope="module")
def comparison():
    return replicate_cereal()


def test_every_number_agrees_with_the_printed_ones(comparison):
    assert len(comparison) == 32 and comparison["same"].all()
    assert comparison["statistic"].value_counts().to_dict() == {"estimate": 14, "std err": 14, "mean": 4}


def test_the_computed_numbers_are_the_reference_ones_to_seven_digits(comparison):
    computed = comparison.set_index(["entry", "statistic"])["computed"]
    np.testing.assert_allclose(computed.loc[list(REFERENCE)], list(REFERENCE.values()), rtol=1e-7)


def test_the_two_printed_columns_say_the_same(comparison):
    both = comparison[comparison["tutorial"] != ""]
    assert len(both) == 28
    assert [f"{float(value):+.1E}" for value in both["reference"]] == both["tutorial"].tolist()


def test_the_tutorial_prints_the_digits_that_the_table_gives_it(comparison):
    if not TUTORIAL.exists():
        pytest.skip("the tutorial's text is not here")
    text = TUTORIAL.read_text(encoding="utf-8")
    first = text[text.index("Nonlinear Coefficient Estimates") : text.index("Additional post-estimation")]
    printed = sorted(set(re.findall(r"[+-]\d\.\dE[+-]\d\d", first)) - {"+0.0E+00"})
    assert printed == sorted(set(comparison["tutorial"]) - {""})


@pytest.mark.parametrize("change", [1 + 2e-6, 1.1, np.nan])
@pytest.mark.parametrize("entry", ["1 x 1", "HHI after"])
def test_a_number_that_differs_is_marked_and_makes_the_program_fail(monkeypatch, capsys, entry, change):
    compute = replication._values

    def other(results):
        return {key: value * (change if key[0] == entry else 1) for key, value in compute(results).items()}

    monkeypatch.setattr(replication, "_values", other)
    monkeypatch.setattr(program, "rust", lambda: False)
    assert program.main() == 1
    marked = [line for line in capsys.readouterr().out.splitlines() if re.search(r"\d !|nan !", line)]
    assert len(marked) == 1 and marked[0].startswith(entry)


def test_a_difference_in_either_part_makes_the_program_fail(monkeypatch):
    for rust, cereal in ((True, False), (False, True), (False, False)):
        monkeypatch.setattr(program, "rust", lambda value=rust: value)
        monkeypatch.setattr(program, "cereal", lambda value=cereal: value)
        assert program.main() == int(rust or cereal)


def test_python_m_compecon_prints_the_cereal_estimates_and_the_merger():
    done = subprocess.run([sys.executable, "-m", "compecon"], capture_output=True, text=True, check=True)
    assert "The data are simulated." in done.stdout
    assert "-62.7299 | -62.7299" in done.stdout and "+1.5E+01     14.8032 | 14.8032" in done.stdout
    assert "5199.03 | 5199.03" in done.stdout
    assert "32 of 32 numbers agree to every printed digit" in done.stdout
    assert done.stderr == ""


def test_the_readmes_python_code_runs():
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.S)
    code = [block for block in blocks if not block.startswith(">>>")]
    assert len(code) >= 2
    for block in code:
        exec(compile(block, "README.md", "exec"), {})
