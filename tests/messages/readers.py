"""What a message says to whoever follows its links."""

from __future__ import annotations

import html
import re

from chalicelib.messages.links import HONEYPOT
from chalicelib.storage.followed import FollowedLinks
from chalicelib.storage.table import Table

_OURS = re.compile(r"https://agala\.example/l/(\w{12})(\d+|h)\w{5}")


def as_written(table: Table, text: str) -> str:
    """A text, or HTML, with the addresses that its links of ours lead to, as its writer wrote them."""
    records = FollowedLinks(table)

    def written(found: re.Match[str]) -> str:
        record = records.get(found[1])
        assert record is not None, "a link that leads nowhere"
        target = record.target(found[2])
        assert target is not None or found[2] == HONEYPOT
        return html.escape(target.url or "thanks") if target else record.home

    return _OURS.sub(written, text)
