"""What goes wrong between us and a shop, in words that its owner can act on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from chalicelib.errors import AgalaError


class TroubleCode(StrEnum):
    NO_KEY = "no_key"
    KEY_REFUSED = "key_refused"
    NOT_ALLOWED = "not_allowed"
    NO_REST = "no_rest"
    UNKNOWN_SHOP = "unknown_shop"
    SHOP_CLOSED = "shop_closed"
    GONE = "gone"
    REFUSED = "refused"
    SLOW_DOWN = "slow_down"
    FAILING = "failing"
    WEB_PAGE = "web_page"
    BROKEN_ANSWER = "broken_answer"
    TOO_LARGE = "too_large"
    TOO_MUCH = "too_much"
    REDIRECT_LOOP = "redirect_loop"
    MOVED = "moved"
    CERTIFICATE = "certificate"
    UNKNOWN_HOST = "unknown_host"
    PRIVATE_ADDRESS = "private_address"
    NO_CONNECTION = "no_connection"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True)
class _Meaning:
    words: str
    lasting: bool


_MEANINGS = {
    TroubleCode.NO_KEY: _Meaning(
        "The shop has not given Agala a key: approve Agala in the shop, or connect it again.", True
    ),
    TroubleCode.KEY_REFUSED: _Meaning("The shop refused Agala's key. Connect the shop again.", True),
    TroubleCode.NOT_ALLOWED: _Meaning(
        "The shop does not let Agala in: the key may read too little, or a security plugin or firewall stands in the "
        "way. Allow Agala there, or connect the shop again.",
        True,
    ),
    TroubleCode.NO_REST: _Meaning(
        "The shop's REST API was not found at its address. Is WooCommerce active, and is the REST API allowed?", True
    ),
    TroubleCode.UNKNOWN_SHOP: _Meaning(
        "There is no shop at this address. If it has a new one, connect it again.", True
    ),
    TroubleCode.SHOP_CLOSED: _Meaning(
        "The shop is closed: it may be paused, locked or not paid for. Agala goes on once it is open again.", True
    ),
    TroubleCode.GONE: _Meaning("The shop does not have this record any more.", True),
    TroubleCode.REFUSED: _Meaning("The shop did not accept what Agala asked for.", True),
    TroubleCode.SLOW_DOWN: _Meaning("The shop asks Agala to wait and goes on answering later.", False),
    TroubleCode.FAILING: _Meaning(
        "The shop answered with an error of its own; it may be overloaded or updating.", False
    ),
    TroubleCode.WEB_PAGE: _Meaning(
        "The shop answered with a web page instead of JSON: a security plugin, a maintenance or a password page may "
        "stand in front of it.",
        False,
    ),
    TroubleCode.BROKEN_ANSWER: _Meaning("The shop's answer was not complete or is no JSON.", False),
    TroubleCode.TOO_LARGE: _Meaning("The shop's answer was larger than Agala reads.", False),
    TroubleCode.TOO_MUCH: _Meaning("Agala asked for more at once than the shop gives.", False),
    TroubleCode.REDIRECT_LOOP: _Meaning("The shop sends Agala round in a circle of redirects.", True),
    TroubleCode.MOVED: _Meaning(
        "The shop redirects to another address, where Agala does not take its key. If it moved, connect it again.",
        True,
    ),
    TroubleCode.CERTIFICATE: _Meaning(
        "The shop's certificate (https) is not valid: it may have run out or be for another name.", True
    ),
    TroubleCode.UNKNOWN_HOST: _Meaning("The name in the shop's address was not found.", True),
    TroubleCode.PRIVATE_ADDRESS: _Meaning(
        "The shop's address leads to a private network, which Agala does not enter.", True
    ),
    TroubleCode.NO_CONNECTION: _Meaning("No connection to the shop could be made.", False),
    TroubleCode.NO_ANSWER: _Meaning("The shop took too long to answer.", False),
}


class ShopTrouble(AgalaError):
    """The shop did not do what it was asked.

    `words` are for the owner: without keys, persons or anything the shop wrote. `retry_after`: how long the shop asks
    us to wait, if it does. `lasting`: it will hardly pass by itself. `status` is the HTTP status, if there was one,
    and `reason` the shop's own error code (letters, digits, `_`, `-`), such as `woocommerce_rest_cannot_view`.
    `about`: which of its records were asked for (`orders`), where that helps the owner.
    """

    def __init__(
        self,
        code: TroubleCode,
        retry_after: timedelta | None = None,
        status: int | None = None,
        reason: str | None = None,
        about: str | None = None,
    ) -> None:
        meaning = _MEANINGS[code]
        self.code = code
        self.words = meaning.words if status is None or status < 500 else f"{meaning.words} (HTTP {status})"
        if about:
            self.words += f" It was asked for its {about}."
        self.lasting = meaning.lasting
        self.retry_after = retry_after
        self.status = status
        self.reason = reason
        super().__init__(self.words)
