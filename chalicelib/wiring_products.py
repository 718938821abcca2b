"""What listens to products and tells of them: parts of `wiring.Wiring`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.commerce.ports import Listener
    from chalicelib.journeys.product_news import ProductNews, TellWatchers
    from chalicelib.messages.shelf_count import CountOrders
    from chalicelib.wiring import Wiring


def product_news(parts: Wiring) -> ProductNews:
    from chalicelib.journeys.product_news import ProductNews

    return ProductNews(parts.journeys, lambda: parts.errands, parts.clock)


def tell_watchers(parts: Wiring) -> TellWatchers:
    from chalicelib.journeys.product_news import TellWatchers

    return TellWatchers(
        parts.products,
        parts.watcher_records,
        parts.contacts,
        parts.timeline,
        parts.journeys,
        lambda: parts.listener,
        parts.clock,
    )


def count_orders(parts: Wiring) -> CountOrders:
    from chalicelib.messages.shelf_count import CountOrders

    return CountOrders(parts.contacts, parts.products, parts.shelves, parts.clock)


def noting_watchers(parts: Wiring, listener: Listener) -> Listener:
    """Before journeys hear of a contact's events it is noted what they say of what the contact watches."""
    from chalicelib.journeys.watchers import NotesWatchers, Watchers

    return NotesWatchers(listener, Watchers(parts.watcher_records, parts.clock))
