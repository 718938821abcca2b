"""What conditions compare with and fields are set to: a text, a number, true or false, or a list of these; and by
which operators they compare."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from chalicelib.clock import parse_rfc3339

Id = Annotated[str, Field(max_length=100)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Days = Annotated[int, Field(ge=1, le=3650)]


def _sensible(value: int | float) -> int | float:
    if abs(value) > 1e15:
        raise ValueError("expected a number between -10^15 and 10^15")
    return value


Number = Annotated[int | Annotated[float, Field(allow_inf_nan=False)], AfterValidator(_sensible)]


def _value_tag(value: Any) -> str | None:
    if isinstance(value, bool):
        return "<truth>"
    if isinstance(value, str):
        return "<text>"
    if isinstance(value, int | float):
        return "<number>"
    return "<list>" if isinstance(value, list | tuple) else None


def _scalar_tag(value: Any) -> str | None:
    tag = _value_tag(value)
    return None if tag == "<list>" else tag


_Text = Annotated[str, Field(max_length=1000), Tag("<text>")]
_Truth = Annotated[bool, Field(strict=True), Tag("<truth>")]
_Number = Annotated[Number, Tag("<number>")]
Scalar = Annotated[
    _Text | _Truth | _Number,
    Discriminator(
        _scalar_tag,
        custom_error_type="unknown_value",
        custom_error_message="expected a text, a number, true or false",
    ),
]
Value = Annotated[
    _Text | _Truth | _Number | Annotated[tuple[Scalar, ...], Field(max_length=200), Tag("<list>")],
    Discriminator(
        _value_tag,
        custom_error_type="unknown_value",
        custom_error_message="expected a text, a number, true or false, or a list of these",
    ),
]


class Operator(StrEnum):
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    ONE_OF = "one_of"
    GREATER = "greater"
    AT_LEAST = "at_least"
    LESS = "less"
    AT_MOST = "at_most"
    BEFORE = "before"
    AFTER = "after"
    WITHIN_LAST_DAYS = "within_last_days"
    IS_SET = "is_set"
    IS_MISSING = "is_missing"


NUMERIC = frozenset({Operator.GREATER, Operator.AT_LEAST, Operator.LESS, Operator.AT_MOST, Operator.WITHIN_LAST_DAYS})
TEMPORAL = frozenset({Operator.BEFORE, Operator.AFTER})
VALUELESS = frozenset({Operator.IS_SET, Operator.IS_MISSING})


class Form(BaseModel):
    """One node of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Comparison(Form):
    """A value compared by an operator."""

    operator: Annotated[Operator, Field(alias="is")]
    value: Value | None = None

    @model_validator(mode="after")
    def _value_suits(self) -> Self:
        if self.operator in VALUELESS and self.value is not None:
            raise ValueError(f"{self.operator} takes no value")
        if self.operator is Operator.ONE_OF and not isinstance(self.value, tuple):
            raise ValueError("one_of needs a list as its value")
        if self.operator is not Operator.ONE_OF and isinstance(self.value, tuple):
            raise ValueError(f"{self.operator} needs a single value, not a list")
        if self.operator in NUMERIC and (isinstance(self.value, bool) or not isinstance(self.value, int | float)):
            raise ValueError(f"{self.operator} needs a number as its value")
        if self.operator in TEMPORAL and not _is_time(self.value):
            raise ValueError(f"{self.operator} needs a date (2026-11-21) or a time with its zone as its value")
        return self


def _is_time(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parse_rfc3339(f"{value}T00:00:00Z" if len(value) == 10 else value)
    except ValueError:
        return False
    return True
