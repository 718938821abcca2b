"""The token with which one store's Admin API is asked: as it is, renewed, or fetched anew.

Kept as JSON beside the store's other secrets. Renewal hands out a new refresh token each time, so what came is saved
before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.commerce.trouble import ShopTrouble, TroubleCode

if TYPE_CHECKING:
    from chalicelib.store_adapters.shopify_oauth import Grant, ShopifyOAuth

EARLY = 300  # seconds before its end: a call that is under way then must not be cut off
_ENDED = ("invalid_grant", "invalid_request", "app_not_installed", "shop_not_permitted")


class AccessKind(StrEnum):
    """`PASTED`: an owner's token. `APP`: our own app's, by its grant page. `OWN_APP`: the owner's own app's."""

    PASTED = "pasted"
    APP = "app"
    OWN_APP = "own_app"


@dataclass(frozen=True)
class ShopifyAccess:
    """`expires_at` in Unix seconds of real time; None: good until it is revoked. `client_id` of the app that was
    granted it; `client_secret` of an owner's own app only. Never shown."""

    kind: AccessKind
    access_token: str = field(repr=False)
    expires_at: int | None = None
    refresh_token: str | None = field(default=None, repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, kind: AccessKind, grant: Grant, now: float, client_id: str, secret: str | None = None) -> ShopifyAccess:
        ends = None if grant.expires_in is None else int(now) + grant.expires_in
        return cls(kind, grant.access_token, ends, grant.refresh_token, client_id, secret)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> ShopifyAccess:
        told = {name: kept.get(name) for name in cls.__dataclass_fields__ if name != "kind"}
        return cls(kind=AccessKind(kept["kind"]), **told)  # type: ignore[arg-type]  # as `kept()` wrote it

    def kept(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


class Keeper(Protocol):
    """Where the secrets are. Raises `TryLater`."""

    def shopify_access(self, store_id: str) -> dict[str, Any] | None: ...

    def put_shopify_access(self, store_id: str, access: Mapping[str, Any]) -> None: ...

    def delete_shopify_access(self, store_id: str) -> None: ...

    def shopify_app(self, newer_than: float = ...) -> dict[str, Any] | None: ...


class OneToken:
    """Of a shop that is being connected: nothing else is known of it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def access_token(self, renew: bool = False) -> str:
        """Raises `ShopTrouble` (KEY_REFUSED) where another one is asked for."""
        if renew:
            raise ShopTrouble(TroubleCode.KEY_REFUSED)
        return self._token


class ShopifyTokens:
    """Of one store. `connected` says whether it still is, `unix_time` is real time."""

    def __init__(
        self,
        store_id: str,
        keeper: Keeper,
        oauth: Callable[[], ShopifyOAuth],
        connected: Callable[[], bool],
        unix_time: Callable[[], float],
    ) -> None:
        self._store_id, self._keeper, self._oauth = store_id, keeper, oauth
        self._connected, self._unix_time = connected, unix_time
        self._used: ShopifyAccess | None = None

    def access_token(self, renew: bool = False) -> str:
        """`renew`: the shop refused the one that was given last.

        Raises `ShopTrouble`: NO_KEY, KEY_REFUSED where only connecting again helps, and what keeps a renewal from
        going through; `TryLater`.
        """
        known = self._used
        if known is not None and not renew and not self._ends(known):
            return known.access_token
        found = self._read()
        replaced = known is not None and found.access_token != known.access_token  # by another who renewed it
        if self._ends(found) or (renew and not replaced):
            found = self._renewed(found)
        self._used = found
        return found.access_token

    def _read(self) -> ShopifyAccess:
        kept = self._keeper.shopify_access(self._store_id)
        if kept is None:
            raise ShopTrouble(TroubleCode.NO_KEY)
        return ShopifyAccess.read(kept)

    def _ends(self, access: ShopifyAccess) -> bool:
        return access.expires_at is not None and self._unix_time() >= access.expires_at - EARLY

    def _renewed(self, old: ShopifyAccess) -> ShopifyAccess:
        try:
            grant = self._asked(old)
        except ShopTrouble as trouble:
            if trouble.code is not TroubleCode.KEY_REFUSED and (not trouble.lasting or trouble.reason not in _ENDED):
                raise
            now = self._read()  # two who renew at once: the other one's is good
            if now.access_token == old.access_token:
                raise ShopTrouble(TroubleCode.KEY_REFUSED, reason=trouble.reason) from None
            return now
        refresh = grant.refresh_token or old.refresh_token
        new = ShopifyAccess.of(old.kind, grant, self._unix_time(), old.client_id or "", old.client_secret)
        new = ShopifyAccess(**{**asdict(new), "refresh_token": refresh})
        self._keeper.put_shopify_access(self._store_id, new.kept())
        if not self._connected():  # let go meanwhile: what was deleted must not come back
            self._keeper.delete_shopify_access(self._store_id)
            raise ShopTrouble(TroubleCode.NO_KEY)
        return new

    def _asked(self, old: ShopifyAccess) -> Grant:
        app: Mapping[str, Any] | None = None
        if old.kind is AccessKind.APP and old.refresh_token:
            app = self._keeper.shopify_app()
            if app is not None and app["client_id"] != old.client_id:
                app = None
        elif old.kind is AccessKind.OWN_APP:
            app = {"client_id": old.client_id, "client_secret": old.client_secret}
        if app is None:
            raise ShopTrouble(TroubleCode.KEY_REFUSED)
        oauth = self._oauth()
        try:
            if old.kind is AccessKind.OWN_APP:
                return oauth.own(app["client_id"], app["client_secret"])
            return oauth.renewed(app["client_id"], app["client_secret"], old.refresh_token or "")
        finally:
            oauth.close()
