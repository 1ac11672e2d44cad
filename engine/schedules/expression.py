"""A safe evaluator for schedule expressions such as ``0.01 - 0.0009*epoch if epoch < 10 else 0.001``.

It is an allow-list over Python's ``ast``. Every number is a float, so no input can create a large integer. Only the
listed functions can be called, and there are no attributes, subscripts or strings; ``math.`` or ``np.`` before a name,
as in expressions pasted from code, is removed. Length, number of nodes and depth are limited and no part is evaluated
twice, so parsing and evaluating always take well under a millisecond.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Final

from engine.common.errors import ExpressionError

MAX_LENGTH: Final = 500
MAX_NODES: Final = 200
MAX_DEPTH: Final = 40

NAMES: Final = ("epoch", "step", "epochs", "steps_per_epoch", "pi", "e")
FUNCTIONS: Final[dict[str, Callable[..., float]]] = {
    "abs": abs,
    "ceil": lambda x: float(math.ceil(x)),
    "cos": math.cos,
    "exp": math.exp,
    "floor": lambda x: float(math.floor(x)),
    "log": math.log,
    "max": max,
    "min": min,
    "sin": math.sin,
    "sqrt": math.sqrt,
}
_MODULES: Final = ("math", "np", "numpy", "torch")
_PREFIX: Final = re.compile(rf"\b(?:{'|'.join(_MODULES)})\s*\.\s*(?=[A-Za-z_])")
_INSTEAD: Final = {
    "clip": "min(max(x, low), high)",
    "fabs": "abs(x)",
    "maximum": "max(a, b)",
    "minimum": "min(a, b)",
    "pow": "a**b",
    "power": "a**b",
    "square": "x**2",
}
"""What to write instead of functions that code often has."""
_ARITY: Final = {"max": (2, 8), "min": (2, 8), "log": (1, 2)}

_BINARY: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARE: Final[dict[type[ast.cmpop], Callable[[float, float], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

Value = float | bool
Evaluate = Callable[[Mapping[str, float]], Value]


class Expression:
    """A parsed expression, ready to be evaluated.

    Args:
        text: at most 500 characters. A ``lambda epoch:`` prefix is removed, and ``math.`` and the like before a name.
        names: the names that it may use besides ``pi`` and ``e``. The first is the argument of a ``lambda`` prefix.

    Raises:
        ExpressionError: the text is not an expression, or it uses something that is not allowed.
    """

    def __init__(self, text: str, names: tuple[str, ...] = NAMES) -> None:
        self.text = without_lambda(text, names[0])
        start = len(text.rstrip()) - len(self.text)  # errors count from the start of the given text
        if len(self.text) > MAX_LENGTH:
            raise ExpressionError(f"an expression can have at most {MAX_LENGTH} characters", start + MAX_LENGTH)
        if not self.text:
            raise ExpressionError("must not be empty; enter an expression such as 0.95**epoch")
        for offset, character in enumerate(self.text):
            if not character.isascii() or not character.isprintable() or character == "#":  # no comments
                raise ExpressionError(f"the character {character!r} is not allowed in an expression", start + offset)
        try:
            self._evaluate = _compile(_parsed(self.text), 0, names)
        except ExpressionError as error:
            raise ExpressionError(error.problem, start + error.position) from None
        self.text = _PREFIX.sub("", self.text)

    def __call__(self, names: Mapping[str, float]) -> float:
        """Evaluate with values for the ``names`` that the text uses.

        Raises:
            ExpressionError: the result is not a finite number (a division by zero, an overflow), or is negative.
        """
        try:
            value = self._evaluate(names)
            if isinstance(value, complex):
                raise ExpressionError("gives a complex number")
            result = float(value)
        except KeyError as error:
            raise ExpressionError(f"the name {error.args[0]!r} has no value here") from None
        except ZeroDivisionError:
            raise ExpressionError("divides by zero") from None
        except OverflowError:
            raise ExpressionError("gives a number that is too large") from None
        except ValueError as error:
            if isinstance(error, ExpressionError):
                raise
            raise ExpressionError(f"is undefined: {error}") from None
        except TypeError:
            raise ExpressionError("gives a complex number") from None
        if not math.isfinite(result):
            raise ExpressionError("gives a number that is not finite")
        if result < 0:
            raise ExpressionError(f"gives a negative number ({result:.6g}); a learning rate must be at least 0")
        return result


def without_lambda(text: str, name: str = "epoch") -> str:
    """``text`` without surrounding spaces and without a ``lambda epoch:`` prefix (``name`` instead of ``epoch``).

    Raises:
        ExpressionError: the argument of the ``lambda`` has another name.
    """
    given, text = text, text.strip()
    text = text.translate({ord(space): " " for space in "\t\n\r"})  # on one line, ast's column is the offset
    if text.startswith("lambda"):
        head, colon, body = text.partition(":")
        argument = head.removeprefix("lambda").strip()
        if colon and argument.isidentifier():
            if argument != name:
                position = given.index(argument, given.index("lambda") + len("lambda"))
                raise ExpressionError(f"write {name} instead of {argument}", position)
            return body.strip()
    return text


def _parsed(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        offset = getattr(error, "offset", 1)
        reason = getattr(error, "msg", None) or "cannot be read"
        position = offset - 1 if offset else len(text)  # 0 means the end of the text
        raise ExpressionError(f"not an expression: {reason}", position) from None
    if sum(1 for _ in ast.walk(tree)) > MAX_NODES:
        raise ExpressionError(f"an expression can have at most {MAX_NODES} parts")
    return tree.body


def _compile(node: ast.expr, depth: int, known: tuple[str, ...]) -> Evaluate:
    if depth > MAX_DEPTH:
        raise ExpressionError("is nested too deeply", node.col_offset)

    def sub(child: ast.expr) -> Evaluate:
        return _compile(child, depth + 1, known)

    node = _without_module(node)
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            try:
                constant = float(value)
            except OverflowError:
                raise ExpressionError("the number is too large", node.col_offset) from None
            return lambda names: constant
        case ast.Name(id=name):
            if name == "pi":
                return lambda names: math.pi
            if name == "e":
                return lambda names: math.e
            if name not in known:
                allowed = ", ".join(dict.fromkeys((*known, "pi", "e", *FUNCTIONS)))
                raise ExpressionError(f"the name {name!r} is not known; allowed: {allowed}", node.col_offset)
            return lambda names: names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = sub(operand)
            return lambda names: -inner(names)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return sub(operand)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            negated = sub(operand)
            return lambda names: not negated(names)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            apply, a, b = _BINARY[type(op)], sub(left), sub(right)
            return lambda names: apply(float(a(names)), float(b(names)))
        case ast.BoolOp(op=op, values=values):
            return _short_circuit([sub(v) for v in values], isinstance(op, ast.Or))
        case ast.Compare(left=left, ops=ops, comparators=comparators) if all(type(o) in _COMPARE for o in ops):
            return _chain(sub(left), [(_COMPARE[type(o)], sub(c)) for o, c in zip(ops, comparators, strict=True)])
        case ast.IfExp(test=test_node, body=body, orelse=orelse):
            test, yes, no = sub(test_node), sub(body), sub(orelse)
            return lambda names: yes(names) if test(names) else no(names)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            least, most = _ARITY.get(name, (1, 1))
            if not least <= len(args) <= most or any(isinstance(a, ast.Starred) for a in args):
                count = str(least) if least == most else f"{least} to {most}"
                raise ExpressionError(f"{name} takes {count} argument(s)", node.col_offset)
            function, operands = FUNCTIONS[name], [sub(a) for a in args]
            return lambda names: function(*(float(a(names)) for a in operands))
        case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
            raise ExpressionError(f"{name} takes no named arguments", node.col_offset)
        case ast.Call(func=ast.Name(id=name)):
            what = f"write {_INSTEAD[name]}" if name in _INSTEAD else f"allowed: {', '.join(FUNCTIONS)}"
            raise ExpressionError(f"{name!r} is not a function here; {what}", node.col_offset)
    what = ast.unparse(node) if not isinstance(node, ast.Constant) else repr(node.value)
    raise ExpressionError(f"{what[:40]!r} is not allowed in an expression", node.col_offset)


def _without_module(node: ast.expr) -> ast.expr:
    """``cos`` for ``math.cos``, also where it is called."""
    match node:
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in _MODULES:
            return ast.copy_location(ast.Name(id=name, ctx=ast.Load()), node)
        case ast.Call(func=ast.Attribute() as function, args=args, keywords=keywords):
            return ast.copy_location(ast.Call(func=_without_module(function), args=args, keywords=keywords), node)
    return node


def _short_circuit(parts: list[Evaluate], until: bool) -> Evaluate:
    """``or`` (until a true operand) and ``and`` (until a false one) return the operand itself, as in Python."""

    def evaluate(names: Mapping[str, float]) -> Value:
        value: Value = not until
        for part in parts:
            value = part(names)
            if bool(value) == until:
                break
        return value

    return evaluate


def _chain(first: Evaluate, rest: list[tuple[Callable[[float, float], bool], Evaluate]]) -> Evaluate:
    """``a < b < c``. Each term is evaluated once: otherwise nested chains would take exponential time."""

    def evaluate(names: Mapping[str, float]) -> Value:
        left = first(names)
        for test, term in rest:
            right = term(names)
            if not test(left, right):
                return False
            left = right
        return True

    return evaluate
