"""The token of a store's Admin API: as it is, renewed in time, and by one of two who come at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from requests.structures import CaseInsensitiveDict

from chalicelib.commerce.trouble import ShopTrouble, TroubleCode
from chalicelib.errors import TryLater
from chalicelib.store_adapters.shop_http import Answer, ShopHttp
from chalicelib.store_adapters.shopify_oauth import ShopifyOAuth
from chalicelib.store_adapters.shopify_tokens import AccessKind, ShopifyAccess, ShopifyTokens

NOW = 1_795_000_000
HOUR = 3600
APP = {"client_id": "app-id", "client_secret": "app-secret"}


class Keeper:
    def __init__(self, access: ShopifyAccess | None, app: dict[str, Any] | None = APP) -> None:
        self.kept = access.kept() if access else None
        self.app = app
        self.out = False

    def shopify_access(self, store_id: str) -> dict[str, Any] | None:
        return self.kept

    def put_shopify_access(self, store_id: str, access: Mapping[str, Any]) -> None:
        if self.out:
            raise TryLater("out")
        self.kept = dict(access)

    def delete_shopify_access(self, store_id: str) -> None:
        self.kept = None

    def shopify_app(self, newer_than: float = 0) -> dict[str, Any] | None:
        return self.app


class Shopify:
    """Its token endpoint, as an HTTP client: it rotates refresh tokens, unless it `refuses` with an answer."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.refuses: Answer | ShopTrouble | None = None
        self.during: Callable[[], None] = lambda: None

    def call(self, method: str, url: str, body: Mapping[str, Any]) -> Answer:
        self.posted.append((url, dict(body)))
        self.during()
        if isinstance(self.refuses, ShopTrouble):
            raise self.refuses
        return self.refuses or answered(self._granted(body["grant_type"], len(self.posted)))

    def close(self) -> None:
        pass

    @staticmethod
    def _granted(grant_type: str, many: int) -> dict[str, Any]:
        if grant_type == "client_credentials":
            return {"access_token": f"day-{many}", "scope": "read_orders", "expires_in": 86399}
        return {
            "access_token": f"token-{many}",
            "scope": "read_orders",
            "expires_in": HOUR,
            "refresh_token": f"refresh-{many}",
            "refresh_token_expires_in": 7_776_000,
        }


def answered(told: Any, status: int = 200) -> Answer:
    return Answer(status, CaseInsensitiveDict(), json.dumps(told).encode())


class World:
    def __init__(self, access: ShopifyAccess | None, app: dict[str, Any] | None = APP) -> None:
        self.keeper, self.shopify = Keeper(access, app), Shopify()
        self.now, self.connected = float(NOW), True

    def tokens(self) -> ShopifyTokens:
        http = cast("ShopHttp", self.shopify)
        oauth = ShopifyOAuth("https://tea.myshopify.com", http)
        return ShopifyTokens("store", self.keeper, lambda: oauth, lambda: self.connected, lambda: self.now)

    def trouble(self, renew: bool = False, tokens: ShopifyTokens | None = None) -> TroubleCode:
        with pytest.raises(ShopTrouble) as raised:
            (tokens or self.tokens()).access_token(renew)
        return raised.value.code


def granted(ends: int = HOUR) -> ShopifyAccess:
    return ShopifyAccess(AccessKind.APP, "token-0", NOW + ends, "refresh-0", "app-id")


def own(ends: int = HOUR) -> ShopifyAccess:
    return ShopifyAccess(AccessKind.OWN_APP, "day-0", NOW + ends, None, "own-id", "own-secret")


PASTED = ShopifyAccess(AccessKind.PASTED, "shpat_pasted")


def test_what_is_kept_is_read_as_it_was() -> None:
    for access in (PASTED, granted(), own()):
        assert ShopifyAccess.read(access.kept()) == access


def test_no_token_shows_itself() -> None:
    for access in (PASTED, granted(), own()):
        assert not {"shpat_pasted", "token-0", "refresh-0", "own-secret", "day-0"} & set(repr(access).split("'"))


def test_without_a_token_there_is_no_key() -> None:
    assert World(None).trouble() is TroubleCode.NO_KEY


def test_a_pasted_token_is_given_as_it_is_and_a_refused_one_is_not_renewed() -> None:
    world = World(PASTED)
    tokens = world.tokens()
    assert tokens.access_token() == "shpat_pasted"
    assert world.trouble(renew=True, tokens=tokens) is TroubleCode.KEY_REFUSED
    assert world.shopify.posted == []


def test_another_token_pasted_meanwhile_is_taken() -> None:
    world = World(PASTED)
    tokens = world.tokens()
    tokens.access_token()
    world.keeper.kept = ShopifyAccess(AccessKind.PASTED, "shpat_newer").kept()
    assert tokens.access_token(renew=True) == "shpat_newer"


def test_an_apps_token_is_renewed_five_minutes_before_its_end_and_saved_at_once() -> None:
    world = World(granted())
    tokens = world.tokens()
    world.now = NOW + HOUR - 301
    assert tokens.access_token() == "token-0"
    world.now += 1
    assert tokens.access_token() == "token-1"
    assert world.shopify.posted == [
        (
            "https://tea.myshopify.com/admin/oauth/access_token",
            {"grant_type": "refresh_token", "refresh_token": "refresh-0", **APP},
        )
    ]
    assert world.keeper.kept == {
        "kind": "app",
        "access_token": "token-1",
        "expires_at": NOW + 2 * HOUR - 300,
        "refresh_token": "refresh-1",
        "client_id": "app-id",
    }
    assert tokens.access_token() == "token-1"
    assert world.tokens().access_token() == "token-1"
    assert len(world.shopify.posted) == 1


def test_the_next_renewal_uses_the_refresh_token_that_came_last() -> None:
    world = World(granted())
    tokens = world.tokens()
    for token in ("token-1", "token-2"):
        world.now += HOUR
        assert tokens.access_token() == token
    assert world.shopify.posted[1][1]["refresh_token"] == "refresh-1"


def test_a_token_that_the_shop_refused_is_renewed_before_its_time() -> None:
    world = World(granted())
    tokens = world.tokens()
    assert tokens.access_token() == "token-0"
    assert tokens.access_token(renew=True) == "token-1"


def test_a_refused_token_that_another_has_renewed_is_not_renewed_again() -> None:
    world = World(granted())
    one, other = world.tokens(), world.tokens()
    assert one.access_token() == other.access_token() == "token-0"
    assert one.access_token(renew=True) == "token-1"
    assert other.access_token(renew=True) == "token-1"
    assert len(world.shopify.posted) == 1


def test_of_two_who_renew_at_once_the_slower_takes_the_others() -> None:
    world = World(granted(0))

    def another() -> None:
        world.keeper.kept = ShopifyAccess(AccessKind.APP, "token-9", NOW + HOUR, "refresh-9", "app-id").kept()

    world.shopify.during = another
    world.shopify.refuses = answered({"error": "invalid_grant"}, 400)
    assert world.tokens().access_token() == "token-9"


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (answered({"error": "invalid_client"}, 401), TroubleCode.KEY_REFUSED),
        (answered({"error": "invalid_grant"}, 400), TroubleCode.KEY_REFUSED),
        (answered({"error": "app_not_installed"}, 400), TroubleCode.KEY_REFUSED),
        (answered({"error": "application_charge_needed"}, 400), TroubleCode.REFUSED),
        (answered("Unavailable Shop", 402), TroubleCode.SHOP_CLOSED),
        (answered({"errors": "Not Found"}, 404), TroubleCode.UNKNOWN_SHOP),
        (answered({"error": "invalid_grant"}, 502), TroubleCode.FAILING),
        (answered("", 302), TroubleCode.MOVED),
        (answered("", 429), TroubleCode.SLOW_DOWN),
        (ShopTrouble(TroubleCode.NO_ANSWER), TroubleCode.NO_ANSWER),
    ],
)
def test_a_renewal_that_fails_says_whether_connecting_again_would_help(refusal: ShopTrouble, code: TroubleCode) -> None:
    world = World(granted(0))
    world.shopify.refuses = refusal
    assert world.trouble() is code
    assert world.keeper.kept == granted(0).kept()


def test_what_cannot_be_saved_is_not_used_and_the_old_refresh_token_stays() -> None:
    world = World(granted(0))
    world.keeper.out = True
    tokens = world.tokens()
    with pytest.raises(TryLater):
        tokens.access_token()
    world.keeper.out = False
    assert tokens.access_token() == "token-2"
    assert world.shopify.posted[1][1]["refresh_token"] == "refresh-0"


def test_a_store_that_was_let_go_during_a_renewal_keeps_no_token() -> None:
    world = World(granted(0))
    world.connected = False
    assert world.trouble() is TroubleCode.NO_KEY
    assert world.keeper.kept is None


def test_an_app_that_is_not_ours_any_more_renews_nothing() -> None:
    for app in (None, {"client_id": "another-app", "client_secret": "x"}):
        assert World(granted(0), app).trouble() is TroubleCode.KEY_REFUSED


def test_an_own_apps_token_of_a_day_is_fetched_anew() -> None:
    world = World(own(299))
    assert world.tokens().access_token() == "day-1"
    [(_, asked)] = world.shopify.posted
    assert asked == {"grant_type": "client_credentials", "client_id": "own-id", "client_secret": "own-secret"}
    assert world.keeper.kept is not None
    assert (world.keeper.kept["expires_at"], world.keeper.kept["client_secret"]) == (NOW + 86399, "own-secret")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"access_token": None, "scope": ""},
        {"access_token": "", "scope": ""},
        {"access_token": "a b", "scope": ""},
        {"access_token": "a\r\nX: y", "scope": ""},
        {"access_token": "a", "scope": None},
        {"access_token": "a", "scope": "", "expires_in": "60"},
        {"access_token": "a", "scope": "", "expires_in": 0},
        {"access_token": "a", "scope": "", "refresh_token": 7},
    ],
)
def test_an_answer_that_makes_no_sense_is_trouble(answer: Any) -> None:
    world = World(own(0))
    world.shopify.refuses = answered(answer)
    assert world.trouble() is TroubleCode.BROKEN_ANSWER
