"""Versions of what a store tells us: which of two tellings of one object is the newer."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from chalicelib.clock import rfc3339


class Version(BaseModel):
    """Orders tellings of one object: newest modified time, then status rank, then body hash.

    Shopify's and WooCommerce's deliveries come in any order and any number of times; comparing versions
    (and never arrival times) is what makes the records come out the same. `modified_at` is UTC.
    """

    model_config = ConfigDict(frozen=True)

    modified_at: datetime
    rank: int = 0
    body_hash: str = ""

    def key(self) -> str:
        """Sorts as text in version order; stored and compared in conditional writes."""
        return f"{rfc3339(self.modified_at)}#{self.rank:02d}#{self.body_hash}"
