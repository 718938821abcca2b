"""Money: whole minor units and an ISO 4217 currency, never a float."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from pydantic import BaseModel, ConfigDict, Field

NO_CURRENCY = "XXX"
"""ISO 4217's code where there is none: an event that somebody sent may tell an amount without saying of what."""

# ISO 4217: currencies whose minor unit is not a hundredth.
_NO_DECIMALS = frozenset(
    (
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    )
)
_CURRENCY = re.compile(r"[A-Z]{3}")
_THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def decimals_of(currency: str) -> int:
    """Digits after the point in this currency (ISO 4217)."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


class Money(BaseModel):
    """`amount` in minor units (agorot, cents), signed; `currency` three capital letters."""

    model_config = ConfigDict(frozen=True)

    amount: int
    currency: str = Field(pattern=r"^[A-Z]{3}$")

    @classmethod
    def parse(cls, text: str | int | float | Decimal, currency: str) -> Money:
        """From a platform's decimal such as "50.00" (a number is taken by its shortest text).

        Rounds half up to the currency's minor unit. Raises ValueError for what is no finite number.
        """
        try:
            value = Decimal(str(text).strip())
        except InvalidOperation:
            raise ValueError("expected a decimal number") from None
        if not value.is_finite() or abs(value) >= Decimal(10) ** 13:
            raise ValueError("expected a decimal number of sensible size")
        scaled = value.scaleb(decimals_of(currency)).to_integral_value(ROUND_HALF_UP)
        return cls(amount=int(scaled), currency=currency)

    @classmethod
    def told(cls, told: object, otherwise: str = NO_CURRENCY) -> Money:
        """What an event's {amount, currency} says, as far as it says anything: else nothing, in the `otherwise`."""
        said = told if isinstance(told, Mapping) else {}
        amount, currency = said.get("amount"), said.get("currency")
        return cls(
            amount=amount if isinstance(amount, int) else 0,
            currency=currency if isinstance(currency, str) and _CURRENCY.fullmatch(currency) else otherwise,
        )

    def decimal(self) -> Decimal:
        """The amount in major units, with exactly the currency's digits."""
        return Decimal(self.amount).scaleb(-decimals_of(self.currency))
