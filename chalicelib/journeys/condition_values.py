"""What conditions compare with and fields are set to: a text, a number, true or false, or a list of these."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, Tag


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
