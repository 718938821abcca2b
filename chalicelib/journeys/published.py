"""Published versions of journeys, read once: they never change."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.errors import NotFound
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.journey import JourneyVersion
from chalicelib.journeys.ports import JourneyRecords

_MOST_KEPT = 500


@dataclass(frozen=True)
class Edition:
    """A version together with its parsed definition."""

    version: JourneyVersion
    definition: Definition


class Published:
    """Keeps the last few hundred versions in memory by (store, journey, number)."""

    def __init__(self, journeys: JourneyRecords) -> None:
        self._journeys = journeys
        self._kept: dict[tuple[str, str, int], Edition] = {}

    def get(self, store_id: str, journey_id: str, number: int) -> Edition:
        """Raises `NotFound`."""
        key = (store_id, journey_id, number)
        edition = self._kept.get(key)
        if edition is None:
            version = self._journeys.version(store_id, journey_id, number)
            if version is None:
                raise NotFound(f"journey {journey_id} has no version {number}")
            edition = Edition(version, Definition.kept(version.definition))
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = edition
        return edition
