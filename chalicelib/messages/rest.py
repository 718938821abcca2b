"""When Shabbat and the holidays begin and end in a city, computed here, without asking anybody.

Candles are lit before the sun sets on the eve: 18 minutes as the custom is in most places, 40 in Jerusalem and Petah
Tikva, 30 in Haifa and Zichron Yaakov. It is over when three small stars are seen, reckoned as the sun being 8.5 degrees
below the horizon (the reckoning of most printed calendars). Both are customs, not laws; times are of the sea-level
horizon. Days that follow each other, such as Rosh Hashana and Shabbat, are one rest.

The sun's place is that of the Astronomical Almanac's low-precision formulas (0.01 degrees until 2050).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import acos, asin, atan2, ceil, cos, degrees, floor, radians, sin
from zoneinfo import ZoneInfo

_SATURDAY = 5
_MONTHS_OF_HOLIDAYS = (3, 4, 5, 6, 9, 10)  # from Passover to Shavuot, from Rosh Hashana to Simchat Torah
_SETS, _STARS = -0.833, -8.5  # degrees of the sun's middle: at sunset (its radius and refraction), at nightfall
_EPOCH = datetime(2000, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class City:
    """Where in degrees (north, east), IANA zone, minutes from candle lighting to sunset. In Israel holidays last one
    day where they last two elsewhere."""

    latitude: float
    longitude: float
    zone: str
    candles: int = 18
    in_israel: bool = False


def _israeli(latitude: float, longitude: float, candles: int = 18) -> City:
    return City(latitude, longitude, "Asia/Jerusalem", candles, in_israel=True)


# The first city of a zone is the one that stands for it.
CITIES: dict[str, City] = {
    "jerusalem": _israeli(31.778, 35.235, candles=40),
    "tel-aviv": _israeli(32.087, 34.791),
    "haifa": _israeli(32.794, 34.989, candles=30),
    "ashdod": _israeli(31.801, 34.643),
    "ashkelon": _israeli(31.669, 34.571),
    "beer-sheva": _israeli(31.252, 34.791),
    "bnei-brak": _israeli(32.081, 34.834),
    "eilat": _israeli(29.558, 34.952),
    "herzliya": _israeli(32.166, 34.843),
    "modiin": _israeli(31.898, 35.010),
    "netanya": _israeli(32.333, 34.857),
    "petah-tikva": _israeli(32.089, 34.886, candles=40),
    "rishon-lezion": _israeli(31.973, 34.793),
    "safed": _israeli(32.966, 35.496),
    "tiberias": _israeli(32.792, 35.531),
    "zichron-yaakov": _israeli(32.571, 34.952, candles=30),
    "new-york": City(40.713, -74.006, "America/New_York"),
    "miami": City(25.762, -80.192, "America/New_York"),
    "chicago": City(41.878, -87.630, "America/Chicago"),
    "denver": City(39.739, -104.990, "America/Denver"),
    "los-angeles": City(34.052, -118.244, "America/Los_Angeles"),
    "toronto": City(43.653, -79.383, "America/Toronto"),
    "montreal": City(45.502, -73.567, "America/Toronto"),
    "mexico-city": City(19.433, -99.133, "America/Mexico_City"),
    "sao-paulo": City(-23.551, -46.633, "America/Sao_Paulo"),
    "buenos-aires": City(-34.604, -58.382, "America/Argentina/Buenos_Aires"),
    "london": City(51.507, -0.128, "Europe/London"),
    "manchester": City(53.481, -2.242, "Europe/London"),
    "paris": City(48.857, 2.352, "Europe/Paris"),
    "antwerp": City(51.221, 4.400, "Europe/Brussels"),
    "amsterdam": City(52.368, 4.904, "Europe/Amsterdam"),
    "berlin": City(52.520, 13.405, "Europe/Berlin"),
    "zurich": City(47.377, 8.541, "Europe/Zurich"),
    "johannesburg": City(-26.204, 28.047, "Africa/Johannesburg"),
    "melbourne": City(-37.814, 144.963, "Australia/Melbourne"),
    "sydney": City(-33.869, 151.209, "Australia/Sydney"),
}
_OF_ZONES = {
    **{city.zone: city for city in reversed(CITIES.values())},
    **dict.fromkeys(("Asia/Tel_Aviv", "Israel"), CITIES["jerusalem"]),  # its other IANA names
}


def city_of_zone(zone: str | None) -> City | None:
    """The city that stands for an IANA zone; None where none is known."""
    return _OF_ZONES.get(zone or "")


def rest_until(city: City, now: datetime) -> datetime | None:
    """When the rest around `now` ends there (UTC, a whole minute), or None outside of one."""
    day = now.astimezone(ZoneInfo(city.zone)).date()
    if not is_holy(day, city.in_israel):
        if not is_holy(day + timedelta(days=1), city.in_israel) or now < candle_lighting(city, day):
            return None
        day += timedelta(days=1)
    while is_holy(day + timedelta(days=1), city.in_israel):
        day += timedelta(days=1)
    ends = nightfall(city, day)
    return ends if now < ends else None


@lru_cache(maxsize=1000)
def is_holy(day: date, in_israel: bool) -> bool:
    """Whether this day, from the evening before it, is Shabbat or a holiday on which work rests (Yom Tov)."""
    if day.weekday() == _SATURDAY:
        return True
    if day.month not in _MONTHS_OF_HOLIDAYS:
        return False
    from pyluach.dates import HebrewDate

    return HebrewDate.from_pydate(day).festival(israel=in_israel, include_working_days=False) is not None


@lru_cache(maxsize=1000)
def candle_lighting(city: City, day: date) -> datetime:
    """On the eve (local day), UTC; the minute that has begun by then."""
    return _evening(city, day, _SETS, floor) - timedelta(minutes=city.candles)


@lru_cache(maxsize=1000)
def nightfall(city: City, day: date) -> datetime:
    """When this local day is over in the sky, UTC; the minute that begins after it."""
    return _evening(city, day, _STARS, ceil)


def _evening(city: City, day: date, altitude: float, whole: Callable[[float], int]) -> datetime:
    """When the sun sinks to this altitude (degrees) on the local day, to a whole minute."""
    noon = datetime.combine(day, time(12), ZoneInfo(city.zone)).astimezone(UTC)
    moment = noon + timedelta(hours=6)
    for _ in range(3):  # the sun moves on meanwhile
        moment = _sinks_to(altitude, city, noon, moment)
    minutes = (moment - noon) / timedelta(minutes=1)
    return noon + timedelta(minutes=whole(minutes))


def _sinks_to(altitude: float, city: City, noon: datetime, moment: datetime) -> datetime:
    """When the sun would reach it, stood it all day as it does at `moment`."""
    days = (moment - _EPOCH) / timedelta(days=1)
    mean, anomaly = 280.460 + 0.9856474 * days, radians(357.528 + 0.9856003 * days)
    along = radians(mean + 1.915 * sin(anomaly) + 0.020 * sin(2 * anomaly))
    tilt = radians(23.439 - 0.0000004 * days)
    declination, ascension = asin(sin(tilt) * sin(along)), degrees(atan2(cos(tilt) * sin(along), cos(along)))
    early = (mean - ascension + 180) % 360 - 180  # the equation of time, in degrees
    latitude = radians(city.latitude)
    side = sin(radians(altitude)) - sin(latitude) * sin(declination)
    hours = degrees(acos(side / (cos(latitude) * cos(declination))))
    midnight = noon.replace(hour=0, minute=0)
    highest = midnight + timedelta(days=(180 - city.longitude - early) / 360)
    highest += timedelta(days=round((noon - highest) / timedelta(days=1)))
    return highest + timedelta(days=hours / 360)
