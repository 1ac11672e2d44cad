"""Schedule expressions: Python's arithmetic and nothing else of Python."""

from __future__ import annotations

import contextlib
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.common.errors import ExpressionError
from engine.schedules import expression
from engine.schedules.expression import MAX_DEPTH, MAX_LENGTH, MAX_NODES, Expression

NAMES = {"epoch": 7.0, "step": 161.0, "epochs": 30.0, "steps_per_epoch": 23.0}


def value(text: str, **names: float) -> float:
    return Expression(text)({**NAMES, **names})


def error_of(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        Expression(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "0.95**epoch",
        "0.01 - 0.0009*epoch if epoch < 10 else 0.001",
        "1",
        "epoch // 3 + epoch % 3",
        "2**-epoch + +1",
        "(1 + math.cos(math.pi * epoch / epochs)) / 2",
        "min(1, (epoch + 1) / 5)",
        "max(1 - epoch / epochs, 0.1, 0.05)",
        "math.exp(-epoch / 10) * math.sqrt(2) + abs(-1) + math.floor(2.5) + math.ceil(2.5)",
        "math.log(epoch + 1) + math.log(8, 2) + math.sin(1) + math.e",
        "1 if 3 <= epoch < 10 and not epoch == 5 or epoch != 7 else 2",
        "0 <= epoch <= 6 <= 9",
        "epoch < 10 and 0.25 or 0.01",  # a conditional without if-else
        "epoch > 10 and 0.25 or 0.01",
        "epoch or 3",
        "epoch and 3",
        "step / (epochs * steps_per_epoch)",
        "epoch >= 5",
    ],
)
def test_allowed_expressions_equal_python(text: str) -> None:
    assert value(text.replace("math.", "")) == float(eval(text, {"math": math}, dict(NAMES)))


NUMBERS = st.floats(min_value=0, max_value=1e6).map(repr)
TERMS = st.recursive(
    st.one_of(NUMBERS, st.sampled_from(["epoch", "epochs", "step", "steps_per_epoch"])),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "**"]), inner).map(
            lambda t: "({} {} {})".format(*t)
        ),
        st.tuples(inner, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner).map(
            lambda t: "({} {} {})".format(*t)
        ),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: "({} {} {})".format(*t)),
        st.tuples(inner, inner, inner).map(lambda t: "({} < {} < {})".format(*t)),
        st.tuples(inner, inner, inner).map(lambda t: "({} if {} else {})".format(*t)),
        inner.map(lambda t: f"(-{t})"),
        inner.map(lambda t: f"(not {t})"),
    ),
    max_leaves=10,
)


@given(text=TERMS, epoch=st.integers(min_value=0, max_value=1000))
def test_a_random_expression_equals_python_or_raises(text: str, epoch: int) -> None:
    names = {**NAMES, "epoch": float(epoch)}
    try:
        expected = eval(text, {}, dict(names))
    except (ZeroDivisionError, OverflowError, TypeError):
        expected = None
    if expected is None or isinstance(expected, complex) or not math.isfinite(expected) or expected < 0:
        with pytest.raises(ExpressionError):
            Expression(text)(names)
        return
    # Complex intermediate results are errors, even if Python gets a real result from them by comparing or choosing.
    with contextlib.suppress(ComplexResultError):
        assert evaluate(text, names) == float(expected)


class ComplexResultError(Exception):
    pass


def evaluate(text: str, names: dict[str, float]) -> float:
    try:
        return Expression(text)(names)
    except ExpressionError as error:
        if "complex" in error.problem:
            raise ComplexResultError from None
        raise


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "epoch.__class__",
        "().__class__.__bases__[0].__subclasses__()",
        "(lambda: 1)()",
        "[x for x in (1, 2)]",
        "{epoch: 1}",
        "{1, 2}",
        "(1, 2)",
        "[1][0]",
        "'a' * 10",
        "b'a'",
        "f'{epoch}'",
        "(x := 1)",
        "print(1)",
        "pow(2, 3)",
        "max(*[1, 2])",
        "max(1, 2, key=abs)",
        "max(1)",
        "abs(1, 2)",
        "cos()",
        "True",
        "None",
        "...",
        "1j",
        "x",
        "epoch[0]",
        "~1",
        "1 << 3",
        "1 | 2",
        "1 is 2",
        "1 in 2",
        "1 @ 2",
        "(yield)",
        "await epoch",
        "import os",
        "epoch = 1",
        "1; 2",
        "",
        "   ",
        "lambda epoch:",
        "lambda x, y: 1",
        "[0.1, 0.2]",
        "0.1 +",
        "((1)",
        "1\x00",
        "0.1 − 0.05",  # a typographic minus
        "\ud800",
        "ｅｐｏｃｈ",  # wide letters, which Python would read as epoch
        "0.1 # a comment",
        "0.1 # a comment\n* 2",
        "1" * 400,  # an integer larger than any float
    ],
)
def test_everything_else_is_an_error(text: str) -> None:
    error_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 240 + "1" + ")" * 240,
        "-" * 499 + "1",
        "1" + "+1" * 249,
        "not " * 100 + "1",
        "1**" * 100 + "1",
        "1 if 1 else " * 60 + "1",
        "abs(" * 100 + "1" + ")" * 100,
        "(" * 499,
        "9" * MAX_LENGTH + "9",
        "-" * 45 + "1",  # too deep, with few parts
        "1<" * 150 + "1",  # too many parts, not nested
        "1 " * 1_000_000,
        "[" * 100_000,
    ],
)
def test_too_long_or_too_deeply_nested_is_an_error(text: str) -> None:
    error_of(text)


def test_the_largest_allowed_expressions_are_evaluated() -> None:
    assert value("-" * (MAX_DEPTH - 1) + "-1" if MAX_DEPTH % 2 == 0 else "1") == 1
    assert value("1" + " " * (MAX_LENGTH - 2) + "\t") == 1
    assert value("max(" + ",".join(["1"] * 8) + ")") == 1
    assert MAX_NODES == 200


def test_no_part_is_evaluated_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chained comparisons nested in their middle would otherwise take 2 to the power of their depth."""
    calls = []
    monkeypatch.setitem(expression.FUNCTIONS, "abs", lambda x: calls.append(x) or abs(x))
    text = "abs(1)"
    for _ in range(35):
        text = f"0<=({text})<=1"
    assert value(text) == 1
    assert len(calls) == 1


@pytest.mark.parametrize("text", ["9**9**9", "10**10000", "(10.0**300)**300", "((10**10000)**10000)", "exp(exp(100))"])
def test_huge_powers_overflow(text: str) -> None:
    with pytest.raises(ExpressionError, match="too large"):
        value(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1/0", "divides by zero"),
        ("1 % 0", "divides by zero"),
        ("0**-1", "divides by zero"),
        ("1/(epoch-7)", "divides by zero"),
        ("(-8)**0.5", "complex"),
        ("((-8)**0.5)**2", "complex"),
        ("max((-8)**0.5, 1)", "complex"),
        ("((-8)**0.5) < 1", "complex"),
        ("sqrt(-1)", "is undefined"),
        ("log(0)", "is undefined"),
        ("log(2, 1)", "divides by zero"),
        ("1e999", "not finite"),
        ("1e999 - 1e999", "not finite"),
        ("1e308 * 10", "not finite"),
        ("cos(1e999)", "is undefined"),
        ("floor(1e999)", "too large"),
        ("-0.1", "negative number"),
        ("0.01 - 0.002*epoch", "negative number"),
    ],
)
def test_a_result_that_is_not_an_lr_is_explained(text: str, why: str) -> None:
    with pytest.raises(ExpressionError, match=why):
        value(text)


def test_a_name_without_a_value_is_an_error() -> None:
    with pytest.raises(ExpressionError, match="'step' has no value here"):
        Expression("step")({"epoch": 1.0})


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("0.1 + foo", "foo"),
        ("  0.1 + foo", "foo"),
        ("lambda epoch: 0.95**foo", "foo"),
        ("(1 +\n foo)", "foo"),
        ("0.1 + epoch.real", "epoch"),
        ("max(1, open(2))", "open"),
        ("0.1 – 0.2", "–"),
        ("lambda epoch: 0.1 × 2", "×"),
        ("lambda e: 0.95**e", "e: 0"),
        ("0.1 + )", ")"),
        ("lambda epoch: (0.1 + 1", "("),
        ("1 + 'text'", "'text'"),
    ],
)
def test_errors_have_the_position_in_the_given_text(text: str, at: str) -> None:
    assert error_of(text).position == text.index(at)


def test_an_unknown_name_error_lists_the_allowed_names() -> None:
    problem = error_of("foo").problem
    for name in (*expression.NAMES, *expression.FUNCTIONS):
        assert name in problem


def test_a_lambda_prefix_is_removed() -> None:
    assert Expression(" lambda epoch : 0.95**epoch ").text == "0.95**epoch"
    assert "write epoch instead of x" in error_of("lambda x: 0.95**x").problem


def test_an_expression_in_parentheses_can_span_lines() -> None:
    assert value("(1 +\n 2)") == 3


def test_an_incomplete_expression_is_an_error_at_its_end() -> None:
    assert error_of("0.1 +").position == len("0.1 +")


PIECES = ("(", "{", "-", "not ", "9**9**", "1 if 1 else ", "lambda:", "f'{", "max(1,", ". e {", "(a:=", "1<", "\x00")
HOSTILE = [
    *(piece * count for piece in PIECES for count in (20, 100, 500, 100_000)),
    "((10**10000)**10000)",
    "9**9**9**9",
    "max(" * 39 + "1,1" + ")" * 39,
    "__import__('os').system('')",
    "epoch.__class__",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: f"{text[:12]!r}x{len(text)}")
def test_hostile_input_takes_less_than_a_tenth_of_a_second(text: str) -> None:
    start = time.thread_time()  # CPU time, which passes only while this thread runs
    with contextlib.suppress(ExpressionError):
        Expression(text)({"epoch": 3.0, "step": 6.0, "epochs": 30.0, "steps_per_epoch": 2.0})
    assert time.thread_time() - start < 0.1


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("math.cos(math.pi * epoch / epochs)", "cos(pi * epoch / epochs)"),
        ("0.5 * (1 + np.cos(np.pi*epoch / epochs))", "0.5 * (1 + cos(pi*epoch / epochs))"),
        ("lambda epoch: numpy.exp(-epoch)", "exp(-epoch)"),
        ("torch.sqrt(epoch) + math . e", "sqrt(epoch) + e"),
    ],
)
def test_names_with_their_module_are_taken_as_pasted(text: str, plain: str) -> None:
    pasted = Expression(text)
    values = {"epoch": 3.0, "epochs": 30.0}
    assert pasted.text == plain
    assert pasted(values) == Expression(plain)(values)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 + math.pow(0.9, epoch)", r"'pow' is not a function here; write a\*\*b"),
        ("1 + np.maximum(epoch, 1)", r"'maximum' is not a function here; write max\(a, b\)"),
        ("1 + np.nope", "the name 'nope' is not known"),
        ("1 + os.sep", "'os.sep' is not allowed"),
        ("1 + math.cos.real", "'math.cos.real' is not allowed"),
        ("1 + np.linalg.norm(epoch)", "'np.linalg.norm\\(epoch\\)' is not allowed"),
    ],
)
def test_other_names_of_a_module_are_errors_with_a_hint(text: str, why: str) -> None:
    with pytest.raises(ExpressionError, match=why) as caught:
        Expression(text)
    assert caught.value.position == 4
