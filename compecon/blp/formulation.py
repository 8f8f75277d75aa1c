"""Formulas: from text such as '1 + prices + log(sugar)' to a matrix, its labels, its derivatives, its fixed effects."""

import ast
import functools
import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic.parser import DefaultFormulaParser

from compecon.blp.columns import column, identifiers, n_rows, numeric, refuse_rows
from compecon.errors import ParameterError

_BETWEEN_TERMS = (ast.Add, ast.Sub, ast.Mult, ast.MatMult, ast.Div)
_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
# Each operation of an expression: the function, then its derivative by each argument.
_RULES = {
    "log": (np.log, np.reciprocal),
    "exp": (np.exp, np.exp),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    ast.USub: (np.negative, lambda x: -1.0),
    ast.Add: (np.add, lambda x, y: 1.0, lambda x, y: 1.0),
    ast.Sub: (np.subtract, lambda x, y: 1.0, lambda x, y: -1.0),
    ast.Mult: (np.multiply, lambda x, y: y, lambda x, y: x),
    ast.Div: (np.divide, lambda x, y: 1.0 / y, lambda x, y: -x / y**2),
    ast.Pow: (np.power, lambda x, y: y * x ** (y - 1.0), lambda x, y: x**y * np.log(x)),
}
_DUMMY = re.compile(r"C\((\w+)\)\[(?:T\.)?(\d+)\]")


@dataclass(frozen=True, repr=False)
class Formulation:
    """A matrix of characteristics X and the fixed effects to absorb from it, as formulas.

    Parameters
    ----------
    formula : str
        Terms joined by `+` (`-` takes one out, `0 +` the intercept); `a:b` is a product of columns, `a*b` is
        `a + b + a:b`, `a/b` is `a + a:b`. A term is a column, `log(..)`, `exp(..)`, `sqrt(..)` or `I(..)` of arithmetic
        with columns, or `C(column)`: a dummy for each of its values. A column that holds no numbers is taken as C(..).
        Dummies that the terms before them make redundant are left out.
    absorb : str, optional
        Fixed effects, of which the intercept is a part: `'C(product_ids)'`; `'C(a) + C(b)'` are two, `'C(a):C(b)'`
        is one for each pair of values.

    Attributes
    ----------
    names : tuple of str, the terms' labels; where no term has dummies they are the columns' labels
    variables : tuple of str, the columns of the data that the formula uses, sorted

    Raises
    ------
    ParameterError
        When anything else stands in a formula. Formulas are read, never executed.

    Notes
    -----
    Terms, their order and the labels agree with pyblp's, except that `**` between terms is refused: there `prices**2`
    would mean `prices`. formulaic splits the formula into terms and decides which dummies are redundant. Derivatives
    are by forward differentiation (Griewank and Walther 2008, chapter 3), exact but for rounding.

    Examples
    --------
    >>> formulation = Formulation("1 + log(prices) + prices:sugar", absorb="C(product_ids)")
    >>> formulation
    log(prices) + prices:sugar + Absorb[C(product_ids)]
    >>> formulation.names
    ('log(prices)', 'prices*sugar')
    >>> data = {"prices": np.array([1.0, 2.0]), "sugar": np.array([3.0, 5.0])}
    >>> formulation.build(data)
    array([[ 0.        ,  3.        ],
           [ 0.69314718, 10.        ]])
    >>> formulation.derivative(data, "prices")
    array([[1. , 3. ],
           [0.5, 5. ]])
    """

    formula: str
    absorb: str | None = None
    terms: tuple = field(init=False, compare=False)
    absorbed: tuple = field(init=False, compare=False)

    def __post_init__(self):
        absorbed = () if self.absorb is None else tuple(filter(None, _read_terms(self.absorb, "absorb")))
        if self.absorb is not None and not (absorbed and all(_category(f) for term in absorbed for f in term)):
            raise ParameterError(f"absorb = {self.absorb!r}; fixed effects are written C(a), C(a) + C(b) or C(a):C(b).")
        terms = [term for term in _read_terms(self.formula, "formula") if term or not absorbed]
        if not terms:
            raise ParameterError(f"formula = {self.formula!r} leaves no column. Add one, as in '0 + prices'.")
        object.__setattr__(self, "terms", tuple(sorted(terms, key=bool)))
        object.__setattr__(self, "absorbed", absorbed)

    def __repr__(self):
        terms = [":".join(term) or "1" for term in self.terms]
        return " + ".join(terms + [f"Absorb[{':'.join(term)}]" for term in self.absorbed])

    @property
    def names(self):
        """Labels of the terms."""
        return tuple(map(_label, self.terms))

    @property
    def variables(self):
        """Columns of the data that the formula uses, sorted."""
        return tuple(sorted(set().union(*map(_variables, self.terms))))

    def uses(self, name):
        """Whether column `name` of the data enters X."""
        return name in self.variables

    def labels(self, data):
        """(K,) tuple of the columns' labels: a product's factors sorted, dummies as in `brand['F1B04']`."""
        blocks = zip((_split(term, data)[1] for term in self.terms), self._dummies(data), strict=True)
        return tuple(_label((*numbers, *names)) for numbers, (dummies, _) in blocks for names in dummies)

    def depends(self, data, name):
        """(K,) bool: which columns of X are made from column `name` of the data."""
        widths = [len(dummies) for dummies, _ in self._dummies(data)]
        return np.repeat([name in _variables(term) for term in self.terms], widths)

    def build(self, data):
        """X : (N, K) float64; DataError names the column and the market that are missing or not finite."""
        return self._finite(self._columns(data), "", data)

    def derivative(self, data, name):
        """dX / d`name` : (N, K), row by row; `name` is a column of numbers."""
        return self._finite(self._columns(data, name), f"the derivative by {name!r} of ", data)

    def linear_in(self, name, data):
        """Whether all columns of X are affine in column `name`: their derivatives stay when its values change."""
        if not self.uses(name):
            return True
        values = numeric(data, name)
        moved = {other: column(data, other) for other in self.variables}
        moved[name] = 2.0 * values + np.where(values < 0, -1.0, 1.0)
        return np.array_equal(self._columns(data, name), self._columns(moved, name))

    def absorbed_codes(self, data):
        """A list of (N,) int64 codes 0, 1, .., one for each absorbed fixed effect."""
        effects = []
        for term in self.absorbed:
            if not all(_category(factor, data) for factor in term):
                raise ParameterError(f"absorb = {self.absorb!r}: a column of numbers is absorbed as C(column).")
            ids = [_levels(data, _category(factor))[0] for factor in term]
            effects.append(np.unique(np.column_stack(ids), axis=0, return_inverse=True)[1])
        return effects

    def _columns(self, data, name=None):
        """X, or its derivative by `name`, whether finite or not."""
        parts = [_split(term, data) for term in self.terms]
        if any(name in categories for categories, _ in parts):
            raise ParameterError(f"formula = {self.formula!r} has no derivative by {name!r}, which is C({name}) in it.")
        if name is not None:
            numeric(data, name)
        blocks = []
        for (_, numbers), (_, dummies) in zip(parts, self._dummies(data), strict=True):
            with np.errstate(all="ignore"):
                value, slope = _evaluate(_product(numbers), data, name)
            value = value if name is None else 0.0 if slope is None else slope
            blocks.append(dummies * np.broadcast_to(value, len(dummies))[:, None])
        return np.hstack(blocks)

    def _finite(self, matrix, what, data):
        """`matrix`, if all of it is finite."""
        for k in np.flatnonzero(~np.isfinite(matrix).all(axis=0)):
            refuse_rows(~np.isfinite(matrix[:, k]), f"{what}{self.labels(data)[k]!r} is not finite", data)
        return matrix

    def _dummies(self, data):
        """For each term: the dummies in each of its columns (lists of names) and their products (N, k), or ones."""
        parts = [_split(term, data) for term in self.terms]
        ones = np.ones((n_rows(data), 1))
        if not any(categories for categories, _ in parts):
            return [([[]], ones)] * len(parts)
        # Which dummies are redundant depends on what meets in a term, not on the numbers there: ones stand for them.
        levels = {v: _levels(data, v) for categories, _ in parts for v in categories}
        frame = {f"C({v})": pd.Categorical.from_codes(codes, range(len(ids))) for v, (codes, ids) in levels.items()}
        frame |= {_label(numbers): ones[:, 0] for _, numbers in parts if numbers}
        keys = [[f"C({v})" for v in categories] + [_label(numbers)] * bool(numbers) for categories, numbers in parts]
        keys = [":".join(f"`{name}`" for name in key) or "1" for key in keys]
        formula = Formula(["1"] * bool(self.absorbed) + keys)
        coding = formula.get_model_matrix(pd.DataFrame(frame), context={}, na_action="raise")
        places = {str(term): place for term, place in coding.model_spec.term_slices.items()}
        slices = [places[key.replace("`", "")] for key in keys]
        names = [[f"{v}[{levels[v][1][int(k)]!r}]" for v, k in _DUMMY.findall(text)] for text in coding.columns]
        return [(names[place], coding.to_numpy(np.float64)[:, place]) for place in slices]


def _read_terms(text, what):
    """The terms of a formula, each a tuple of its factors, () for the intercept; nothing is evaluated."""
    try:
        found = _refused(ast.parse(f"({text})".replace(":", "@"), mode="eval").body)
        terms = () if found else DefaultFormulaParser().get_terms(text)
    except Exception:
        found = text
    if found:
        raise ParameterError(
            f"{what} = {text!r}: {found!r} is not allowed there. A formula joins columns, 0 or 1, log(..), exp(..), "
            "sqrt(..), I(..) and C(column) by + - * / and ':'. Arithmetic (+ - * / **) goes inside I(): I(prices**2)."
        )
    return tuple(tuple(factor.expr for factor in term.factors if factor.expr != "1") for term in terms)


def _refused(node, arithmetic=False):
    """The first part of a formula that may not stand where it does, as text, or None; inside a call is arithmetic."""
    text = ast.unparse(node).replace(" @ ", ":")
    match node:
        case ast.BinOp(left=ast.Constant(), op=ast.MatMult()):
            return text
        case ast.Name() | ast.Constant(value=0 | 1):
            parts = ()
        case ast.Constant(value=int() | float()) if arithmetic:
            parts = ()
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _ARITHMETIC if arithmetic else _BETWEEN_TERMS):
            parts = (left, right)
        case ast.UnaryOp(op=ast.USub(), operand=operand) if arithmetic or isinstance(operand, ast.Constant):
            parts = (operand,)
        case ast.Call(func=ast.Name(id="C"), args=[ast.Name()], keywords=[]) if not arithmetic:
            parts = ()
        case ast.Call(func=ast.Name(id="log" | "exp" | "sqrt" | "I"), args=[argument], keywords=[]):
            parts, arithmetic = (argument,), True
        case _:
            return text
    return next(filter(None, (_refused(part, arithmetic) for part in parts)), None)


@functools.lru_cache
def _parse(factor):
    """The tree of a factor, without the I() that only marks arithmetic."""
    return ast.parse(re.sub(r"\bI\(", "(", factor), mode="eval").body


def _variables(term):
    """The set of columns that a term uses."""
    return set(re.findall(r"\b[^\W\d]\w*\b(?!\()", ":".join(term)))


def _category(factor, data=None):
    """The column that a factor codes as dummies, or None; without data, a bare name is taken to be one."""
    node = _parse(factor)
    if isinstance(node, ast.Call) and node.func.id == "C":
        return node.args[0].id
    bare = isinstance(node, ast.Name) and (data is None or column(data, node.id).dtype.kind not in "iuf")
    return node.id if bare else None


def _split(term, data):
    """The columns that a term codes as dummies, and a tuple of its other factors."""
    categories = [_category(factor, data) for factor in term]
    numbers = tuple(factor for factor, category in zip(term, categories, strict=True) if not category)
    return list(filter(None, categories)), numbers


@functools.lru_cache
def _product(factors):
    """The tree of a product: names first, then calls, each in alphabetical order; 1 where there is nothing."""
    ordered = sorted(map(_parse, factors), key=lambda tree: (isinstance(tree, ast.Call), ast.unparse(tree)))
    return functools.reduce(lambda a, b: ast.BinOp(a, ast.Mult(), b), ordered) if ordered else ast.Constant(1)


def _label(factors):
    """A product as text."""
    return re.sub(r" (\*\*?|/) ", r"\1", ast.unparse(_product(factors)))


def _evaluate(tree, data, name):
    """The value of an expression, and its derivative by column `name`: None where that does not appear in it."""
    match tree:
        case ast.Constant(value=number):
            return np.float64(number), None
        case ast.Name(id=variable):
            return numeric(data, variable), 1.0 if variable == name else None
        case ast.Call(func=ast.Name(id=operation), args=arguments):
            pass
        case ast.UnaryOp(op=op, operand=operand):
            operation, arguments = type(op), [operand]
        case ast.BinOp(left=left, op=op, right=right):
            operation, arguments = type(op), [left, right]
    values, slopes = zip(*(_evaluate(argument, data, name) for argument in arguments), strict=True)
    function, *derivatives = _RULES[operation]
    parts = [by(*values) * slope for by, slope in zip(derivatives, slopes, strict=True) if slope is not None]
    return function(*values), sum(parts) if parts else None


def _levels(data, name):
    """Codes (N,) and the list of the sorted distinct values of a column of categories."""
    codes, levels = pd.factorize(identifiers(data, name), sort=True)
    return codes, levels.tolist()
