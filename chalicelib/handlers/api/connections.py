"""A shop connects itself: a code for its owner, the connection that the plugin makes of it, the REST keys that follow.

The plugin holds one random secret, made here: the shop signs its webhooks and the plugin its calls with it.
"""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from chalice.app import Blueprint
from pydantic import AfterValidator, Field

from chalicelib.access import ALL_STORES, ConnectionCode, KeyHandover, token_hash
from chalicelib.commerce.connecting import country_of, locale_of, same_host, same_shop, timezone_of
from chalicelib.commerce.store import Connection, ConnectionStatus, Platform, Store
from chalicelib.contacts.retry import persist
from chalicelib.errors import BadInput, Conflict, FieldMistake, Forbidden, NotFound, Unauthorised
from chalicelib.handlers.api.shapes import Answer, Body, Line, Time, Told
from chalicelib.handlers.api.stores import AbandonAfter, Currency, Url, is_country, webhook_url
from chalicelib.handlers.http import Call, Reply, door
from chalicelib.ids import new_id

connections = Blueprint(__name__)

GOOD_FOR = timedelta(hours=24)
PREFIX = "agala_"
_NOT_CONNECTED = "the shop is not connected any more: connect it again"
_OTHER_KEYS = "other keys were handed over here already: connect the shop again"


def _shop_country(value: str) -> str:
    return is_country(country_of(value))


def _shop_locale(value: str) -> str:
    found = locale_of(value)
    if found is None:
        raise ValueError("expected a language such as he_IL")
    return found


def _may_read_and_write(value: str) -> str:
    if value != "read_write":
        raise ValueError("expected read_write: Agala keeps its webhooks in order and makes coupons")
    return value


ShopCountry = Annotated[str, Field(min_length=2, max_length=20), AfterValidator(_shop_country)]
ShopLocale = Annotated[str, Field(min_length=2, max_length=40), AfterValidator(_shop_locale)]
ShopTimezone = Annotated[str, Field(min_length=1, max_length=64)]
Version = Annotated[str, Field(max_length=40, pattern=r"^[\x20-\x7e]*$")]


class CodeNew(Body):
    """`store_id`: the store that the shop is to become; without it the shop makes a new one, or takes its own.

    `shop`: the address of the shop that asked, where somebody said yes to it: stores at other addresses stay theirs.
    """

    store_id: Annotated[str, Field(pattern=r"^[0-9a-z]{26}$")] | None = None
    shop: Url | None = None


class CodeMade(Answer):
    """`code` is shown here and never again; it is good once, until `expires_at`."""

    code: str
    expires_at: Time


class Versions(Told):
    plugin: Version | None = None
    woocommerce: Version | None = None
    wordpress: Version | None = None
    php: Version | None = None


class ConnectionNew(Told):
    """What the shop says of itself, in WordPress's words: a time zone may be `+02:00`, a locale `he_IL`.

    `rest_url` is the root of its REST API, such as `https://shop.example/wp-json/`.
    """

    platform: Literal[Platform.WOOCOMMERCE]
    name: Line
    url: Url
    rest_url: Url
    country: ShopCountry
    currency: Currency
    timezone: ShopTimezone
    locale: ShopLocale
    abandon_after_minutes: AbandonAfter = 60
    versions: Versions = Versions()


class ConnectionMade(Answer):
    """`secret` is shown here and never again: webhooks and the plugin's calls are signed with it.

    `keys_url` takes the shop's REST keys, once, until `keys_until`. `deliver_host` and `deliver_port` are where the
    shop's webhooks go, so that WordPress may let just these through.
    """

    store_id: str
    secret: str
    webhook_url: str
    carts_url: str
    plugin_url: str
    keys_url: str
    keys_until: Time
    deliver_host: str
    deliver_port: int


class KeysGiven(Told):
    """What WooCommerce posts after the owner has approved (its docs: "Authentication endpoint")."""

    consumer_key: Annotated[str, Field(pattern=r"^ck_[0-9A-Za-z]{8,128}$")]
    consumer_secret: Annotated[str, Field(pattern=r"^cs_[0-9A-Za-z]{8,128}$")]
    key_permissions: Annotated[str, Field(max_length=20), AfterValidator(_may_read_and_write)]


class KeysTaken(Answer):
    store_id: str
    status: Literal["taken"] = "taken"


@door(
    connections,
    "POST",
    "/v1/connection-codes",
    summary="A code that lets a shop connect itself, once",
    scope="any",
    body=CodeNew,
    answers=CodeMade,
    status=201,
)
def make_connection_code(call: Call) -> CodeMade:
    store_id: str | None = call.body.store_id
    if call.token is None or not call.token.covers(store_id or ALL_STORES):
        raise Forbidden("this token may make codes only for its own stores: name one as `store_id`")
    if store_id is not None and call.wiring.stores.get(store_id) is None:
        raise BadInput("The body is not as expected.", [FieldMistake("store_id", "no such store")])
    now = call.wiring.clock.now()
    key = secrets.token_urlsafe(32)
    made = ConnectionCode(
        hash=token_hash(key), store_id=store_id, shop=call.body.shop, created_at=now, expires_at=now + GOOD_FOR
    )
    call.wiring.connections.put_code(made)
    inside = json.dumps({"address": call.base_url, "key": key}, separators=(",", ":"))
    code = PREFIX + base64.urlsafe_b64encode(inside.encode()).decode().rstrip("=")
    return CodeMade(code=code, expires_at=made.expires_at)


@door(
    connections,
    "POST",
    "/v1/connections",
    summary="A shop's plugin connects it",
    scope="code",
    body=ConnectionNew,
    answers=ConnectionMade,
    status=201,
)
def connect(call: Call) -> Reply:
    """With the key inside a connection code, which is used up when all of the body is as expected."""
    given: ConnectionNew = call.body
    now = call.wiring.clock.now()
    told = _told(given, now)
    present = _present(call, given)
    if call.code is None or not call.wiring.connections.use_code(call.code.hash, now):
        raise Unauthorised("this connection code was used already: make a new one")
    secret = secrets.token_urlsafe(32)
    store_id = present.id if present else new_id(now)
    call.wiring.secrets.delete_rest_keys(store_id)  # of a connection before: the shop takes them back
    call.wiring.secrets.put_webhook_secret(store_id, secret)  # first: a store without a secret could not be called

    def write() -> Store:
        known = call.wiring.stores.get(store_id)
        if known is not None:
            return call.wiring.stores.save(known.model_copy(update=told))
        new = Store(id=store_id, platform=given.platform, currency=given.currency, created_at=now, **told)
        return call.wiring.stores.save(new)

    store = persist(write)
    answer = _made(call, store, secret, _handover(call, store, now), now + GOOD_FOR)
    return Reply(answer, headers={"Location": f"/v1/stores/{store.id}"})


@door(
    connections,
    "POST",
    "/v1/connections/{store_id}/keys/{handover}",
    summary="The shop hands over its REST keys",
    scope="public",
    body=KeysGiven,
    answers=KeysTaken,
)
def take_keys(call: Call) -> KeysTaken:
    """The address is the secret. It is used up when all is done; the same keys may come again."""
    given: KeysGiven = call.body
    store_id, now = call.path["store_id"], call.wiring.clock.now()
    hashed = token_hash(call.path["handover"])
    handover = call.wiring.connections.handover(hashed)
    if handover is None or handover.store_id != store_id:
        raise NotFound("no such handover: connect the shop again")
    if now >= handover.expires_at:
        raise NotFound("this handover has expired: connect the shop again")
    store = call.wiring.stores.get(store_id)
    if store is None or store.connection is None or not store.is_connected:
        raise NotFound(_NOT_CONNECTED)
    if handover.expires_at - GOOD_FOR < store.connection.at:
        raise NotFound("this handover is of a connection before: take the address of the last one")
    keys_hash = token_hash(f"{given.consumer_key}:{given.consumer_secret}")
    if handover.keys_hash == keys_hash:
        return KeysTaken(store_id=store_id)
    if handover.keys_hash is not None:
        raise Conflict(_OTHER_KEYS)
    call.wiring.secrets.put_rest_keys(store_id, given.consumer_key, given.consumer_secret)
    if not persist(lambda: _note_keys(call, store_id, now)):
        call.wiring.secrets.delete_rest_keys(store_id)
        raise NotFound(_NOT_CONNECTED)
    call.wiring.sync.connected(store)
    if not call.wiring.connections.use_handover(hashed, keys_hash):
        raise Conflict(_OTHER_KEYS)
    return KeysTaken(store_id=store_id)


def _told(given: ConnectionNew, now: datetime) -> dict[str, Any]:
    """What a store takes over from its shop. Raises `BadInput`."""
    timezone = timezone_of(given.timezone, given.country, now)
    if timezone is None:
        message = "expected a time zone: choose a city in WordPress's general settings"
        raise BadInput("The body is not as expected.", [FieldMistake("timezone", message)])
    connection = Connection(
        status=ConnectionStatus.CONNECTED,
        rest_url=given.rest_url,
        at=now,
        versions=given.versions.model_dump(exclude_none=True),
    )
    kept = {name: getattr(given, name) for name in ("name", "url", "country", "locale", "abandon_after_minutes")}
    return {**kept, "timezone": timezone, "connection": connection}


def _present(call: Call, given: ConnectionNew) -> Store | None:
    """The store that this shop is, if there is one. Raises `Conflict`, `BadInput`."""
    wanted = call.code.store_id if call.code else None
    store = call.wiring.stores.get(wanted) if wanted else same_shop(_all_stores(call), given.platform, given.url)
    if wanted and store is None:
        raise Conflict("the store that this connection code was made for is gone: make a new code")
    if store is not None and not wanted and call.code and call.code.shop and not same_host(call.code.shop, store.url):
        raise Conflict("there is a store of this address already: make a connection code for it and paste it here")
    if store is not None and store.platform is not given.platform:
        raise Conflict(f"this connection code was made for a store on {store.platform}")
    if store is not None and store.currency != given.currency:
        message = f"this store's amounts are in {store.currency}: amounts in another currency cannot be added to them"
        raise BadInput("The body is not as expected.", [FieldMistake("currency", message)])
    return store


def _all_stores(call: Call) -> list[Store]:
    found: list[Store] = []
    while True:
        batch = call.wiring.stores.list(after=found[-1].id if found else None, limit=200)
        found += batch
        if len(batch) < 200:
            return found


def _handover(call: Call, store: Store, now: datetime) -> str:
    random = secrets.token_urlsafe(32)
    made = KeyHandover(hash=token_hash(random), store_id=store.id, expires_at=now + GOOD_FOR)
    call.wiring.connections.put_handover(made)
    return random


def _made(call: Call, store: Store, secret: str, handover: str, until: datetime) -> ConnectionMade:
    base = call.base_url
    parts = urlsplit(base)
    return ConnectionMade(
        store_id=store.id,
        secret=secret,
        webhook_url=webhook_url(call, store),
        carts_url=f"{base}/v1/stores/{store.id}/carts",
        plugin_url=f"{base}/v1/stores/{store.id}/plugin",
        keys_url=f"{base}/v1/connections/{store.id}/keys/{handover}",
        keys_until=until,
        deliver_host=parts.hostname or "",
        deliver_port=parts.port or (80 if parts.scheme == "http" else 443),
    )


def _note_keys(call: Call, store_id: str, now: datetime) -> bool:
    """False if the shop let us go meanwhile."""
    store = call.wiring.stores.get(store_id)
    if store is None or store.connection is None or store.is_disconnected:
        return False
    connection = store.connection.model_copy(update={"keys_at": now})
    call.wiring.stores.save(store.model_copy(update={"connection": connection}))
    return True
