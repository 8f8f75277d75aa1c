"""Results as dictionaries, files and tables: nothing lost, nothing executed, nothing attached to the wrong problem."""

import csv
import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest
from blp_solve_fixtures import PI, SIGMA, economy, problem, stand

from compecon import blp
from compecon.errors import DataError

MATRICES = ("sigma", "pi", "beta", "sigma_se", "pi_se", "beta_se", "W", "updated_W", "hessian", "moments_jacobian")


@pytest.fixture(scope="module")
def results():
    """Clustered, in two steps, at given parameters."""
    how = {"method": "2s", "W_type": "clustered", "se_type": "clustered"}
    return stand(blp, problem(), **how)


@pytest.fixture
def path(results, tmp_path):
    """A file with the results."""
    results.save(tmp_path / "results.npz")
    return tmp_path / "results.npz"


# Files


def test_what_is_saved_comes_back_to_the_last_bit(results, path):
    loaded = blp.load_results(path, results.problem)
    for name, value in results.to_dict().items():
        back = getattr(loaded, name)
        assert type(back) is type(value), name
        np.testing.assert_array_equal(back, value, err_msg=name)
    assert repr(loaded).split("Cumulative")[0] == repr(results).split("Cumulative")[0]
    for field in dataclasses.fields(results.parameters_):
        np.testing.assert_array_equal(getattr(loaded.parameters_, field.name), getattr(results.parameters_, field.name))


def test_loaded_results_answer_as_the_saved_ones_do(results, path):
    loaded = blp.load_results(path, problem())
    np.testing.assert_array_equal(loaded.compute_elasticities(), results.compute_elasticities())
    np.testing.assert_array_equal(loaded.compute_costs(), results.compute_costs())
    draws = (one.bootstrap(3, seed=0).compute_hhi() for one in (loaded, results))
    np.testing.assert_array_equal(*draws)


def test_a_logit_is_saved_too(tmp_path):
    logit = problem(nonlinear=None).solve(method="1s")
    logit.save(tmp_path / "logit.npz")
    loaded = blp.load_results(tmp_path / "logit.npz", logit.problem)
    np.testing.assert_array_equal(loaded.beta, logit.beta)
    assert loaded.theta_labels == [] and loaded.sigma.shape == (0, 0)


def test_a_file_holds_numbers_and_text_only(path):
    with np.load(path, allow_pickle=False) as file:
        kinds = {file[name].dtype.kind for name in file.files}
    assert kinds <= set("biufU")


class Executes:
    """Writes a file when it is unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return open, (str(self.target), "w")


def test_a_file_that_would_execute_something_is_refused_unexecuted(results, tmp_path):
    target = tmp_path / "executed"
    np.savez(tmp_path / "objects.npz", theta=np.array([Executes(target)], dtype=object))
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(Executes(target)))
    for name in ("objects.npz", "pickle.npz"):
        with pytest.raises(DataError, match="cannot be read as a file that ProblemResults.save wrote"):
            blp.load_results(tmp_path / name, results.problem)
    assert not target.exists()
    pickle.loads((tmp_path / "pickle.npz").read_bytes()).close()
    assert target.exists()  # it would have


def test_files_of_another_kind_are_refused(results, path, tmp_path):
    np.save(tmp_path / "array.npy", np.ones(3))
    np.savez(tmp_path / "other.npz", theta=np.ones(3))
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "half.npz").write_bytes(path.read_bytes()[:5000])
    flipped = bytearray(path.read_bytes())
    flipped[len(flipped) // 3] ^= 255
    (tmp_path / "flipped.npz").write_bytes(flipped)
    for name in ("array.npy", "empty.npz", "half.npz", "flipped.npz", "absent.npz", "."):
        with pytest.raises(DataError, match="cannot be read as a file that ProblemResults.save wrote"):
            blp.load_results(tmp_path / name, results.problem)
    with pytest.raises(DataError, match="is not a file that ProblemResults.save wrote; it has no 'W'"):
        blp.load_results(tmp_path / "other.npz", results.problem)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"seed": 1}, "shares"),
        ({"products": economy()[0].iloc[::-1]}, "shares"),
        ({"counts": ((2, 5),) * 12}, "shares"),
        ({"counts": ((2, 5),) * 13}, "market_ids"),
        ({"linear": "1 + prices + x"}, "columns"),
        ({"nonlinear": "1 + prices + w"}, "columns"),
        ({"demographics": "0 + income"}, "columns"),
        ({"products": economy()[0].assign(demand_instruments3=1.5)}, "instruments"),
        ({"agents": economy()[1].assign(nodes1=0.5)}, "agents"),
    ],
)
@pytest.mark.filterwarnings("ignore:the instruments:compecon.errors.IdentificationWarning")
def test_another_problem_is_refused(path, options, what):
    with pytest.raises(DataError, match=f"is of a problem with other {what}. Load it with the problem that was"):
        blp.load_results(path, problem(**options))


# Dictionaries


def test_to_dict_has_what_is_asked_for(results):
    assert list(results.to_dict(("beta", "converged"))) == ["beta", "converged"]
    everything = results.to_dict()
    assert set(MATRICES) < set(everything) and everything["theta_labels"] == results.theta_labels
    assert all(value is not None for value in everything.values())


# Tables


def test_tables_keep_every_digit_in_csv(results):
    tables = {table.title.split(" (")[0]: table for table in results.tables()}
    assert list(tables) == [
        "Problem Results Summary", "Cumulative Statistics", "Nonlinear Coefficient Estimates", "Beta Estimates"
    ]  # fmt: skip
    rows = list(csv.reader(tables["Beta Estimates"].to_csv().splitlines()))
    assert rows[0] == ["", "1", "prices", "x", "w"]
    np.testing.assert_array_equal([float(cell) for cell in rows[1][1:]], results.beta[:, 0])
    np.testing.assert_array_equal([float(cell) for cell in rows[2][1:]], results.beta_se[:, 0])
    frame = tables["Nonlinear Coefficient Estimates"].to_frame()
    estimates = frame[frame.index == "estimate"]
    np.testing.assert_array_equal(np.diag(estimates[["1", "prices", "x"]].to_numpy(dtype=float)), np.diag(SIGMA))
    np.testing.assert_array_equal(estimates[["income", "age"]].to_numpy(dtype=float), PI)


def test_tables_are_latex_with_the_numbers_in_it(results):
    beta = next(table for table in results.tables() if table.title.startswith("Beta")).to_latex()
    assert beta.startswith(r"\begin{table}") and beta.count(r"\\") == 3
    clusters = economy()[0].clustering_ids.nunique()
    assert rf"\caption{{Beta Estimates (Robust SEs Adjusted for {clusters} Clusters in Parentheses)}}" in beta


def test_summary_tables_state_steps_and_convergence(results):
    summary, statistics = (table.to_frame() for table in results.tables()[:2])
    assert summary["GMM Step"].item() == 2
    assert summary["Objective Value"].item() == results.objective
    assert summary["Gradient Norm"].item() == np.abs(results.gradient).max()
    assert statistics["Objective Evaluations"].item() == 2 and statistics["Fixed Points Failed"].item() == 0
    total = results.contraction_evaluations.sum() + results.last_results.contraction_evaluations.sum()
    assert statistics["Contraction Evaluations"].item() == total


def test_html_escapes_names_from_the_data():
    """Labels of dummies hold the data's own text."""
    evil = "<script>alert(1)</script>"
    products = economy()[0].copy()
    products["brand"] = products["brand"].replace("b1", evil)
    results = problem(products=products, linear="0 + prices + C(brand)", nonlinear=None).solve(method="1s")
    assert any(evil in label for label in results.beta_labels)
    for page in (results._repr_html_(), results.problem._repr_html_()):
        assert "<script>" not in page and "&lt;script&gt;" in page
    assert isinstance(results.tables()[-1].to_frame(), pd.DataFrame)
