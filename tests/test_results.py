"""What an estimate knows and prints: intervals, the summary, HTML."""

import re

import numpy as np
import pytest
from likelihood_fixtures import MODELS, OnlyTheSum, X, Y, clustered_logit
from scipy import stats

from compecon.errors import ConvergenceWarning, ParameterError
from compecon.likelihood import examples, fit


@pytest.fixture(scope="module")
def logit():
    return clustered_logit()


def test_conf_int_is_estimate_plus_and_minus_normal_quantiles(logit):
    _, estimate = logit
    interval = estimate.conf_int(level=0.9, kind="hessian")
    reach = stats.norm.ppf(0.95) * estimate.standard_errors("hessian")
    assert np.allclose(interval["lower"], estimate.params - reach)
    assert np.allclose(interval["upper"], estimate.params + reach)
    assert list(estimate.conf_int().columns) == ["lower", "upper"]
    for level in (0, 1, 95, np.nan):
        with pytest.raises(ParameterError, match="level = .*; it must lie strictly between 0 and 1"):
            estimate.conf_int(level=level)


def test_an_estimate_knows_its_parameters_observations_and_path(logit):
    model, estimate = logit
    assert estimate.params.to_dict() == dict(zip(["constant", "income", "urban"], estimate.theta, strict=True))
    assert estimate.nobs == 400
    assert estimate.converged
    assert estimate.llf == pytest.approx(model.loglike(estimate.theta)[0].sum())
    assert np.array_equal(estimate.trace, estimate.maximum.trace)
    assert fit(MODELS["weighted poisson"][0], [1.0]).nobs == 64


def test_the_summary_says_method_observations_convergence_and_a_row_a_parameter(logit):
    _, estimate = logit
    text = str(estimate.summary(kind="sandwich"))
    assert text == repr(estimate.summary(kind="sandwich"))
    lines = text.splitlines()
    assert lines[0] == "BinaryLogit"
    assert "method            bhhh-bfgs" in lines
    assert "observations      400" in lines
    assert f"log-likelihood    {estimate.llf:.6f}" in lines
    assert "converged         yes" in lines
    assert lines[-1] == "standard errors: sandwich; intervals: 95%"
    header = next(line for line in lines if "std err" in line)
    assert header.split() == ["estimate", "std", "err", "lower", "upper"]
    row = next(line for line in lines if line.startswith("income")).split()
    expected = [
        estimate.params["income"],
        estimate.standard_errors("sandwich")["income"],
        *estimate.conf_int(kind="sandwich").loc["income"],
    ]
    assert np.allclose([float(value) for value in row[1:]], expected, rtol=1e-4)
    assert not re.search(r"\*|\d\d:\d\d|[Dd]ate|[Tt]ime", text)
    assert "intervals: 90%" in str(estimate.summary(level=0.9))


def test_a_summary_without_convergence_says_so_and_one_without_errors_says_why():
    with pytest.warns(ConvergenceWarning):
        estimate = fit(OnlyTheSum(MODELS["poisson"][0]), [1.0, 1.0])
    text = str(estimate.summary())
    assert "converged         NO: the scores are collinear" in text
    assert "no standard errors: the outer product of the scores is not positive definite" in text
    assert "NOT converged" in repr(estimate)


def test_names_from_data_are_escaped_in_html_and_the_repr_is_one_line(logit):
    model = examples.BinaryLogit(Y, X, names=["<script>alert(1)</script>", "a&b", "c"])
    estimate = fit(model, np.zeros(3))
    for page in (estimate._repr_html_(), estimate.summary()._repr_html_()):
        assert "<script>" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "a&amp;b" in page
        assert page.count("<table") == page.count("</table>") == 2
    short = repr(logit[1])
    assert short.startswith("Estimate(constant=") and short.endswith("converged)") and "\n" not in short
