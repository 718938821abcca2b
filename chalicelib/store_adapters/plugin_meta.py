"""What Agala's WordPress plugin leaves on a WooCommerce record, among its `meta_data`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.contacts.consent import Channel, Consent, ConsentChange, ConsentStatus
from chalicelib.store_adapters.base import Unintelligible
from chalicelib.store_adapters.reading import Fields

_LONGEST_LIFETIME = 3650  # days


@dataclass(frozen=True)
class PluginMeta:
    """`consent` as it stands in the record: read it with `consent_told`."""

    consent: Any = None
    cart_token: str | None = None
    lifetime_days: int | None = None
    locale: str | None = None


def meta_of(record: Fields) -> PluginMeta:
    """The keys `_agala_consent`, `_agala_cart_token`, `_agala_lifetime_days` and `_agala_locale`.

    Other keys belong to other plugins and may hold anything. Raises `Unintelligible` for a wrong kind in ours.
    """
    ours = {
        key: item
        for item in record.items("meta_data")
        if isinstance(key := item.any("key"), str) and key.startswith("_agala_")
    }
    empty = Fields({})
    days = ours.get("_agala_lifetime_days", empty).whole("value")
    return PluginMeta(
        consent=ours.get("_agala_consent", empty).any("value"),
        cart_token=ours.get("_agala_cart_token", empty).text("value", 100),
        lifetime_days=days if days is not None and 0 < days <= _LONGEST_LIFETIME else None,
        locale=ours.get("_agala_locale", empty).text("value", 35),
    )


def consent_told(value: Any, source: str, default_at: datetime, told_at: datetime) -> tuple[ConsentChange, ...]:
    """From `{"email": {"status", "text", "at"}, "sms": …, "whatsapp": …}`, as an object or its JSON text.

    An entry that makes no sense is no consent: it is passed over. Nobody chose after the record was told, so a
    later `at` (a wrong clock) counts as `told_at`; without one it is `default_at`.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return ()
    if not isinstance(value, dict):
        return ()
    changes = []
    for channel in Channel:
        if not isinstance(value.get(channel.value), dict):
            continue
        try:
            entry = Fields(value[channel.value])
            consent = Consent(
                status=ConsentStatus(entry.text("status", 20) or ""),
                source=entry.text("source", 60) or source,
                at=min(entry.moment("at") or default_at, told_at),
                text=entry.text("text", 1000),
            )
        except (ValueError, Unintelligible):
            continue
        changes.append(ConsentChange(channel=channel, consent=consent))
    return tuple(changes)
