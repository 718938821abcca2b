"""What Agala's own WordPress plugin tells: the activity of a cart, signed, over `POST /v1/stores/{s}/carts`."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from math import ceil
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from chalicelib.commerce.cart import CartActivity, CartItem, CartStep
from chalicelib.commerce.money import Money
from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.contacts.person import Person
from chalicelib.store_adapters.base import Change, Delivery, Unintelligible
from chalicelib.store_adapters.reading import clean

PLATFORM = "plugin"
TOPIC = "x-agala-topic"
_KEPT_LINES, _NAME, _LINK = 100, 200, 1000  # lines; characters
_MOST_LINES = 1000


class _Told(BaseModel):
    """Fields of later plugins are passed over. Built when first used, so that importing the map stays cheap."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


def _year(value: datetime) -> datetime:
    if not datetime(2000, 1, 1, tzinfo=UTC) <= value < datetime(2200, 1, 1, tzinfo=UTC):
        raise ValueError("expected a time between the years 2000 and 2200")
    return value.astimezone(UTC)


def _whole_units(value: float) -> int:
    return ceil(value)


Moment = Annotated[AwareDatetime, AfterValidator(_year)]
Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")]
Token = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[0-9A-Za-z_.:-]+$")]
StoreId = Annotated[str, Field(max_length=64)] | Annotated[int, Field(ge=0, lt=10**18)]
Quantity = Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False), AfterValidator(_whole_units)]
Text = Annotated[str, Field(max_length=100_000)]


class Price(_Told):
    """Minor units."""

    amount: Annotated[int, Field(ge=0, le=10**12)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

    def money(self) -> Money:
        return Money(amount=self.amount, currency=self.currency)


class Line(_Told):
    """`price` of one unit; a part of a unit counts as one."""

    product_id: StoreId
    variation_id: StoreId | None = None
    name: Text
    quantity: Quantity
    price: Price
    image: Text | None = None
    url: Text | None = None
    categories: Annotated[list[StoreId], Field(max_length=100)] = Field(default_factory=list)


class Choice(_Told):
    status: Literal["subscribed", "unsubscribed", "pending", "never_asked"]
    text: Text | None = None
    at: Moment


class CartCall(_Told):
    """One activity of a cart. The same `id` twice counts once; `occurred_at` is when it happened at the shop."""

    id: Id
    token: Token
    event: CartStep
    email: Annotated[str, Field(max_length=320)] | None = None
    phone: Annotated[str, Field(max_length=50)] | None = None
    customer_id: StoreId | None = None
    first_name: Text | None = None
    locale: Annotated[str, Field(max_length=35)] | None = None
    items: Annotated[list[Line], Field(max_length=_MOST_LINES)] = Field(default_factory=list)
    total: Price | None = None
    coupons: Annotated[list[Text], Field(max_length=100)] | None = None
    restore_url: Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s<>\"'\\]+$")] | None = None
    consent: Annotated[dict[Channel, Choice | None], Field(max_length=3)] | None = None
    order_id: StoreId | None = None
    occurred_at: Moment

    @model_validator(mode="after")
    def _whole(self) -> CartCall:
        if self.event in (CartStep.UPDATED, CartStep.CHECKOUT) and self.total is None:
            raise ValueError("total: a cart that is shown has one")
        currencies = {price.currency for price in (self.total, *(line.price for line in self.items)) if price}
        if len(currencies) > 1:
            raise ValueError("items: a cart has one currency, the one of its total")
        return self

    def activity(self, store: Store, received_at: datetime) -> CartActivity:
        """In our words. Nothing happened after we heard of it: a later `occurred_at` is a wrong clock."""
        at = min(self.occurred_at, received_at)
        total = self.total.money() if self.total else Money(amount=0, currency=store.currency)
        return CartActivity(
            id=self.id,
            token=self.token,
            step=self.event,
            person=Person(
                email=_short(self.email, 320),
                phone=_short(self.phone, 50),
                customer_id=_store_id(self.customer_id),
                first_name=_short(self.first_name, _NAME),
                country=store.country,
                locale=_short(self.locale, 35),
            ),
            items=tuple(_item(line) for line in self.items[:_KEPT_LINES]),
            lines=len(self.items),
            total=total,
            coupons=tuple(clean(code)[:100] for code in (self.coupons or [])[:20]),
            restore_url=self.restore_url,
            consent=tuple(_choices(self.consent or {}, received_at)),
            order_id=_store_id(self.order_id),
            occurred_at=at,
        )


def _item(line: Line) -> CartItem:
    return CartItem(
        product_id=_store_id(line.product_id) or "",
        variation_id=_store_id(line.variation_id),
        name=clean(line.name)[:_NAME],
        quantity=int(line.quantity),
        price=line.price.money(),
        image=_link(line.image),
        url=_link(line.url),
        categories=tuple(one for given in line.categories[:20] if (one := _store_id(given))),
    )


def _choices(told: dict[Channel, Choice | None], received_at: datetime) -> list[ConsentChange]:
    """A channel that was not asked says nothing."""
    return [
        ConsentChange(
            channel=channel,
            consent=Consent(
                status=ConsentStatus(choice.status),
                source="checkout",
                at=min(choice.at, received_at),
                text=_short(choice.text, 1000),
            ),
        )
        for channel, choice in told.items()
        if choice is not None and choice.status != "never_asked"
    ]


def _store_id(value: str | int | None) -> str | None:
    """WordPress says 0 for "none"."""
    text = clean(str(value)) if value is not None else ""
    return text if text not in ("", "0") else None


def _short(value: str | None, most: int) -> str | None:
    return clean(value)[:most] or None if value else None


def _link(value: str | None) -> str | None:
    """One that leads elsewhere once it is cut is left out."""
    if not value or len(value) > _LINK or not value.lower().startswith(("https://", "http://")):
        return None
    return value if not any(c.isspace() or c in "<>\"'\\" for c in value) else None


def repeat_key(call_id: str) -> str:
    """The same for two calls with one id: 40 hexadecimal digits."""
    return hashlib.sha256(f"{PLATFORM}\x1f{call_id}".encode()).hexdigest()[:40]


class Plugin:
    """The calls as the queue brings them; the door has read them once and refused what makes no sense."""

    def repeat_key(self, delivery: Delivery) -> str:
        return repeat_key(self._call(delivery).id)

    def topic(self, delivery: Delivery) -> str:
        return delivery.headers.get(TOPIC, "")

    def parse(self, delivery: Delivery, store: Store) -> list[Change]:
        """Raises `Unintelligible`."""
        return [self._call(delivery).activity(store, delivery.received_at)]

    def _call(self, delivery: Delivery) -> CartCall:
        try:
            return CartCall.model_validate_json(delivery.body, strict=True)
        except ValidationError as problem:
            places = {".".join(str(part) for part in error["loc"]) for error in problem.errors(include_input=False)}
            raise Unintelligible(f"not a cart as the door lets it in: {', '.join(sorted(places))[:200]}") from None


def headers_of(call: CartCall) -> dict[str, Any]:
    """What is kept beside the body."""
    return {TOPIC: f"cart.{call.event}", "content-type": "application/json"}
