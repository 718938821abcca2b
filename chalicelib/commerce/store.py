"""A connected store and its owner's settings."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chalicelib.commerce.money import Money
from chalicelib.contacts.consent import Channel

_COLOUR = r"^#[0-9a-fA-F]{6}$"


def _not_negative(price: Money) -> Money:
    if not 0 <= price.amount < 10**12:
        raise ValueError("expected a price of sensible size")
    return price


WebAddress = Annotated[str, Field(pattern=r"^https?://\S+$", max_length=1000)]


class Platform(StrEnum):
    WOOCOMMERCE = "woocommerce"
    SHOPIFY = "shopify"


class Sending(StrEnum):
    LIVE = "live"
    SANDBOX = "sandbox"
    STOPPED = "stopped"


class Sender(BaseModel):
    """Who messages come from. `address` is the postal address that the law asks for; `sms` the phone number (or short
    code) that SMS come from, or a name of up to 11 letters that is registered with the provider; `sms_replies`: whether
    what people send back to it comes to us (None: to a number it does). `reply_to` is where answers to emails go."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = Field(default=None, max_length=200)
    email: str | None = Field(default=None, max_length=254)
    address: str | None = Field(default=None, max_length=500)
    reply_to: str | None = Field(default=None, max_length=254, pattern=r"^[^@\s,;<>\"]+@[^@\s,;<>\"]+$")
    sms: str | None = Field(default=None, pattern=r"^(\+?[1-9]\d{2,14}|[A-Za-z][A-Za-z0-9_-]{0,10})$")
    sms_replies: bool | None = None


class Manager(BaseModel):
    """Whom `alert_manager` steps write to; `phone` in E.164."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = Field(default=None, max_length=200)
    email: str | None = Field(default=None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")
    phone: str | None = Field(default=None, pattern=r"^\+[1-9]\d{6,14}$")


class QuietHours(BaseModel):
    """Local wall-clock times `HH:MM`; over midnight when `from` is later than `to`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    from_: str = Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    to: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")


class Cap(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    per_day: int | None = Field(default=None, ge=1)
    per_week: int | None = Field(default=None, ge=1)


_NIGHT = QuietHours.model_validate({"from": "21:00", "to": "09:00"})


class FooterLink(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    label: dict[str, Annotated[str, Field(min_length=1, max_length=60)]] = Field(min_length=1, max_length=20)
    url: WebAddress


class Brand(BaseModel):
    """How the store's messages look. Colours are `#rrggbb`; `logo` is a picture's address, `logo_width` in pixels.
    `footer` are words of the store's own below every email, by language; `links` stand there too, `socials` by the
    network's name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    logo: str | None = Field(default=None, pattern=r"^https?://\S+$", max_length=1000)
    logo_width: int = Field(default=160, ge=40, le=520)
    colour: str = Field(default="#2f5bea", pattern=_COLOUR)
    accent: str = Field(default="#f4b740", pattern=_COLOUR)
    background: str = Field(default="#f2f4f7", pattern=_COLOUR)
    font: Literal["sans", "serif", "rounded"] = "sans"
    footer: dict[str, Annotated[str, Field(max_length=500)]] = Field(default_factory=dict, max_length=20)
    links: tuple[FooterLink, ...] = Field(default=(), max_length=6)
    socials: dict[Literal["facebook", "instagram", "tiktok", "youtube", "whatsapp", "x", "linkedin"], WebAddress] = (
        Field(default_factory=dict)
    )


class Utm(BaseModel):
    """What links to the store's own site say of where the visit came from; `medium` is the channel, `campaign` the
    journey, `content` the step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(default="agala", min_length=1, max_length=100)


class StoreSettings(BaseModel):
    """`talk_to_us_url` is where shoppers reach a person: a chat, WhatsApp, a contact page. `manager` is told what a
    journey finds worth telling a person of the shop; without an email of theirs, `sender.email` is written to.

    `topics`: lists that the preference page lets people join and leave, each with its title by language.
    `double_opt_in`: channels on which a new subscription counts only once its owner pressed a button in a message.
    `rest_days`: marketing rests on Shabbat and Jewish holidays; None: in Israel it does.
    `city`: whose candle-lighting and end of Shabbat count then, one of `messages.rest.CITIES`; None: Jerusalem, outside
    of Israel the city that stands for the store's zone.
    `duplicate_days`: the same words are not sent to the same person twice within so many days; 0: they may be.
    `attribution`: which touch earns an order within `attribution_days`: the last `click`, or the last `open` too.
    `utm`: None adds nothing to links. `sms_price_per_thousand`: what the provider takes for a thousand SMS parts (one
    costs less than a minor unit); None: not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sender: Sender = Sender()
    manager: Manager | None = None
    sending: Sending = Sending.LIVE
    sandbox_addresses: tuple[str, ...] = ()
    quiet_hours: dict[Channel, QuietHours | None] = Field(
        default_factory=lambda: {Channel.EMAIL: None, Channel.SMS: _NIGHT, Channel.WHATSAPP: _NIGHT}
    )
    rest_days: bool | None = None
    caps: dict[Channel, Cap] | None = None
    attribution_days: int = Field(default=5, ge=0, le=90)
    soft_opt_in: bool = False
    talk_to_us_url: str | None = Field(default=None, pattern=r"^https?://\S+$", max_length=1000)
    brand: Brand = Field(default_factory=lambda: Brand())
    topics: dict[str, dict[str, Annotated[str, Field(min_length=1, max_length=100)]]] = Field(
        default_factory=dict, max_length=20
    )
    double_opt_in: tuple[Channel, ...] = ()
    city: str | None = Field(default=None, max_length=50)
    duplicate_days: int = Field(default=1, ge=0, le=90)
    attribution: Literal["click", "open"] = "click"
    utm: Utm | None = Utm()
    sms_price_per_thousand: Annotated[Money, AfterValidator(_not_negative)] | None = None


class ConnectionStatus(StrEnum):
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"


class Connection(BaseModel):
    """How the shop is tied to us, by our plugin or our app. While it is `disconnected` purchases are not heard of.

    `rest_url` is the root of a WooCommerce shop's REST API (`https://shop.example/wp-json/`), `shop` a Shopify shop's
    own domain (`tea.myshopify.com`); one of them is there. `at` is when `status` became what it is, `keys_at` when the
    shop handed over its keys (None: not yet), `versions` what runs there.
    """

    model_config = ConfigDict(frozen=True)

    status: ConnectionStatus
    rest_url: str | None = None
    shop: str | None = None
    at: datetime
    keys_at: datetime | None = None
    versions: dict[str, str] = Field(default_factory=dict)


class FirstHistory(StrEnum):
    """While it is `running`, nobody knows which of somebody's orders was the first."""

    RUNNING = "running"
    DONE = "done"


class Store(BaseModel):
    """`country` ISO 3166 alpha-2, `currency` ISO 4217, `timezone` IANA name, `locale` BCP 47 (he, en, …).

    `connection` is None for a store made over the API, to which neither plugin nor app of ours is tied;
    `first_history` is None where the shop was never asked for its past.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    platform: Platform
    name: str
    url: str
    country: str
    currency: str
    timezone: str
    locale: str
    abandon_after_minutes: int = 60
    settings: StoreSettings = StoreSettings()
    connection: Connection | None = None
    created_at: datetime
    first_history: FirstHistory | None = None
    rev: int = 0

    @property
    def is_connected(self) -> bool:
        return self.connection is not None and self.connection.status is ConnectionStatus.CONNECTED

    @property
    def is_disconnected(self) -> bool:
        """It was tied to us and is not any more."""
        return self.connection is not None and self.connection.status is ConnectionStatus.DISCONNECTED


def manager_address(store: Store, channel: Channel) -> str | None:
    """Where the store's manager is told things on this channel; None where nothing is known."""
    manager = store.settings.manager or Manager()
    if channel is Channel.EMAIL:
        return manager.email or store.settings.sender.email or None
    return manager.phone
