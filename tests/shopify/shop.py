"""One fake shop: what it holds and how it misbehaves. Everything is a plain attribute that a test may change."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.clock import Clock
from tests.shopify.cost import Bucket
from tests.shopify.schema import recorded

Record = dict[str, Any]
SCOPES = (
    "read_all_orders",
    "read_checkouts",
    "read_customers",
    "read_discounts",
    "read_fulfillments",
    "read_inventory",
    "read_locations",
    "read_orders",
    "read_products",
    "write_discounts",
)


@dataclass(frozen=True)
class Asked:
    """One call of the Admin API: the operation's name, its text and variables, and the token it came with."""

    name: str
    document: str
    variables: dict[str, Any]
    token: str
    version: str = ""


@dataclass
class Grant:
    """An access token's terms. `scopes` None: the shop's, as they are now; `expires_at` None: it never ends (a pasted
    one)."""

    scopes: list[str] | None = None
    expires_at: float | None = None
    client_id: str = ""


@dataclass
class Refresh:
    """A refresh token: what it gives anew, once."""

    scopes: list[str]
    client_id: str
    used: bool = False


@dataclass
class Failure:
    """How the next calls fail. `on`: of this operation only. `hangs`: nothing comes until the shop closes."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    on: str | None = None
    cut: int = 0
    hangs: bool = False
    after_doing: bool = False


class FakeShop:
    """Records are dicts in GraphQL's field names (`{"id": "gid://shopify/Product/1", "title": …}`).

    A list stands for a list and for a connection alike; a record with nothing but its `id` means the record with that
    id; a text stands for an amount of money in the shop's currency; `datetime`s are fine. What is left out is null, or
    where the schema promises a value: an empty list, false, 0, "" or now. An order's `createdAt` is what
    `read_all_orders` is about.
    """

    def __init__(self, domain: str, clock: Clock, number: int = 1) -> None:
        self.domain, self.clock = domain, clock
        self.currency = "USD"
        self.products: list[Record] = []
        self.collections: list[Record] = []
        self.customers: list[Record] = []
        self.orders: list[Record] = []
        self.checkouts: list[Record] = []
        self.locations: list[Record] = [{"id": f"gid://shopify/Location/{number}", "name": "Shop", "isActive": True}]
        self.webhooks: list[Record] = []
        self.discounts: list[Record] = []
        """DiscountCodeNodes."""
        self.bulks: list[Record] = []
        """BulkOperations, oldest first."""
        self.token = f"shpat_{domain.split('.')[0].replace('-', '')}"
        """A pasted Admin token of this shop."""
        self.scopes = list(SCOPES)
        """Of `token`, and what a new grant gives when it asks for no scopes."""
        self.tokens: dict[str, Grant] = {self.token: Grant()}
        self.refreshes: dict[str, Refresh] = {}
        self.codes: dict[str, Grant] = {}
        """Authorization codes not yet used."""
        self.apps: dict[str, str] = {}
        """client_id → client_secret of the apps installed here."""
        self.asked: list[Asked] = []
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {}
        """A test's own answers: "Mutation.tagsAdd" → what it gives for the arguments."""
        self.bucket = Bucket(clock.now())
        self.closed = False
        """A shop that does not pay: 402."""
        self.deprecated: str | None = None
        """What `X-Shopify-API-Deprecated-Reason` says."""
        self.version: str | None = None
        """The `X-Shopify-API-Version` of the answers, where it is another than asked."""
        self.bulk_states = ["RUNNING", "COMPLETED"]
        """What a new bulk operation turns to, each time it is asked after; the last stays."""
        self.bulk_error: str | None = None
        """The errorCode of one that turns FAILED."""
        self.bulk_partial = 0
        """Lines in the file of one that turns FAILED; 0: it has none."""
        self.bulk_at_once = 1
        """How many may run at the same time; one too many is in the way by name if one, by number if more."""
        self.files: dict[str, bytes] = {}
        """Bulk operations' files, by the end of their addresses."""
        self.files_at = ""
        self.file_headers: list[dict[str, str]] = []
        """What each asking for a file said."""
        self.file_faults: list[str] = []
        """Errors of bulk operations' queries."""
        self.withheld: set[str] = set()
        """Scopes that the owner does not grant."""
        self.grants_asked: list[dict[str, str]] = []
        """What came to the OAuth endpoint."""
        self.file_cut = 0
        """Bytes after which the next answer of a file breaks off; 0: none does."""
        self.file_ranges = True
        """Whether files can be read from the middle (206)."""
        self.failures: list[Failure] = []
        self.info: Record = {
            "id": f"gid://shopify/Shop/{number}",
            "name": domain.split(".")[0].capitalize(),
            "myshopifyDomain": domain,
            "currencyCode": None,
            "ianaTimezone": "America/New_York",
            "primaryDomain": {
                "id": f"gid://shopify/Domain/{number}",
                "host": domain,
                "url": f"https://{domain}",
                "sslEnabled": True,
            },
            "shopAddress": {"id": f"gid://shopify/ShopAddress/{number}", "countryCodeV2": "US", "country": "USA"},
            "email": "owner@shop.example",
            "contactEmail": "owner@shop.example",
            "plan": {"displayName": "Basic", "publicDisplayName": "Basic", "partnerDevelopment": False},
            "locale": "en",
        }
        """The Shop; `locale` is its primary one."""
        self._ids = itertools.count(number * 1_000_000 + 1)

    def recall(self) -> None:
        """Take in what a real shop's recorded answers say of its customers, collections, products and orders."""
        self.currency = "CAD"
        self.customers += [edge["node"] for edge in recorded("customers-catalog")["data"]["customers"]["edges"]]
        self.collections += [edge["node"] for edge in recorded("collections-catalog")["data"]["collections"]["edges"]]
        named = [edge["node"] for one in self.collections for edge in one["products"]["edges"]]
        self.products += {one["id"]: one for one in named}.values()
        lists = recorded("order-catalog-count-read")["response"]["data"].values()
        orders = [order for told in lists for order in told.get("nodes", ())]
        self.orders += {order["id"]: order for order in sorted(orders, key=len)}.values()

    def gid(self, kind: str) -> str:
        """A new id: `gid("Order")`."""
        return f"gid://shopify/{kind}/{next(self._ids)}"

    def file_address(self, name: str) -> str:
        return f"{self.files_at}/{name}"

    def fail_next(
        self,
        status: int = 200,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        on: str | None = None,
        cut: int = 0,
        hangs: bool = False,
        after_doing: bool = False,
    ) -> None:
        """The next `times` calls (of the operation `on`) are answered with this instead.

        `after_doing`: the shop does what it was asked, and then answers so. `cut`: so many bytes fewer than promised.
        """
        self.failures.append(Failure(status, body, headers or {}, times, on, cut, hangs, after_doing))

    def forget_files(self) -> None:
        """As after seven days: the addresses of bulk operations' files are no good any more."""
        self.files.clear()
        for bulk in self.bulks:
            bulk.update(url=None, partialDataUrl=None, status="EXPIRED")

    def failure(self, name: str) -> Failure | None:
        for failure in self.failures:
            if failure.on in (None, name):
                failure.times -= 1
                if failure.times < 1:
                    self.failures.remove(failure)
                return failure
        return None
