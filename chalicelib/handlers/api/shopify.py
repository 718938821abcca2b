"""How a Shopify shop is connected over the API: this deployment's own app, its install links, and owners' own keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from chalice.app import Blueprint
from pydantic import AfterValidator, Field, model_validator

from chalicelib.access import ALL_STORES
from chalicelib.commerce.store import ConnectionStatus, Platform, Store
from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.contacts.retry import persist
from chalicelib.errors import BadInput, Conflict, FieldMistake, Forbidden, NotFound
from chalicelib.handlers.api.shapes import Answer, Body, Time
from chalicelib.handlers.api.stores import StoreAnswer, shown, webhook_url
from chalicelib.handlers.http import Call, Reply, door
from chalicelib.handlers.shopify_install import CALLBACK, INSTALL, begin_grant
from chalicelib.store_adapters.shopify_connecting import Made, NotConnected, OtherStore
from chalicelib.store_adapters.shopify_links import shop_domain
from chalicelib.store_adapters.shopify_scopes import SCOPES, Scope
from chalicelib.store_adapters.shopify_tokens import AccessKind, ShopifyAccess

shopify = Blueprint(__name__)

NO_APP = "this deployment has no app at Shopify yet: PUT /v1/shopify/app first"
_BAD_BODY = "The body is not as expected."


def _shop(value: str) -> str:
    found = shop_domain(value)
    if found is None:
        raise ValueError("expected the shop's own domain, such as tea.myshopify.com")
    return found


Shop = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_shop)]
StoreId = Annotated[str, Field(pattern=r"^[0-9a-z]{26}$")]
Key = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$")]


class ScopeAnswer(Answer):
    """`why` in English, `words` the same by language (en, he). `needed`: a shop is not connected without it."""

    scope: str
    why: str
    words: dict[str, str]
    needed: bool


class AppGiven(Body):
    """The app's client ID and secret, as Shopify's Dev Dashboard shows them.

    `all_orders`: Shopify has granted the app `read_all_orders`, so that it may ask shops for it.
    """

    client_id: Key
    client_secret: Key
    all_orders: bool = False


class AppAnswer(Answer):
    """`client_id` null: this deployment has no app. The addresses are what the app's configuration at Shopify takes:
    `install_url` the App URL, `redirect_url` the redirect, `webhook_url` for the three privacy topics.

    `events`: how shops tell what happens; `event_source_arn` names the EventBridge source, if it is that.
    """

    client_id: str | None
    all_orders: bool
    install_url: str
    redirect_url: str
    webhook_url: str
    events: Literal["https", "eventbridge"]
    event_source_arn: str | None
    scopes: list[ScopeAnswer]


class InstallNew(Body):
    """`store_id`: the store that the shop is to become; without it the one that it is already, or a new one."""

    shop: Shop
    store_id: StoreId | None = None


class InstallMade(Answer):
    """`url` is Shopify's page on which the shop's owner says yes, good for one walk until `expires_at`."""

    url: str
    expires_at: Time


class ConnectionGiven(Body):
    """Either a token of the shop's admin (`access_token`, `app_secret`), or the owner's own app of the Dev Dashboard
    (`client_id`, `client_secret`). `app_secret` is what the shop signs its webhooks with."""

    shop: Shop
    store_id: StoreId | None = None
    access_token: Key | None = None
    app_secret: Key | None = None
    client_id: Key | None = None
    client_secret: Key | None = None

    @model_validator(mode="after")
    def _one_way(self) -> ConnectionGiven:
        ways = ((self.access_token, self.app_secret), (self.client_id, self.client_secret))
        if sorted(sum(key is not None for key in way) for way in ways) != [0, 2]:
            raise ValueError("expected access_token and app_secret, or client_id and client_secret")
        return self


class ConnectionTaken(Answer):
    """`missing_scopes` can be done without."""

    store_id: str
    shop: str
    name: str
    webhook_url: str
    missing_scopes: list[ScopeAnswer]


@door(
    shopify,
    "PUT",
    "/v1/shopify/app",
    summary="Name this deployment's app at Shopify",
    scope="admin",
    body=AppGiven,
    answers=AppAnswer,
)
def put_shopify_app(call: Call) -> AppAnswer:
    """With a new secret of the same app its shops go on: what they sign is held against the new one from now on."""
    given: AppGiven = call.body
    secrets = call.wiring.secrets
    known = secrets.shopify_app(newer_than=0)
    if known is not None and known["client_id"] != given.client_id:
        _refuse_if_used(call, known["client_id"])
    secrets.put_shopify_app(given.model_dump())
    if known is not None and known["client_secret"] != given.client_secret:
        for store in _shopify_stores(call):
            if secrets.webhook_secret(store.id, newer_than=0) == known["client_secret"]:
                secrets.put_webhook_secret(store.id, given.client_secret)
    return _app(call)


@door(shopify, "GET", "/v1/shopify/app", summary="This deployment's app at Shopify", scope="any", answers=AppAnswer)
def get_shopify_app(call: Call) -> AppAnswer:
    return _app(call)


@door(shopify, "DELETE", "/v1/shopify/app", summary="Forget the app at Shopify", scope="admin", status=204)
def delete_shopify_app(call: Call) -> None:
    known = call.wiring.secrets.shopify_app(newer_than=0)
    if known is not None:
        _refuse_if_used(call, known["client_id"])
        call.wiring.secrets.delete_shopify_app()


@door(
    shopify,
    "POST",
    "/v1/shopify/installs",
    summary="An address at which a shop's owner lets Agala in",
    scope="any",
    body=InstallNew,
    answers=InstallMade,
    status=201,
)
def make_shopify_install(call: Call) -> InstallMade:
    given: InstallNew = call.body
    _allow(call, given.store_id)
    app = call.wiring.secrets.shopify_app()
    if app is None:
        raise Conflict(NO_APP)
    known = call.wiring.stores.of_shop(given.shop)
    if given.store_id is not None and known is not None and known.id != given.store_id:
        raise Conflict("this shop is another store already")
    url, until = begin_grant(call.wiring, call.base_url, app, given.shop, given.store_id)
    return InstallMade(url=url, expires_at=until)


@door(
    shopify,
    "POST",
    "/v1/shopify/connections",
    summary="Connect a shop with its owner's own keys",
    scope="any",
    body=ConnectionGiven,
    answers=ConnectionTaken,
    status=201,
)
def connect_shopify(call: Call) -> Reply:
    """With a token of the shop's admin, or with an app of the shop's own organisation. Its first history begins."""
    given: ConnectionGiven = call.body
    _allow(call, given.store_id)
    try:
        access, secret = _access(call, given)
        made = call.wiring.shopify_connecting.connect(given.shop, access, secret, given.store_id)
    except ShopTrouble as trouble:
        raise _said(trouble, given) from None
    except OtherStore as refusal:
        raise Conflict(str(refusal)) from None
    except NotConnected as refusal:
        raise _not_connected(refusal.field, str(refusal)) from None
    return Reply(_taken(call, made), headers={"Location": f"/v1/stores/{made.store.id}"})


@door(
    shopify,
    "POST",
    "/v1/stores/{store_id}/shopify/disconnect",
    summary="Let a Shopify shop go",
    scope="store",
    answers=StoreAnswer,
)
def disconnect_shopify(call: Call) -> StoreAnswer:
    """The token is forgotten and messages are held. The secret stays: Shopify may yet ask for somebody's erasure."""
    if call.store.connection is None or call.store.platform is not Platform.SHOPIFY:
        raise Conflict("no Shopify shop is connected")
    now = call.wiring.clock.now()

    def write() -> Store:
        store = call.wiring.stores.get(call.store.id)
        if store is None or store.connection is None:
            raise NotFound("no such store")
        if store.is_disconnected:
            return store
        told = {"status": ConnectionStatus.DISCONNECTED, "at": now, "keys_at": None}
        connection = store.connection.model_copy(update=told)
        return call.wiring.stores.save(store.model_copy(update={"connection": connection}))

    store = persist(write)
    call.wiring.secrets.delete_shopify_access(store.id)
    return StoreAnswer(**shown(call, store))


def _allow(call: Call, store_id: str | None) -> None:
    """Raises `Forbidden` for a token of other stores, `BadInput` for a store that is not there."""
    if call.token is None or not call.token.covers(store_id or ALL_STORES):
        raise Forbidden("this token may connect only its own stores: name one as `store_id`")
    if store_id is not None and call.wiring.stores.get(store_id) is None:
        raise BadInput(_BAD_BODY, [FieldMistake("store_id", "no such store")])


def _access(call: Call, given: ConnectionGiven) -> tuple[ShopifyAccess, str]:
    """What is kept, and the secret that signs the shop's webhooks. Raises `ShopTrouble`."""
    if given.access_token and given.app_secret:
        return ShopifyAccess(AccessKind.PASTED, given.access_token), given.app_secret
    client_id, secret = given.client_id or "", given.client_secret or ""
    oauth = call.wiring.shopify_oauth(given.shop)
    try:
        grant = oauth.own(client_id, secret)
    finally:
        oauth.close()
    return ShopifyAccess.of(AccessKind.OWN_APP, grant, call.wiring.unix_time(), client_id, secret), secret


def _said(trouble: ShopTrouble, given: ConnectionGiven) -> BadInput:
    """What the shop's owner can do about it, at the field that it is about; without anything that was sent."""
    own = given.client_id is not None
    if trouble.reason in _NOT_TOGETHER:
        return _not_connected("client_id", _NOT_TOGETHER[trouble.reason])
    if trouble.code is TroubleCode.KEY_REFUSED or (own and trouble.code is TroubleCode.REFUSED):
        words = "Shopify refused these keys: check that they are whole, and of an app that is installed in this shop"
        return _not_connected("client_secret" if own else "access_token", words)
    return _not_connected("shop", trouble.words)


_NOT_TOGETHER = {
    "app_not_installed": "this app is not installed in the shop yet: install it from the Dev Dashboard first",
    "shop_not_permitted": "this app and the shop are not of one organisation: use our app's install link, or paste "
    "a token of the shop's admin",
}


def _not_connected(field: str, words: str) -> BadInput:
    return BadInput("The shop was not connected.", [FieldMistake(field, words)])


def _refuse_if_used(call: Call, client_id: str) -> None:
    """Raises `Conflict`: no other app can renew the tokens that shops gave to this one."""
    for store in _shopify_stores(call):
        access = call.wiring.secrets.shopify_access(store.id) if store.is_connected else None
        if access is not None and (access["kind"], access.get("client_id")) == (AccessKind.APP, client_id):
            raise Conflict("shops are connected through the present app: disconnect them first")


def _shopify_stores(call: Call) -> list[Store]:
    found: list[Store] = []
    after: str | None = None
    while batch := call.wiring.stores.list(after=after, limit=200):
        found += [store for store in batch if store.platform is Platform.SHOPIFY]
        after = batch[-1].id
    return found


def _app(call: Call) -> AppAnswer:
    app = call.wiring.secrets.shopify_app(newer_than=0)
    arn = call.wiring.settings.shopify_event_source_arn
    return AppAnswer(
        client_id=app["client_id"] if app else None,
        all_orders=bool(app and app.get("all_orders")),
        install_url=call.base_url + INSTALL,
        redirect_url=call.base_url + CALLBACK,
        webhook_url=f"{call.base_url}/webhooks/shopify",
        events="eventbridge" if arn else "https",
        event_source_arn=arn,
        scopes=_scopes(SCOPES),
    )


def _scopes(scopes: Sequence[Scope]) -> list[ScopeAnswer]:
    return [ScopeAnswer(scope=scope.name, why=scope.why, words=scope.words, needed=scope.needed) for scope in scopes]


def _taken(call: Call, made: Made) -> ConnectionTaken:
    store = made.store
    return ConnectionTaken(
        store_id=store.id,
        shop=(store.connection and store.connection.shop) or "",
        name=store.name,
        webhook_url=webhook_url(call, store),
        missing_scopes=_scopes(made.missing),
    )
