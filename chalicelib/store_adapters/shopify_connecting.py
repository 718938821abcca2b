"""A Shopify shop becomes a store: what it says of itself, which store it is, and what is kept of it.

Everything is asked and decided before anything is written, so a shop that is refused leaves no trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chalicelib.clock import Clock
from chalicelib.commerce.connecting import ShopTold, language_of, locale_of, same_shop, timezone_of
from chalicelib.commerce.store import Connection, ConnectionStatus, Platform, Store
from chalicelib.commerce.trouble import ShopTrouble
from chalicelib.contacts.retry import persist
from chalicelib.errors import AgalaError
from chalicelib.ids import new_id
from chalicelib.store_adapters.shopify_scopes import Scope, missing
from chalicelib.store_adapters.shopify_tokens import ShopifyAccess

_URL = re.compile(r"https?://[^\s/@\\]+(/[^\s\\]*)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_UNKNOWN = "ZZ"
_LONGEST_NAME, _LONGEST_URL = 200, 2000
_BATCH = 200


class NotConnected(AgalaError):
    """Why a shop was not connected; nothing was written. Its text is for the shop's owner, `field` what is wrong."""

    field = "shop"


class NoSuchStore(NotConnected):
    field = "store_id"


class OtherStore(NotConnected):
    """The shop and the store that it was to become are not one (HTTP 409)."""


class OtherCurrency(NotConnected):
    field = "currency"


class ScopesMissing(NotConnected):
    field = "scopes"

    def __init__(self, scopes: Iterable[Scope]) -> None:
        self.scopes = tuple(scopes)
        named = "; ".join(f"{scope.name} ({scope.why})" for scope in self.scopes)
        super().__init__(f"the shop does not let Agala do all that it needs: {named}")


class Unclear(NotConnected):
    """The shop's answer is not of this shop, or tells no country, currency or time zone that we know."""


class Admin(Protocol):
    """Raises `ShopTrouble`."""

    def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]: ...

    def close(self) -> None: ...


class Stores(Protocol):
    def get(self, store_id: str) -> Store | None: ...

    def of_shop(self, domain: str) -> Store | None: ...

    def list(self, after: str | None = None, limit: int = 100) -> list[Store]: ...

    def save_as_shop(self, store: Store, domain: str) -> Store: ...


class Secrets(Protocol):
    def put_webhook_secret(self, store_id: str, secret: str) -> None: ...

    def delete_webhook_secret(self, store_id: str) -> None: ...

    def put_shopify_access(self, store_id: str, access: Mapping[str, Any]) -> None: ...

    def delete_shopify_access(self, store_id: str) -> None: ...


class Sync(Protocol):
    def connected(self, store: Store) -> object: ...


@dataclass(frozen=True)
class Made:
    """`missing`: what is not granted and can be done without."""

    store: Store
    missing: tuple[Scope, ...]


class ShopifyConnecting:
    """`admin` makes a client of a shop that uses just this token."""

    def __init__(
        self,
        stores: Stores,
        secrets: Secrets,
        sync: Callable[[], Sync],
        admin: Callable[[str, str], Admin],
        clock: Clock,
    ) -> None:
        self._stores, self._secrets, self._sync, self._admin, self._clock = stores, secrets, sync, admin, clock

    def connect(self, shop: str, access: ShopifyAccess, app_secret: str, store_id: str | None) -> Made:
        """`shop` in its one spelling. `app_secret`: what the shop signs its webhooks with. `store_id`: the store that
        it is to become; None: the one that it is already, or a new one.

        Its first history begins, or goes on. Repeating is harmless. Raises `NotConnected`, `ShopTrouble`, `TryLater`.
        """
        now = self._clock.now()
        told, granted = self._asked(shop, access.access_token, now)
        without = missing(granted)
        if any(scope.needed for scope in without):
            raise ScopesMissing(scope for scope in without if scope.needed)
        store = self._written(shop, told, store_id, access, app_secret, now)
        self._sync().connected(store)
        return Made(store, tuple(without))

    def _asked(self, shop: str, token: str, now: datetime) -> tuple[ShopTold, list[str]]:
        admin = self._admin(shop, token)
        try:
            answer = admin.ask("shop_connecting")
            language: dict[str, Any] = {}
            with suppress(ShopTrouble):
                language = admin.ask("shop_language")
        finally:
            admin.close()
        granted = [str(scope["handle"]) for scope in _at(answer, "currentAppInstallation", "accessScopes") or []]
        return _told(answer, language, shop, now), granted

    def _written(
        self,
        shop: str,
        told: ShopTold,
        store_id: str | None,
        access: ShopifyAccess,
        app_secret: str,
        now: datetime,
    ) -> Store:
        fresh = new_id(now)
        begun = False

        def write() -> Store:
            nonlocal begun
            store = self._present(shop, told, store_id) or _new(fresh, told, now)
            begun = begun or store.id == fresh
            connection = Connection(status=ConnectionStatus.CONNECTED, shop=shop, at=now, keys_at=now)
            kept: dict[str, Any] = {name: getattr(told, name) for name in ("name", "url", "country", "timezone")}
            kept |= {"locale": told.locale} if told.locale else {}
            # first: a store without a secret could not be called
            self._secrets.put_webhook_secret(store.id, app_secret)
            self._secrets.put_shopify_access(store.id, access.kept())
            return self._stores.save_as_shop(store.model_copy(update={**kept, "connection": connection}), shop)

        try:
            return persist(write)
        finally:
            if begun and self._stores.get(fresh) is None:  # another connected the shop at the same time
                self._secrets.delete_webhook_secret(fresh)
                self._secrets.delete_shopify_access(fresh)

    def _present(self, shop: str, told: ShopTold, store_id: str | None) -> Store | None:
        """The store that this shop is, if there is one. Raises `NotConnected`."""
        known = self._stores.of_shop(shop)
        if store_id is None:
            store = known or same_shop(self._free(), Platform.SHOPIFY, told.url)
        else:
            store = self._stores.get(store_id)
            if store is None:
                raise NoSuchStore("there is no such store")
            if known is not None and known.id != store_id:
                raise OtherStore("this shop is another store already: connect it there, or delete that one first")
        if store is None:
            return None
        if store.platform is not Platform.SHOPIFY:
            raise OtherStore(f"this is a store on {store.platform}: a Shopify shop becomes a store of its own")
        if store.connection is not None and store.connection.shop not in (None, shop):
            raise OtherStore("this store is another shop: what belongs to one is not mixed with the other")
        if store.currency != told.currency:
            raise OtherCurrency(
                f"this store's amounts are in {store.currency}, the shop's in {told.currency}: they cannot be added up"
            )
        return store

    def _free(self) -> Iterable[Store]:
        """Those that are no shop yet: made over the API."""
        after: str | None = None
        while batch := self._stores.list(after=after, limit=_BATCH):
            yield from (store for store in batch if store.connection is None)
            after = batch[-1].id


def _new(store_id: str, told: ShopTold, now: datetime) -> Store:
    return Store(
        id=store_id,
        platform=Platform.SHOPIFY,
        name=told.name,
        url=told.url,
        country=told.country,
        currency=told.currency,
        timezone=told.timezone,
        locale=told.locale or language_of(told.country),
        created_at=now,
    )


def _told(answer: Any, language: Any, shop: str, now: datetime) -> ShopTold:
    """Raises `Unclear`."""
    of = _at(answer, "shop")
    if not isinstance(of, dict):
        raise Unclear("the shop says nothing of itself")
    domain = str(of.get("myshopifyDomain") or "").lower()
    if domain != shop:
        raise Unclear("the shop has another name now: look for …myshopify.com in Shopify under Settings → Domains")
    timezone = str(of.get("ianaTimezone") or "")
    country = str(_at(of, "shopAddress", "countryCodeV2") or "")
    if country in ("", _UNKNOWN):
        country = _country_of(timezone)
    zone = timezone_of(timezone, country, now)
    currency = str(of.get("currencyCode") or "")
    if not _known_country(country):
        raise Unclear("the shop tells no country: enter its address in Shopify under Settings → General")
    if zone is None:
        raise Unclear("the shop tells no time zone: choose one in Shopify under Settings → General")
    if not _CURRENCY.fullmatch(currency):
        raise Unclear("the shop tells no currency")
    name = " ".join("".join(c if c.isprintable() else " " for c in str(of.get("name") or "")).split())
    url = str(_at(of, "primaryDomain", "url") or "")
    good = _URL.fullmatch(url) is not None and len(url) <= _LONGEST_URL
    locale = locale_of(str(_at(language, "shop", "primaryDomain", "localization", "defaultLocale") or ""))
    return ShopTold(
        name=name[:_LONGEST_NAME] or shop,
        url=url if good else f"https://{shop}",
        country=country,
        currency=currency,
        timezone=zone,
        locale=locale,
    )


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _known_country(country: str) -> bool:
    from babel.core import get_global

    return len(country) == 2 and country != _UNKNOWN and country in get_global("territory_currencies")


def _country_of(zone: str) -> str:
    from babel.core import get_global

    return str(get_global("zone_territories").get(zone, ""))
