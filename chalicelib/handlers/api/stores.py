"""`/v1/stores`: connect a store, change its settings, let it go."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any

from chalice.app import Blueprint
from pydantic import AfterValidator, Field, ValidationError

from chalicelib.commerce.store import Connection, ConnectionStatus, Platform, Store, StoreSettings
from chalicelib.contacts.consent import Channel
from chalicelib.errors import BadInput, Conflict, FieldMistake, NotFound
from chalicelib.handlers.api.gateways import forget_gateway
from chalicelib.handlers.api.shapes import Answer, Body, Line, PageQuery, Time, Timezone, page
from chalicelib.handlers.http import Call, Reply, door
from chalicelib.handlers.request import after_cursor, field_mistakes
from chalicelib.ids import new_id

stores = Blueprint(__name__)


def is_country(value: str) -> str:
    """The value itself. Raises ValueError."""
    from babel.core import get_global

    if value not in get_global("territory_currencies"):
        raise ValueError("expected an ISO 3166 country such as IL")
    return value


def _currency(value: str) -> str:
    from babel.core import get_global

    if value not in get_global("all_currencies"):
        raise ValueError("expected an ISO 4217 currency such as ILS")
    return value


def _url(value: str) -> str:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        _ = parts.port
    except ValueError:
        good = False
    if not good or any(character.isspace() or character < " " for character in value):
        raise ValueError("expected an address such as https://shop.example")
    return value


def _locale(value: str) -> str:
    return value.replace("_", "-")


Url = Annotated[str, Field(min_length=8, max_length=2000, pattern=r"^https?://"), AfterValidator(_url)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$"), AfterValidator(is_country)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)]
Locale = Annotated[
    str, Field(pattern=r"^[a-z]{2,3}([-_][A-Z][a-z]{3})?([-_]([A-Z]{2}|[0-9]{3}))?$"), AfterValidator(_locale)
]
Secret = Annotated[str, Field(min_length=8, max_length=256, pattern=r"^[\x21-\x7e]+$")]
AbandonAfter = Annotated[int, Field(ge=1, le=43_200)]


class StoreNew(Body):
    """`secret`: what the store signs its webhooks with; made if absent."""

    platform: Platform
    name: Line
    url: Url
    country: Country
    currency: Currency
    timezone: Timezone
    locale: Locale
    secret: Secret | None = None
    abandon_after_minutes: AbandonAfter = 60
    settings: StoreSettings = StoreSettings()


class StoreChange(Body):
    """Whatever is here changes; objects inside `settings` are merged, `null` is a value like any other."""

    platform: Platform | None = None
    name: Line | None = None
    url: Url | None = None
    country: Country | None = None
    currency: Currency | None = None
    timezone: Timezone | None = None
    locale: Locale | None = None
    secret: Secret | None = None
    abandon_after_minutes: AbandonAfter | None = None
    settings: dict[str, Any] | None = None


class ConnectionAnswer(Answer):
    """`since`: when `status` became what it is. `keys_at`: when the shop handed over its keys. `rest_url` of a
    WooCommerce shop, `shop` (its `….myshopify.com`) of a Shopify shop."""

    status: ConnectionStatus
    since: Time
    rest_url: str | None
    shop: str | None
    keys_at: Time | None
    versions: dict[str, str]


class StoreAnswer(Answer):
    """`warnings` names settings that are kept but do nothing, and why, and those that the country's law misses.
    `connection`: its plugin or app, if it ever had one."""

    id: str
    platform: Platform
    name: str
    url: str
    country: str
    currency: str
    timezone: str
    locale: str
    abandon_after_minutes: int
    settings: StoreSettings
    webhook_url: str
    connection: ConnectionAnswer | None
    created_at: Time
    warnings: list[str]


class StoreMade(StoreAnswer):
    """`secret` is shown here and never again."""

    secret: str


class StoreList(Answer):
    items: list[StoreAnswer]
    next: str | None


@door(
    stores, "POST", "/v1/stores", summary="Connect a store", scope="admin", body=StoreNew, answers=StoreMade, status=201
)
def create_store(call: Call) -> Reply:
    given: StoreNew = call.body
    now = call.wiring.clock.now()
    secret = given.secret or secrets.token_urlsafe(32)
    _check_city(given.settings)
    store = Store(id=new_id(now), created_at=now, **{name: getattr(given, name) for name in _KEPT})
    call.wiring.secrets.put_webhook_secret(store.id, secret)  # first: a store without a secret could not be called
    saved = call.wiring.stores.save(store)
    answer = StoreMade(**shown(call, saved), secret=secret)
    return Reply(answer, headers={"Location": f"/v1/stores/{saved.id}"})


@door(
    stores,
    "GET",
    "/v1/stores",
    summary="The stores that this token covers",
    scope="any",
    query=PageQuery,
    answers=StoreList,
)
def list_stores(call: Call) -> StoreList:
    after = after_cursor("stores", call.query.cursor)
    found: list[Store] = []
    while len(found) <= call.query.limit:
        batch = call.wiring.stores.list(after=after, limit=200)
        found += [store for store in batch if call.token and call.token.covers(store.id)]
        if len(batch) < 200:
            break
        after = batch[-1].id
    kept, following = page(found, call.query.limit, "stores", lambda store: store.id)
    return StoreList(items=[StoreAnswer(**shown(call, store)) for store in kept], next=following)


@door(stores, "GET", "/v1/stores/{store_id}", summary="One store", scope="store", answers=StoreAnswer)
def get_store(call: Call) -> StoreAnswer:
    return StoreAnswer(**shown(call, call.store))


@door(
    stores,
    "PATCH",
    "/v1/stores/{store_id}",
    summary="Change a store",
    scope="store",
    body=StoreChange,
    answers=StoreAnswer,
)
def change_store(call: Call) -> StoreAnswer:
    given: StoreChange = call.body
    change = {name: getattr(given, name) for name in given.model_fields_set}
    mistakes = [FieldMistake(name, "must not be null") for name, value in change.items() if value is None]
    mistakes += [
        FieldMistake(name, "cannot be changed: the store's records depend on it")
        for name in ("platform", "currency")
        if change.get(name) not in (None, getattr(call.store, name))
    ]
    if mistakes:
        raise BadInput("The body is not as expected.", mistakes)
    secret = change.pop("secret", None)
    if secret and call.store.is_connected:
        raise Conflict("the connected shop holds the secret: connect it again for a new one")
    if "settings" in change:
        change["settings"] = _merged_settings(call.store.settings, change["settings"])
    saved = call.wiring.stores.save(call.store.model_copy(update=change)) if change else call.store
    if secret:
        call.wiring.secrets.put_webhook_secret(saved.id, secret)
    return StoreAnswer(**shown(call, saved))


class CallSecretAnswer(Answer):
    """`secret`: what this store's `call_webhook` steps are signed with; it opens nothing here."""

    secret: str


@door(
    stores,
    "GET",
    "/v1/stores/{store_id}/call-secret",
    summary="What the calls of webhook steps are signed with",
    scope="store",
    answers=CallSecretAnswer,
)
def get_call_secret(call: Call) -> CallSecretAnswer:
    from chalicelib.store_adapters.webhook_calls import call_secret

    return CallSecretAnswer(secret=call_secret(call.wiring.secrets.signing_key(), call.store.id))


@door(stores, "DELETE", "/v1/stores/{store_id}", summary="Let a store go", scope="admin", status=204)
def delete_store(call: Call) -> None:
    """Stops every journey, forgets the keys and the secret (webhooks then answer 404), removes the store.

    Repeating is safe: the store's own record goes last. docs/api.md says what stays until it expires.
    """
    store = call.wiring.stores.get(call.path["store_id"])
    if store is None:
        raise NotFound("no such store")
    call.wiring.lifecycle.stop_every(store)
    for channel in (Channel.SMS, Channel.WHATSAPP):
        forget_gateway(call, store.id, channel)
    call.wiring.secrets.delete_rest_keys(store.id)
    call.wiring.secrets.delete_shopify_access(store.id)
    call.wiring.secrets.delete_webhook_secret(store.id)
    call.wiring.stores.delete(store.id)


_KEPT = (
    "platform",
    "name",
    "url",
    "country",
    "currency",
    "timezone",
    "locale",
    "abandon_after_minutes",
    "settings",
)


def shown(call: Call, store: Store) -> dict[str, Any]:
    """What a `StoreAnswer` says."""
    from chalicelib.messages.law import lacking

    told = {name: getattr(store, name) for name in ("id", "created_at", *_KEPT)}
    told["webhook_url"] = webhook_url(call, store)
    told["connection"] = connection_shown(store.connection)
    told["warnings"] = [f"{mistake.field} {mistake.message}" for mistake in not_obeyed(store)]
    told["warnings"] += lacking(store)
    return told


def webhook_url(call: Call, store: Store) -> str:
    return f"{call.base_url}/webhooks/{store.platform}/{store.id}"


def connection_shown(connection: Connection | None) -> ConnectionAnswer | None:
    if connection is None:
        return None
    kept = {name: getattr(connection, name) for name in ("status", "rest_url", "shop", "keys_at", "versions")}
    return ConnectionAnswer(since=connection.at, **kept)


def not_obeyed(store: Store) -> list[FieldMistake]:
    """Settings the owner chose that nothing obeys: promised silently, they would be a lie."""
    found: list[FieldMistake] = []
    if store.settings.rest_days:
        from chalicelib.messages.policy import rest_city

        if rest_city(store) is None:
            found.append(FieldMistake("settings.rest_days", f"needs settings.city: none is known in {store.timezone}"))
    return found


def _merged_settings(present: StoreSettings, change: dict[str, Any]) -> StoreSettings:
    whole = _merged(json.loads(present.model_dump_json(by_alias=True)), change)
    try:
        changed = StoreSettings.model_validate_json(json.dumps(whole), strict=True)
    except ValidationError as problem:
        raise BadInput("The body is not as expected.", field_mistakes(problem, "settings.")) from None
    if changed.city != present.city:
        _check_city(changed)
    return changed


def _check_city(settings: StoreSettings) -> None:
    """Raises `BadInput` for one whose candle lighting nobody knows here."""
    if settings.city is None:
        return
    from chalicelib.messages.rest import CITIES

    if settings.city not in CITIES:
        known = f"expected one of {', '.join(CITIES)}"
        raise BadInput("The body is not as expected.", [FieldMistake("settings.city", known)])


def _merged(present: Any, change: Any) -> Any:
    if not isinstance(present, dict) or not isinstance(change, dict):
        return change
    return present | {name: _merged(present.get(name), value) for name, value in change.items()}
