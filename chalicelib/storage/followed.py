"""What messages' links lead to, and who was seen following them: an item for each message, in a partition of its own.

Addresses of one shop are much alike: packed, the item of most emails stays within one write unit, which every click on
them costs again.
"""

from __future__ import annotations

import json
import zlib
from datetime import datetime
from typing import Any

from chalicelib.clock import rfc3339
from chalicelib.messages.followed import KEPT, MOST_SEEN, MessageLinks, Sighting
from chalicelib.storage import keys
from chalicelib.storage.table import ConditionFailed, Item, Table

_GZIP = 31  # zlib's window bits for a gzip header
_PLAIN = ("code", "store_id", "contact_id", "message_id", "channel", "language", "home", "utm")


class FollowedLinks:
    """A `messages.followed.Followed`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, code: str) -> MessageLinks | None:
        item = self._table.get(*keys.followed(code))
        return _loaded(item) if item else None

    def keep(self, links: MessageLinks) -> None:
        """What was seen stays: a step that is repeated may come after the first click."""
        values = {name: value for name, value in _static(links).items() if value is not None}
        names = {f"#{name}": name for name in (*values, "seen", "seen_count")}
        kept = [f"#{name} = :{name}" for name in values]
        kept += ["#seen = if_not_exists(#seen, :nobody)", "#seen_count = if_not_exists(#seen_count, :none)"]
        told = {f":{name}": value for name, value in values.items()} | {":nobody": [], ":none": 0}
        self._table.update(*keys.followed(links.code), f"SET {', '.join(kept)}", names=names, values=told)

    def forget(self, code: str) -> None:
        self._table.delete(*keys.followed(code))

    def see(self, code: str, sighting: Sighting) -> MessageLinks | None:
        try:
            item = self._table.update(
                *keys.followed(code),
                "SET #seen = list_append(#seen, :one), #seen_count = #seen_count + :count",
                condition="attribute_exists(#pk) AND #seen_count < :most",
                names={"#pk": "pk", "#seen": "seen", "#seen_count": "seen_count"},
                values={":one": [_seen(sighting)], ":count": 1, ":most": MOST_SEEN},
            )
        except ConditionFailed:
            return self.get(code)
        return _loaded(item)


def _static(links: MessageLinks) -> dict[str, Any]:
    targets = [target.model_dump(exclude_none=True) for target in links.targets]
    packed = zlib.compress(json.dumps(targets, ensure_ascii=False, separators=(",", ":")).encode(), wbits=_GZIP)
    return {
        **{name: getattr(links, name) for name in _PLAIN},
        "targets": packed,
        "sent_at": rfc3339(links.sent_at),
        "expires_at": int((links.sent_at + KEPT).timestamp()),
    }


def _loaded(item: Item) -> MessageLinks:
    return MessageLinks(
        **{name: item[name] for name in _PLAIN},
        targets=json.loads(zlib.decompress(item["targets"], wbits=_GZIP)),
        sent_at=datetime.fromisoformat(item["sent_at"]),
        seen=tuple(
            Sighting(
                at=datetime.fromisoformat(one["at"]),
                number=one["n"],
                agent=one.get("by", ""),
                network=one.get("from", ""),
            )
            for one in item["seen"]
        ),
    )


def _seen(sighting: Sighting) -> dict[str, str]:
    told = {"at": rfc3339(sighting.at), "n": sighting.number, "by": sighting.agent, "from": sighting.network}
    return {name: value for name, value in told.items() if value}
