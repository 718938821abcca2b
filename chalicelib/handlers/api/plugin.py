"""What a connected shop's plugin asks and tells, signed with the connection's secret (docs/api.md, "Signed calls")."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chalice.app import Blueprint

from chalicelib.commerce.connecting import same_host, timezone_of
from chalicelib.commerce.store import ConnectionStatus, Store
from chalicelib.contacts.retry import persist
from chalicelib.errors import BadInput, Conflict, FieldMistake, NotFound
from chalicelib.handlers.api.connections import ShopCountry, ShopLocale, ShopTimezone, Versions
from chalicelib.handlers.api.shapes import Answer, Line, Time, Told
from chalicelib.handlers.api.stores import AbandonAfter, Url
from chalicelib.handlers.api.sync import SyncAnswer, sync_shown
from chalicelib.handlers.http import Call, door

plugin = Blueprint(__name__)

NO_KEYS = "The shop has not handed over its REST keys yet: approve Agala in the shop, or connect it again."


class Nothing(Told):
    """An empty object."""


class Settings(Told):
    """Whatever is here changes."""

    abandon_after_minutes: AbandonAfter | None = None
    name: Line | None = None
    url: Url | None = None
    rest_url: Url | None = None
    country: ShopCountry | None = None
    timezone: ShopTimezone | None = None
    locale: ShopLocale | None = None
    versions: Versions | None = None


class PluginStore(Answer):
    id: str
    name: str
    abandon_after_minutes: int


class Trouble(Answer):
    words: str
    since: Time


class PluginConnection(Answer):
    """`since`: when `status` became what it is. `trouble`, in words for the owner."""

    status: ConnectionStatus
    since: Time
    trouble: Trouble | None


class PluginStatus(Answer):
    """`now` is real time: a shop whose clock is far from it is refused. `connection` null: it was never connected."""

    store: PluginStore
    now: Time
    connection: PluginConnection | None
    sync: SyncAnswer


@door(
    plugin,
    "POST",
    "/v1/stores/{store_id}/plugin/status",
    summary="How the connection and the sync are doing",
    scope="signed",
    body=Nothing,
    answers=PluginStatus,
)
def plugin_status(call: Call) -> PluginStatus:
    return _status(call, call.store)


@door(
    plugin,
    "POST",
    "/v1/stores/{store_id}/plugin/settings",
    summary="The owner changed settings in the shop",
    scope="signed",
    body=Settings,
    answers=PluginStore,
)
def change_plugin_settings(call: Call) -> PluginStore:
    given: Settings = call.body
    now = call.wiring.clock.now()

    def write() -> Store:
        store = _fresh(call)
        changed = store.model_copy(update=_change(given, store, now))
        return store if changed == store else call.wiring.stores.save(changed)

    return _store_shown(persist(write))


@door(
    plugin,
    "POST",
    "/v1/stores/{store_id}/plugin/disconnect",
    summary="The shop lets Agala go",
    scope="signed",
    body=Nothing,
    answers=PluginStatus,
)
def disconnect(call: Call) -> PluginStatus:
    """Messages are held from now on; keys and secret are forgotten. The secret goes last, so that what was cut short
    can be asked for again; after that nobody can sign, and the answer is 404."""
    now = call.wiring.clock.now()
    if call.store.connection is None:
        raise Conflict("no plugin is connected")

    def write() -> Store:
        store = _fresh(call)
        if store.connection is None or store.is_disconnected:
            return store
        told = {"status": ConnectionStatus.DISCONNECTED, "at": now, "keys_at": None}
        connection = store.connection.model_copy(update=told)
        return call.wiring.stores.save(store.model_copy(update={"connection": connection}))

    store = persist(write)
    call.wiring.secrets.delete_rest_keys(store.id)
    call.wiring.secrets.delete_webhook_secret(store.id)
    return _status(call, store)


def _status(call: Call, store: Store) -> PluginStatus:
    return PluginStatus(
        store=_store_shown(store),
        now=_now(call),
        connection=_connection_shown(store),
        sync=sync_shown(call.wiring.sync_records.get(store.id)),
    )


def _now(call: Call) -> datetime:
    return datetime.fromtimestamp(call.wiring.unix_time(), UTC)


def _fresh(call: Call) -> Store:
    store = call.wiring.stores.get(call.path["store_id"])
    if store is None:
        raise NotFound("no such store")
    return store


def _change(given: Settings, store: Store, now: datetime) -> dict[str, Any]:
    """Raises `BadInput`, also for a shop that moved, or a copy of one: our keys stay with the host they came from."""
    known = store.connection.rest_url if store.connection else None
    if known and given.rest_url and not same_host(given.rest_url, known):
        message = "the shop is connected at another address: if it has moved, disconnect and connect it again"
        raise BadInput("The body is not as expected.", [FieldMistake("rest_url", message)])
    plain = ("abandon_after_minutes", "name", "url", "country", "locale")
    change = {name: value for name in plain if (value := getattr(given, name)) is not None}
    if given.timezone is not None:
        zone = timezone_of(given.timezone, given.country or store.country, now)
        if zone is None:
            message = "expected a time zone: choose a city in WordPress's general settings"
            raise BadInput("The body is not as expected.", [FieldMistake("timezone", message)])
        change["timezone"] = zone
    if store.connection is not None:
        told = {"rest_url": given.rest_url, "versions": given.versions and given.versions.model_dump(exclude_none=True)}
        change["connection"] = store.connection.model_copy(
            update={name: value for name, value in told.items() if value is not None}
        )
    return change


def _store_shown(store: Store) -> PluginStore:
    return PluginStore(id=store.id, name=store.name, abandon_after_minutes=store.abandon_after_minutes)


def _connection_shown(store: Store) -> PluginConnection | None:
    connection = store.connection
    if connection is None:
        return None
    waiting = store.is_connected and connection.keys_at is None
    trouble = Trouble(words=NO_KEYS, since=connection.at) if waiting else None
    return PluginConnection(status=connection.status, since=connection.at, trouble=trouble)
