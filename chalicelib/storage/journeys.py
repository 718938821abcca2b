"""Journeys, their versions, and who is on the way."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.clock import rfc3339
from chalicelib.ids import contact_of
from chalicelib.journeys.enrolment import Enrolment
from chalicelib.journeys.journey import Journey, JourneyVersion
from chalicelib.storage import keys
from chalicelib.storage.records import dump, load
from chalicelib.storage.table import ConditionFailed, Put, Table


class Journeys:
    """A head is small and read at every event and step; the draft, with all its content, is an item of its own."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, journey_id: str) -> Journey | None:
        """The head together with its draft."""
        head, draft = keys.journey(store_id, journey_id), keys.journey_draft(store_id, journey_id)
        found = {item["sk"]: item for item in self._table.get_many([head, draft])}
        if head[1] not in found:
            return None
        return load(Journey, {**found[head[1]], "draft": found.get(draft[1], {}).get("draft")})

    def head(self, store_id: str, journey_id: str) -> Journey | None:
        """Without its draft: to look at, not to save."""
        item = self._table.get(*keys.journey(store_id, journey_id))
        return load(Journey, item) if item else None

    def save(self, journey: Journey) -> Journey:
        """Raises `Conflict` if somebody was quicker."""
        written = journey.model_copy(update={"rev": journey.rev + 1})
        head = dump(written.model_copy(update={"draft": None}), keys.journey(journey.store_id, journey.id))
        writes = [Put(head, rev=journey.rev)]
        if journey.draft is not None:
            pk, sk = keys.journey_draft(journey.store_id, journey.id)
            writes.append(Put({"pk": pk, "sk": sk, "draft": journey.draft}))
        self._table.transact(writes)
        return written

    def of_store(self, store_id: str) -> list[Journey]:
        """By id, without their drafts: to look at, not to save."""
        return [load(Journey, item) for item in self._table.query(f"STORE#{store_id}", prefix="J#")]

    def version(self, store_id: str, journey_id: str, version: int) -> JourneyVersion | None:
        item = self._table.get(*keys.journey_version(store_id, journey_id, version))
        return load(JourneyVersion, item) if item else None

    def publish(self, version: JourneyVersion) -> None:
        """Raises `Conflict` if that number is taken."""
        key = keys.journey_version(version.store_id, version.journey, version.version)
        self._table.put(Put(dump(version, key), new=True))


class Enrolments:
    """Enrolments live in their contact's partition; a merge moves them, so ids are looked up through the pointer."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, store_id: str, enrolment_id: str, contact_id: str | None = None) -> Enrolment | None:
        """`contact_id` is where it lives now, if a merge moved it away from the contact in its id."""
        partition = keys.contact(store_id, contact_id or contact_of(enrolment_id))
        item = self._table.get(partition, keys.enrolment(enrolment_id))
        return load(Enrolment, item) if item else None

    def create(self, enrolment: Enrolment) -> bool:
        """The decision: False if this contact entered under this key already."""
        try:
            self._table.put(Put(self.item(enrolment), new=True))
        except ConditionFailed:
            return False
        return True

    def save(self, enrolment: Enrolment) -> Enrolment:
        """Raises `Conflict` if somebody was quicker."""
        written = enrolment.model_copy(update={"rev": enrolment.rev + 1})
        self._table.put(Put(self.item(written), rev=enrolment.rev))
        return written

    def of_contact(self, store_id: str, contact_id: str) -> list[Enrolment]:
        found = self._table.query(keys.contact(store_id, contact_id), prefix="N#")
        enrolments = (load(Enrolment, item) for item in found)
        return sorted((e for e in enrolments if not e.withdrawn), key=lambda e: (e.entered_at, e.id))

    def of_journey(self, store_id: str, journey_id: str, after: str | None = None, limit: int = 100) -> list[Enrolment]:
        """Oldest first; `after` is the cursor `sort_key` of the last one seen."""
        found = self._table.listing("ENROLMENTS", store_id, journey_id, after=after, limit=limit)
        return [load(Enrolment, item) for item in found]

    def all_of_journey(self, store_id: str, journey_id: str) -> Iterator[Enrolment]:
        """Every one, a page at a time, in no order: for counts, pausing and resuming."""
        for shard in range(keys.SHARDS):
            pk = f"ENROLMENTS#{store_id}#{journey_id}#{shard}"
            for item in self._table.iterate(pk, index=True):
                yield load(Enrolment, item)

    @staticmethod
    def sort_key(enrolment: Enrolment) -> str:
        return f"{rfc3339(enrolment.entered_at)}#{enrolment.id}"

    def item(self, enrolment: Enrolment) -> dict[str, object]:
        key = (keys.contact(enrolment.store_id, enrolment.contact_id), keys.enrolment(enrolment.id))
        if enrolment.withdrawn:
            return dump(enrolment, key)
        listing = keys.listing("ENROLMENTS", enrolment.store_id, enrolment.journey, identifier=enrolment.id)
        return dump(enrolment, key, gsi1pk=listing, gsi1sk=self.sort_key(enrolment))
