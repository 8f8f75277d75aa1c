"""The printed tables: the tutorial's digits, pyblp's layout, escaped names, and every digit in what is exported.

Numbers: `theta` and `beta` with their standard errors are solve_1 of reference/nevo.json (pyblp 1.3.0, polished); the
tokens marked as the tutorial's are copied from its printed output, which shows two digits.
"""

import io
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from compecon import datasets
from compecon.blp import options
from compecon.blp.tables import (
    StandardError,
    Table,
    beta_table,
    dimensions_table,
    format_number,
    format_se,
    formulations_table,
    micro_table,
    nonlinear_table,
    summary_table,
)
from compecon.errors import ParameterError

X2, D = ["1", "prices", "sugar", "mushy"], ["income", "income_squared", "age", "child"]
SIGMA = np.diag([0.5580935703981281, 3.3124889094853236, -0.005783552014756944, 0.09341446996550538])
PI = np.array([
    [2.2919715881497615, 0, 1.2844320215031406, 0],
    [588.3251148678878, -30.192014141771466, 0, 11.054628152976711],
    [-0.3849540843895703, 0, 0.0522342734108877, 0],
    [0.7483722702685469, 0, -1.3533932410986145, 0],
])
SIGMA_SE = np.full((4, 4), np.nan)
np.fill_diagonal(SIGMA_SE, [0.16253259870815484, 1.3401833863432173, 0.013504525110848434, 0.18543327903003481])
PI_SE = np.array([
    [1.2085690956201358, np.nan, 0.631214883862929, np.nan],
    [270.4410181167026, 14.101230025485465, np.nan, 4.1225635792756625],
    [0.12145841644820247, np.nan, 0.025985292709172082, np.nan],
    [0.802108149498295, np.nan, 0.6671085976479352, np.nan],
])
FREE = np.hstack([SIGMA, PI]) != 0
BETA, BETA_SE = -62.729896155281224, 14.80321435412756

# the tutorial's first solve
NONLINEAR_TOKENS = """
1      +5.6E-01                              | 1      +2.3E+00   +0.0E+00   +1.3E+00   +0.0E+00
      (+1.6E-01)                             |       (+1.2E+00)            (+6.3E-01)
                                             |
prices +0.0E+00  +3.3E+00                    | prices +5.9E+02   -3.0E+01   +0.0E+00   +1.1E+01
                (+1.3E+00)                   |       (+2.7E+02) (+1.4E+01)            (+4.1E+00)
                                             |
sugar  +0.0E+00  +0.0E+00  -5.8E-03          | sugar  -3.8E-01   +0.0E+00   +5.2E-02   +0.0E+00
                          (+1.4E-02)         |       (+1.2E-01)            (+2.6E-02)
                                             |
mushy  +0.0E+00  +0.0E+00  +0.0E+00 +9.3E-02 | mushy  +7.5E-01   +0.0E+00   -1.4E+00   +0.0E+00
                                   (+1.9E-01)|       (+8.0E-01)            (+6.7E-01)
""".replace(")|", ") |")


@pytest.fixture
def two_digits(monkeypatch):
    monkeypatch.setattr(options, "digits", 2)


def nonlinear():
    return nonlinear_table(SIGMA, PI, SIGMA_SE, PI_SE, X2, D, "robust")


def numbers(table):
    """The tokens between the dashes and the last rule."""
    return " ".join(str(table).splitlines()[-len(table.rows) - 1:-1]).split()


def bare(text):
    """A printed table without the blanks at the ends of its lines."""
    return "\n".join(line.rstrip() for line in str(text).splitlines())


# Numbers


@pytest.mark.parametrize("digits", [1, 2, 7, 12])
@pytest.mark.parametrize("number", [0.0, -0.0, 1.0, -62.7298962, 9.99999999, 5e-24, 1e-300, -2.5e300,
                                    np.nan, np.inf, -np.inf])
def test_a_number_is_written_as_pyblp_writes_it(number, digits, monkeypatch):
    basics = pytest.importorskip("pyblp.utilities.basics")
    monkeypatch.setattr(options, "digits", digits)
    monkeypatch.setattr(basics.options, "digits", digits)
    assert format_number(number) == basics.format_number(number)
    assert format_se(number).split() == [basics.format_se(number).replace(" ", "")]


def test_an_array_that_holds_one_number_is_that_number(two_digits):
    assert format_number(np.array([[4.561514164803142]])) == format_number(np.float64(4.561514164803142)) == "+4.6E+00"
    with pytest.raises(ValueError, match="size 1"):
        format_number(np.ones(2))


def test_no_number_is_no_text():
    assert format_number(None) == format_se(None) == ""


def test_digits_are_seven_and_nothing_is_verbose_until_asked():
    assert (options.digits, options.verbose) == (7, False)


@pytest.mark.parametrize("digits", [0, 2.0, "2", True])
def test_digits_must_be_a_positive_integer(digits, monkeypatch):
    monkeypatch.setattr(options, "digits", digits)
    with pytest.raises(ParameterError, match=r"options.digits = .*; it must be an integer of at least 1"):
        format_number(1.0)


def test_a_table_follows_the_digits_of_the_moment_it_is_printed(monkeypatch):
    table = beta_table([BETA], [BETA_SE], ["prices"], "robust")
    assert numbers(table) == ["-6.272990E+01", "(+1.480321E+01)"]
    monkeypatch.setattr(options, "digits", 2)
    assert numbers(table) == ["-6.3E+01", "(+1.5E+01)"]
    assert "$-6.3 \\times 10^{1}$" in table.to_latex() and ">-6.3E+01<" in table.to_html()


# The tutorial's tables


def test_the_nonlinear_estimates_show_the_tutorials_numbers(two_digits):
    table = nonlinear()
    assert numbers(table) == NONLINEAR_TOKENS.split()
    assert str(table).splitlines()[0] == "Nonlinear Coefficient Estimates (Robust SEs in Parentheses):"
    assert str(table).splitlines()[2].split() == ["Sigma:", *X2, "|", "Pi:", *D]
    assert len(str(table).splitlines()[1]) == 117, "the tutorial's rule has 117 signs"


def test_the_price_coefficient_shows_the_tutorials_numbers(two_digits):
    table = beta_table([[BETA]], [[BETA_SE]], ["prices"], "robust")
    title, rule = "Beta Estimates (Robust SEs in Parentheses):", "=" * 10
    assert str(table).split("\n") == [title, rule, "  prices", "-" * 10, " -6.3E+01", "(+1.5E+01)", rule]


def test_the_dimensions_show_the_tutorials_numbers_and_leave_out_zeros():
    sizes = {"T": 94, "N": np.int64(2256), "F": 5, "I": 1880, "K1": 1, "K2": 4, "K3": 0, "D": 4, "MD": 20, "ED": 1}
    table = dimensions_table(sizes)
    assert numbers(table) == "94 2256 5 1880 1 4 4 20 1".split()
    assert list(table.to_frame().columns) == "T N F I K1 K2 D MD ED".split()


def test_a_summary_shows_the_tutorials_numbers_and_leaves_out_what_does_not_apply(two_digits):
    table = summary_table("Cumulative Statistics", {
        "Optimizer\nConverged": np.bool_(True), "Optimization\nIterations": 51, "Objective\nEvaluations": np.int64(57),
        "Fixed Point\nIterations": 46389, "Contraction\nEvaluations": 143977, "Never": None})
    assert numbers(table) == "Yes 51 57 46389 143977".split()
    assert str(table).splitlines()[2].split() == "Optimizer Optimization Objective Fixed Point Contraction".split()
    assert str(table).splitlines()[3].split() == "Converged Iterations Evaluations Iterations Evaluations".split()
    first = summary_table("Problem Results Summary", {"GMM\nStep": 1, "Objective\nValue": np.array(4.561514164803142)})
    assert numbers(first) == ["1", "+4.6E+00"]


def test_micro_moments_show_the_tutorials_numbers(two_digits):
    observed = -0.028211236925942875  # reference/nevo.json, scores
    name, data = "Score for parameter #0", "Simulated micro data"
    table = micro_table([(observed, np.array([observed + 5.5e-3]), name, [(name, data, 1000, 1)])])
    texts = f"{name} {name} {data} 1000 1".split()
    assert numbers(table) == ["-2.8E-02", "-2.3E-02", "-5.5E-03", *texts]


def test_a_micro_moment_of_two_parts_takes_two_rows(two_digits):
    table = micro_table([(1.0, 0.5, "ratio", [("top", "survey", 10, None), ("bottom", "panel", 20, 3)])])
    assert numbers(table) == "+1.0E+00 +5.0E-01 +5.0E-01 ratio top survey 10 All bottom panel 20 3".split()


# pyblp's own text


def test_the_tables_are_laid_out_as_pyblp_lays_them_out(two_digits):
    basics = pytest.importorskip("pyblp.utilities.basics")
    table = nonlinear()
    cells = [[format_se(c) if isinstance(c, StandardError) else format_number(c) if isinstance(c, float) else c or ""
              for c in row] for row in table.rows]
    assert str(table) == bare(basics.format_table(table.header, *cells, title=table.title, line_indices={4}))
    heads = [("GMM", "Step"), ("Hessian", "Min Eigenvalue"), "Shares"]
    mine = summary_table("Problem Results Summary", {"GMM\nStep": 1, "Hessian\nMin Eigenvalue": 3.3e-5, "Shares": 0})
    assert str(mine) == bare(basics.format_table(heads, [1, "+3.3E-05", 0], title="Problem Results Summary"))


@pytest.mark.parametrize(("se_type", "clusters"), [("robust", None), ("unadjusted", None), ("clustered", 24)])
def test_pyblps_problem_and_results_print_the_same_tables(se_type, clusters, monkeypatch):
    pyblp = pytest.importorskip("pyblp")
    monkeypatch.setattr(pyblp.options, "verbose", False)
    products, agents = datasets.load_cereal()
    products["clustering_ids"] = products["product_ids"]
    x1, x2 = pyblp.Formulation("0 + prices", absorb="C(product_ids)"), pyblp.Formulation("1 + prices + sugar + mushy")
    problem = pyblp.Problem((x1, x2), products, pyblp.Formulation("0 + income + income_squared + age + child"), agents)
    sizes = {name: getattr(problem, name) for name in "T N F I K1 K2 K3 D MD MS MC ED ES H".split()}
    rows = [("X1: Linear Characteristics", ["prices"]), ("X2: Nonlinear Characteristics", X2), ("X3: none", []),
            ("d: Demographics", D)]
    assert f"{dimensions_table(sizes)}\n\n{formulations_table(rows)}" == bare(problem)
    results = problem.solve(SIGMA, PI, optimization=pyblp.Optimization("return"), method="1s", se_type=se_type,
                            W_type=se_type, check_optimality="gradient")
    estimates = (results.sigma, results.pi, results.sigma_se, results.pi_se)
    tables = [nonlinear_table(*estimates, X2, D, se_type, clusters, FREE),
              beta_table(results.beta, results.beta_se, ["prices"], se_type, clusters)]
    assert bare(results).endswith("\n\n".join(map(str, tables)))


# What is shown and what is not


def test_a_standard_error_that_failed_is_shown_and_a_fixed_parameters_is_not(two_digits):
    failed = np.where(np.eye(4) > 0, np.nan, SIGMA_SE)
    assert str(nonlinear_table(SIGMA, PI, failed, PI_SE, X2, D, "robust", free=FREE)).count("(NAN)") == 4
    assert "NAN" not in str(nonlinear_table(SIGMA, PI, failed, PI_SE, X2, D, "robust"))
    fixed = FREE.copy()
    fixed[0, 0] = False
    assert "(+1.6E-01)" not in str(nonlinear_table(SIGMA, PI, SIGMA_SE, PI_SE, X2, D, "robust", free=fixed))
    assert "(NAN)" in str(beta_table([BETA], [np.nan], ["prices"], "robust"))


def test_without_standard_errors_each_parameter_has_one_row(two_digits):
    table = nonlinear_table(SIGMA, PI, None, None, X2, D, "robust")
    assert table.title == "Nonlinear Coefficient Estimates" and len(table.rows) == 4
    estimates = [line for line in NONLINEAR_TOKENS.splitlines() if "E" in line and "(" not in line]
    assert numbers(table) == " ".join(estimates).split()
    assert numbers(beta_table([BETA], None, ["prices"], "robust")) == ["-6.3E+01"]


@pytest.mark.parametrize("pi", [None, np.zeros((4, 0))])
def test_without_demographics_there_is_no_second_half(pi, two_digits):
    table = nonlinear_table(SIGMA, pi, SIGMA_SE, pi, X2, [], "robust")
    assert "|" not in str(table) and "Pi" not in str(table)
    assert numbers(table) == [token for line in NONLINEAR_TOKENS.splitlines() for token in line.split("|")[0].split()]


def test_standard_errors_of_no_known_kind_are_refused():
    with pytest.raises(ParameterError, match="unknown se_type 'HC1'; choose one of 'robust', 'unadjusted', 'cl"):
        beta_table([BETA], [BETA_SE], ["prices"], "HC1")
    with pytest.raises(ParameterError, match="clusters = None; it must be an integer"):
        beta_table([BETA], [BETA_SE], ["prices"], "clustered")


def test_notes_stand_below_the_table():
    table = Table("T", ("a",), ((1,),), notes=("first & last", "second"))
    assert str(table).splitlines()[-2:] == ["first & last", "second"]
    assert "first &amp; last" in table.to_html() and r"first \& last" in table.to_latex()


# HTML, LaTeX, CSV


class Cells(HTMLParser):
    """Tags with their attributes, and the texts of cells by row."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.rows = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if data.strip() and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def test_html_has_the_cells_of_the_text_with_scopes_and_no_colours(two_digits):
    html = nonlinear().to_html()
    cells = Cells(html)
    assert [len(row) for row in cells.rows] == [10] * 9, "a heading, four estimates, four standard errors; no gaps"
    assert [text for row in cells.rows[1:] for text in row if text] == NONLINEAR_TOKENS.replace("|", "").split()
    scopes = [attrs.get("scope") for tag, attrs in cells.tags if tag == "th"]
    assert scopes == ["col"] * 10 + ["row"] * 8
    assert "color" not in html and "background" not in html
    assert nonlinear()._repr_html_() == html


def test_names_are_escaped_in_html():
    evil = "<script>alert('1')</script>&"
    table = Table(evil, (evil, "b"), ((evil, 1.0),), notes=(evil,), labels=(0,))
    cells = Cells(table.to_html())
    assert not [tag for tag, _ in cells.tags if tag == "script"]
    assert cells.rows[0][0] == cells.rows[1][0] == cells.rows[2][0] == evil


def test_latex_has_a_cell_for_every_column_and_escapes_names(two_digits):
    evil = r"50%_a&b#c$d{e}~f^g\h<i>|[j]*"
    latex = Table(evil, (evil, "Hessian\nMax"), ((evil, -0.005783552), ("x", StandardError(2.5)), ("y", np.nan)),
                  labels=(0,)).to_latex()
    assert "\\begin{tabular}{lr}" in latex and r"\shortstack{Hessian\\Max}" in latex
    escaped = (r"50\%\_a\&b\#c\$d\{e\}\textasciitilde{}f\textasciicircum{}g\textbackslash{}h"
               r"\textless{}i\textgreater{}\textbar{}{[}j{]}{*}")
    assert latex.count(escaped) == 3 and rf"{escaped} & \shortstack" in latex
    assert r" & $-5.8 \times 10^{-3}$ \\" in latex
    assert r"x & ($+2.5$) \\" in latex and r"y & NAN \\" in latex


def test_latex_sets_the_two_halves_apart():
    latex = nonlinear().to_latex()
    assert r"\begin{tabular}{lrrrr@{\qquad}lrrrr}" in latex
    body = latex.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == 8 and all(line.count("&") == 9 for line in body)


def test_a_csv_file_keeps_every_digit():
    frame = pd.read_csv(io.StringIO(nonlinear().to_csv()), index_col=0)
    assert list(frame.index) == ["estimate", "se"] * 4
    values, errors = frame.loc["estimate"], frame.loc["se"]
    mine = values.iloc[:, [1, 2, 3, 4, 6, 7, 8, 9]].to_numpy(dtype=float)
    np.testing.assert_array_equal(mine[:, 4:], PI)
    np.testing.assert_array_equal(np.nan_to_num(mine[:, :4]), SIGMA)
    np.testing.assert_array_equal(errors.iloc[:, [6, 7, 8, 9]].to_numpy(dtype=float), PI_SE)
    assert nonlinear().to_frame().iloc[:, 1].dtype == np.float64


def test_a_csv_file_quotes_names_and_has_no_index_where_rows_are_alike():
    text = Table("T", ("Name", "Value"), (('a,"b"', 1),)).to_csv()
    assert text == 'Name,Value\n"a,""b""",1\n'
