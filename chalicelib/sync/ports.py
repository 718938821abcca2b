"""What a pull needs from outside: a shop to ask, and where its progress is kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from chalicelib.commerce.change import Change
from chalicelib.commerce.store import Store
from chalicelib.commerce.trouble import ShopTrouble
from chalicelib.sync.progress import SyncProgress

Cursor = Mapping[str, Any]


@dataclass(frozen=True)
class Pulled:
    """One record of a page in our words, or the reason why it cannot be read (a field and what was expected)."""

    changes: Sequence[Change] = ()
    mistake: str | None = None


@dataclass(frozen=True)
class ShopPage:
    """`counted`: how many of the part's `total` it holds. `cursor`: where the next begins, or, when `over`, where
    records that come later will be found. JSON data, the shop's own affair.

    `wait`: the shop is not ready yet, which is no trouble: it is to be asked again after so long. `prepared`: how much
    of what was asked it has ready by now, in its own count. `trouble`: what went wrong, where the cursor is to be kept
    all the same (a `ShopTrouble` that is raised leaves the one before).
    """

    records: Sequence[Pulled]
    counted: int
    total: int | None
    cursor: Cursor
    over: bool
    wait: timedelta | None = None
    prepared: int | None = None
    trouble: ShopTrouble | None = None


class Shop(Protocol):
    """A store that answers questions. Every method raises `ShopTrouble`."""

    @property
    def notices(self) -> Collection[str]:
        """What its owner should know though nothing is wrong yet, in words."""
        ...

    def mend_webhooks(self) -> int:
        """See that the store tells us what happens; returns how many webhooks had to be made or put right."""
        ...

    def page(self, kind: str, cursor: Cursor, since: datetime | None, size: int) -> ShopPage:
        """The next records of a kind (`products`, `customers`, `orders`), in an order in which none can be skipped.

        `since`: only what changed after it, where the platform can tell. `size`: about how many.
        """
        ...

    def close(self) -> None: ...


class SyncRecords(Protocol):
    def get(self, store_id: str) -> SyncProgress | None: ...

    def save(self, progress: SyncProgress) -> SyncProgress:
        """Over the revision that was read. Raises `errors.Conflict` if somebody was quicker."""
        ...

    def delete(self, store_id: str) -> None:
        """Also where there is none."""
        ...

    def note_contact(self, store_id: str, contact_id: str, until: datetime) -> None:
        """Journeys are to look at this contact again when the first history is over."""
        ...

    def noted_contacts(self, store_id: str, limit: int) -> Sequence[str]: ...

    def drop_contact(self, store_id: str, contact_id: str) -> None: ...


class Stores(Protocol):
    def get(self, store_id: str) -> Store | None: ...

    def save(self, store: Store) -> Store:
        """Raises `errors.Conflict`."""
        ...
