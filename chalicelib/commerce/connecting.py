"""What a shop says of itself when it connects, in our words: each platform has its own for zones, languages, places."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.commerce.store import Platform, Store


@dataclass(frozen=True)
class ShopTold:
    """`country` ISO 3166 alpha-2, `currency` ISO 4217, `timezone` IANA name; `locale` BCP 47, None: not told."""

    name: str
    url: str
    country: str
    currency: str
    timezone: str
    locale: str | None


_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?")
_LOCALE = re.compile(r"([a-z]{2,3})(?:[-_]([A-Z][a-z]{3}))?(?:[-_]([A-Z]{2}|[0-9]{3}))?(?![A-Za-z0-9])")
# Offsets that are no whole hours: where they are the time all year round, or nearly.
_BETWEEN_HOURS = {
    -570: "Pacific/Marquesas",
    -210: "America/St_Johns",
    210: "Asia/Tehran",
    270: "Asia/Kabul",
    330: "Asia/Kolkata",
    345: "Asia/Kathmandu",
    390: "Asia/Yangon",
    525: "Australia/Eucla",
    570: "Australia/Darwin",
    630: "Australia/Lord_Howe",
    765: "Pacific/Chatham",
}


def timezone_of(told: str, country: str, now: datetime) -> str | None:
    """An IANA name for a shop's zone, or None where there is none.

    WordPress tells an offset ("+02:00") where the owner chose no city. It means the country's own zone if that is
    ever so far from UTC and no other zone of the country is meant by it, so that summer time moves with the people;
    so does "+00:00" in a country of one zone, for that is what WordPress has before anybody chooses. Else the
    zone of just that offset, whose name has its sign the other way round (Etc/GMT-2 is two hours east).
    """
    found = _OFFSET.fullmatch(told)
    if found is None:
        return told if _exists(told) else None
    minutes = (int(found[2]) * 60 + int(found[3] or 0)) * (-1 if found[1] == "-" else 1)
    zones = _zones(country)
    if minutes == 0 and len(zones) == 1:
        return zones[0]
    fitting = [(zone, offsets) for zone in zones if minutes in (offsets := _offsets(zone, now.year))]
    if len({offsets for _, offsets in fitting}) == 1:
        return fitting[0][0]
    if minutes == 0:
        return "UTC"
    if minutes % 60 == 0 and -12 <= minutes // 60 <= 14:
        return f"Etc/GMT{-minutes // 60:+d}"
    return _BETWEEN_HOURS.get(minutes)


def locale_of(told: str) -> str | None:
    """BCP 47 for WordPress's name of a language: `he_IL` is he-IL, `de_DE_formal` is de-DE. None for nonsense."""
    found = _LOCALE.match(told)
    return "-".join(part for part in found.groups() if part) if found else None


def language_of(country: str) -> str:
    """What is mostly written in a country, where its shop tells no language."""
    from babel.languages import get_official_languages

    return next(iter(get_official_languages(country, de_facto=True)), "en")


def country_of(told: str) -> str:
    """WooCommerce may tell a country with its state (`US:CA`)."""
    return told.partition(":")[0]


def same_shop(stores: Iterable[Store], platform: Platform, url: str) -> Store | None:
    """The store of this platform at this address: one that is or was connected before others, the newest of several.

    http and https are one address, and so is one with a slash at its end.
    """
    wanted = _address(url)
    found = [store for store in stores if store.platform is platform and _address(store.url) == wanted]
    return max(found, key=lambda store: (store.connection is not None, store.id), default=None)


def same_host(one: str, other: str) -> bool:
    """Whether two addresses are on one machine's name and port: http and https are one, with or without `www.`."""
    places = [_address(url)[:2] for url in (one, other)]
    return len({((name or "").removeprefix("www."), port) for name, port in places}) == 1


def _address(url: str) -> tuple[str | None, int | None, str]:
    parts = urlsplit(url)
    port = None if parts.port in (80, 443) else parts.port
    return parts.hostname, port, parts.path.rstrip("/")


def _exists(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _zones(country: str) -> list[str]:
    from babel.core import get_global

    return sorted(zone for zone, territory in get_global("zone_territories").items() if territory == country)


def _offsets(zone: str, year: int) -> tuple[int, int]:
    """Minutes from UTC in January and in July."""
    if not _exists(zone):
        return 0, 0
    at = [datetime(year, month, 1, tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset() for month in (1, 7)]
    january, july = (int((offset or timedelta()).total_seconds() // 60) for offset in at)
    return january, july
