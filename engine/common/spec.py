"""The base class of all values that are read from JSON, and their errors as one-line sentences."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Final, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails

from engine.common.errors import SpecError

T = TypeVar("T")
LARGEST: Final = 2**53
"""The largest whole number that is read from a file; float64 holds all of them, and SQLite's integers do."""


class Spec(BaseModel):
    """An immutable value with validated fields. Unknown keys, NaN, infinity and implicit conversions are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, protected_namespaces=())
    tags: ClassVar[set[str]] = set()
    names: ClassVar[set[str]] = set()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        Spec.names.update(cls.model_fields)
        for key in ("name", "command"):
            if key in cls.model_fields:
                literals = get_args(cls.model_fields[key].annotation)
                if len(literals) == 1:
                    Spec.tags.add(literals[0])

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        for key in value:
            if key not in cls.model_fields:
                allowed = ", ".join(cls.model_fields)
                raise SpecError(str(key), f"is not a key here; allowed: {allowed}")
        # JSON has lists where a frozen spec has tuples, and strict validation accepts no list for a tuple.
        return {key: tuple(item) if isinstance(item, list) else item for key, item in value.items()}


def parse(kind: Any, text: str | bytes) -> Any:
    """Read JSON as ``kind``, a Spec class or a union of them.

    Raises:
        SpecError: the text is not JSON, or a field is missing, unknown or invalid.
    """
    try:
        return _adapter(kind).validate_json(text)
    except ValidationError as error:
        raise first_problem(error) from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)  # cached: creating one takes more than a millisecond


def first_problem(error: ValidationError) -> SpecError:
    """The first problem of a pydantic error."""
    return problems(error)[0]


def problems(error: ValidationError) -> list[SpecError]:
    """All problems of a pydantic error, in the order of the fields."""
    return [_problem(detail) for detail in error.errors(include_url=False)]


def _path(parts: tuple[int | str, ...]) -> str:
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part in Spec.names or (part not in Spec.tags and part.isidentifier()):
            path += f".{part}" if path else part  # all other parts are pydantic's names for the members of a union
    return path


def _problem(detail: ErrorDetails) -> SpecError:
    kind, ctx, given = detail["type"], detail.get("ctx") or {}, detail.get("input")
    field = _path(detail["loc"])
    inner = ctx.get("error")
    if isinstance(inner, SpecError):
        return SpecError(".".join(filter(None, (field, inner.field))).replace(".[", "["), inner.problem)
    shows = isinstance(given, (str, int, float, bool)) and kind not in ("json_invalid", "string_too_short")
    sentence = _SENTENCES.get(kind)
    if isinstance(given, float) and given.is_integer() and kind in ("int_type", "int_from_float"):
        sentence = f"must be at most {LARGEST}"  # a smaller whole float was read as a whole number
    if kind.startswith("union_tag"):
        tag = str(ctx.get("discriminator", "name")).strip("'")
        field = ".".join(filter(None, (field, tag)))
        if "tag" not in ctx:
            return SpecError(field, "is required")
        expected = str(ctx["expected_tags"]).replace("'", "")
        return SpecError(field, f"{_short(repr(ctx['tag']))} is not known; allowed: {expected}")
    if sentence is None:
        problem = detail["msg"].removeprefix("Value error, ")
    else:
        limits = {key: _plain(repr(value)) if isinstance(value, float) else value for key, value in ctx.items()}
        problem = sentence.format(**limits)
        if shows:
            value = _shown(given)
            problem += f"; it is {_plain(value) if isinstance(given, float) else value}"
    return SpecError(field, problem)


def _plain(number: str) -> str:
    """``number`` without the ``.0`` that Python adds to whole floats."""
    return number.removesuffix(".0")


def _shown(value: object) -> str:
    try:
        return _short(repr(value))
    except ValueError:  # Python does not write whole numbers of thousands of digits
        return "a very large number"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:50]}... ({len(text)} characters)"


_SENTENCES = {
    "missing": "is required",
    "extra_forbidden": "is not a key here",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "literal_error": "must be {expected}",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dataclass_type": "must be an object with named fields",
    "string_pattern_mismatch": "has characters that are not allowed",
    "too_short": "must have at least {min_length} item(s)",
    "too_long": "must have at most {max_length} item(s)",
    "dict_type": "must be an object with named fields",
    "model_type": "must be an object with named fields",
    "model_attributes_type": "must be an object with named fields",
    "json_invalid": "is not JSON: {error}",
}
