"""A schedule's expression as Python source that gives the same float to the last bit.

The evaluator computes with floats only, while Python's integers are exact at any size. So ``float(...)`` is inserted
where an integer could exceed what a float holds exactly; the rest stays as it was written.
"""

from __future__ import annotations

import ast
import math
from typing import Final

EXACT: Final = float(2**53)
_BUILT_IN: Final = ("abs", "max", "min")


def as_python(text: str, interval: str, epochs: int, steps_per_epoch: int) -> str:
    """``lambda epoch: ...``, or ``lambda step: ...`` for a schedule stepped per batch, of a validated expression.

    The names ``epochs`` and ``steps_per_epoch`` stay in it; the surrounding code defines them.
    """
    argument = "epoch" if interval == "epoch" else "step"
    steps = float(epochs * steps_per_epoch)
    bounds = {"epoch": steps if argument == "step" else float(epochs), "step": steps}
    bounds |= {"epochs": float(epochs), "steps_per_epoch": float(steps_per_epoch)}
    translated, _ = _Translation(argument, bounds).visit(ast.parse(text, mode="eval").body)
    return f"lambda {argument}: {ast.unparse(ast.fix_missing_locations(translated))}"


def of_x(text: str, largest: float) -> str:
    """``lambda x: ...`` of a validated expression in ``x``, an integer of at most ``largest``."""
    translated, _ = _Translation("x", {"x": float(largest)}).visit(ast.parse(text, mode="eval").body)
    return f"lambda x: {ast.unparse(ast.fix_missing_locations(translated))}"


class _Translation:
    """Rewrites a syntax tree; returns each node with the largest integer it can be, or None for a float."""

    def __init__(self, argument: str, bounds: dict[str, float]) -> None:
        self._argument = argument
        self._bounds = bounds

    def visit(self, node: ast.expr) -> tuple[ast.expr, float | None]:
        match node:
            case ast.Constant(value=int() as value):
                return (node, float(value)) if value < EXACT else (ast.Constant(float(value)), None)
            case ast.Constant():
                return node, None
            case ast.Name(id="pi" | "e" as name):
                return _of_math(name), None
            case ast.Name(id=name):
                return self._name(name), self._bounds[name]
            case ast.UnaryOp(op=op, operand=operand):
                inner, bound = self.visit(operand)
                return ast.UnaryOp(op, inner), 1.0 if isinstance(op, ast.Not) else bound
            case ast.BinOp(left=left, op=op, right=right):
                return _operation(*self.visit(left), op, *self.visit(right))
            case ast.BoolOp(op=op, values=values):
                parts = [self.visit(part) for part in values]
                return ast.BoolOp(op, [part for part, _ in parts]), _largest([bound for _, bound in parts])
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return ast.Compare(self.visit(left)[0], ops, [self.visit(c)[0] for c in comparators]), 1.0
            case ast.IfExp(test=test, body=body, orelse=orelse):
                (yes, most), (no, other) = self.visit(body), self.visit(orelse)
                return ast.IfExp(self.visit(test)[0], yes, no), _largest([most, other])
            case ast.Call(func=ast.Name(id=name), args=args):
                parts = [self.visit(part) for part in args]
                function: ast.expr = ast.Name(name) if name in _BUILT_IN else _of_math(name)
                bound = _largest([b for _, b in parts]) if name in _BUILT_IN else None
                bound = math.inf if name in ("ceil", "floor") else bound
                return ast.Call(function, [part for part, _ in parts], []), bound
        raise AssertionError(f"{ast.dump(node)} cannot be in a validated expression")

    def _name(self, name: str) -> ast.expr:
        if name == "step" and self._argument == "epoch":
            return ast.BinOp(ast.Name("epoch"), ast.Mult(), ast.Name("steps_per_epoch"))
        return ast.Name(self._argument if name == "epoch" else name)


def _operation(
    left: ast.expr, most: float | None, op: ast.operator, right: ast.expr, other: float | None
) -> tuple[ast.expr, float | None]:
    bound = _bound(most, op, right, other)
    if bound is None or bound <= EXACT:
        return ast.BinOp(left, op, right), bound
    return ast.BinOp(_as_float(left), op, right), None


def _bound(most: float | None, op: ast.operator, right: ast.expr, other: float | None) -> float | None:
    """The largest integer that ``left op right`` can be; None if it is a float."""
    if most is None or other is None or isinstance(op, ast.Div):
        return None
    if isinstance(op, ast.Pow):
        if isinstance(right, ast.Constant) and isinstance(right.value, int):
            return float(most**right.value) if right.value * math.log2(max(2.0, most)) < 1000 else math.inf
        return math.inf
    if isinstance(op, ast.Mult):
        return most * other
    if isinstance(op, (ast.Add, ast.Sub)):
        return most + other
    return max(most, other) + 1


def _largest(bounds: list[float | None]) -> float | None:
    known = [bound for bound in bounds if bound is not None]
    return max(known) if known else None


def _as_float(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Constant):
        return ast.Constant(float(node.value))  # type: ignore[arg-type]
    return ast.Call(ast.Name("float"), [node], [])


def _of_math(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("math"), name)
