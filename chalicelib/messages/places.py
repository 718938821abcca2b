"""How Liquid reads what belongs to one block: names that are made of its place, or of the product that it shows."""

from __future__ import annotations


def place_key(place: str) -> str:
    """A place as a name that Liquid can read: `blocks[2].else[0]` is `b2_e0`, `blocks[2].blocks[1]` `b2_b1`."""
    return place.replace("blocks[", "b").replace("else[", "e").replace("].", "_").replace("]", "")


def goods(which: str) -> str:
    """The Liquid path of a product's card: a store id, or `trigger` or `consumable` of the journey's event."""
    return f"goods.{goods_key(which)}"


def goods_key(which: str) -> str:
    return f"p{which.encode('utf-8', 'replace').hex()}"
