"""Which way of a split a contact goes: by chance, but the same way every time, in every version of the journey."""

from __future__ import annotations

from chalicelib.ids import bucket, contact_of
from chalicelib.journeys.actions import Split
from chalicelib.journeys.enrolment import Enrolment


def way_of(split: Split, enrolment: Enrolment) -> str:
    """The name of its way. By the contact that entered: a merge on the way moves nobody to another way."""
    return drawn(split, enrolment.journey, contact_of(enrolment.id))


def drawn(split: Split, journey_id: str, contact_id: str) -> str:
    """A point of the weights laid end to end, from a hash: as long as names, order and weights stay, so does it."""
    point = bucket(sum(way.weight for way in split.ways), "split", journey_id, split.id, contact_id)
    for way in split.ways:
        point -= way.weight
        if point < 0:
            return way.name
    raise AssertionError("a point lies before the end of the weights")
