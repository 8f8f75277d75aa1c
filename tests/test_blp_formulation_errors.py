"""Nothing but formulas is read, and nothing is executed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compecon.blp.formulation import Formulation
from compecon.errors import ParameterError

REFUSED = {
    "prices**2": "prices ** 2", "(prices + sugar)**2": "(prices + sugar) ** 2", "2*prices": "2", "prices:2": "2",
    "0:prices": "0:prices", "-prices": "-prices", "np.log(prices)": "np.log(prices)", "abs(prices)": "abs(prices)",
    "log(prices, 2)": "log(prices, 2)", "log(x=prices)": "log(x=prices)", "log(*prices)": "*prices",
    "C(a*b)": "C(a * b)", "C(a, Treatment)": "C(a, Treatment)", "log(C(mushy))": "C(mushy)",
    "C(C(mushy))": "C(C(mushy))", "prices[0]": "prices[0]", "prices.real": "prices.real",
    "I(prices if sugar else 1)": "prices if sugar else 1", "I(prices > 1)": "prices > 1", "I('a')": "'a'",
    "I(prices@sugar)": "prices:sugar", "I(prices // 2)": "prices // 2", "I(1j*prices)": "1j",
    "{prices + 1}": "{prices + 1}", "a | b": "a | b", "a^2": "a ^ 2", "a %in% b": "a %in% b",
    "y ~ prices": "y ~ prices", "`prices`": "`prices`", "prices +": "prices +", "log(prices": "log(prices", "": "()",
    "poly(prices, 2)": "poly(prices, 2)", "I(lambda: 1)": "I(lambda: 1)", "(x := prices)": "(x := prices)",
    "I([p for p in prices])": "[p for p in prices]", "prices@sugar": "prices@sugar", ".": ".",
    "prices # x": "prices # x",
}  # fmt: skip


@pytest.mark.parametrize("formula", REFUSED)
def test_anything_else_in_a_formula_is_named_and_refused(formula):
    with pytest.raises(ParameterError) as caught:
        Formulation(formula)
    expected = f"formula = {formula!r}: {REFUSED[formula]!r} is not allowed there. A formula joins columns"
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize("formula", [None, 3, b"a", ["prices"], "0", "prices - 1 - prices", "(" * 500 + "a"])
def test_what_is_no_formula_or_has_no_column_is_a_parameter_error(formula):
    with pytest.raises(ParameterError):
        Formulation(formula)


@pytest.mark.parametrize("code", [
    "__import__('pathlib').Path({path!r}).touch()", "I(__import__('pathlib').Path({path!r}).touch())",
    "exec('open({path!r}, \"w\")')", "C(open({path!r}, 'w'))", "{{open({path!r}, 'w')}}",
    "prices + I((lambda: open({path!r}, 'w'))())",
])  # fmt: skip
@pytest.mark.parametrize("place", ["formula", "absorb"])
def test_no_code_runs(code, place, tmp_path):
    path = tmp_path / "touched"
    with pytest.raises(ParameterError):
        Formulation(**({"formula": "prices"} | {place: code.format(path=str(path))}))
    assert not path.exists()


@pytest.mark.filterwarnings("ignore:invalid escape sequence", "ignore:.*is not callable")
@given(st.text(alphabet="abC() +-*/:1e0.I[]{}`'%~|,=@#\\\n\0λ", max_size=20))
def test_any_text_is_a_formula_or_a_parameter_error(text):
    try:
        formulation = Formulation(text)
    except ParameterError:
        return
    assert formulation.names
