"""Every key of the one table, in one place. docs/data-model.md explains each access pattern."""

from __future__ import annotations

import zlib

SHARDS = 8
INDEX = "listing"  # the one global secondary index: gsi1pk (hash), gsi1sk (range), all attributes


def store(store_id: str) -> tuple[str, str]:
    return f"STORE#{store_id}", "STORE"


def shop(domain: str) -> tuple[str, str]:
    """Pointer from a shop's own domain to its store; a shop is one store."""
    return f"SHOP#{domain}", "SHOP"


def gateway(store_id: str, channel: str) -> tuple[str, str]:
    """The store's own provider of a channel."""
    return f"STORE#{store_id}", f"GATEWAY#{channel}"


def journey(store_id: str, journey_id: str) -> tuple[str, str]:
    return f"STORE#{store_id}", f"J#{journey_id}"


def journey_draft(store_id: str, journey_id: str) -> tuple[str, str]:
    return f"JOURNEY#{store_id}#{journey_id}", "DRAFT"


def journey_version(store_id: str, journey_id: str, version: int) -> tuple[str, str]:
    return f"JOURNEY#{store_id}#{journey_id}", f"V#{version:06d}"


def message_template(store_id: str, template_id: str) -> tuple[str, str]:
    return f"STORE#{store_id}", f"E#{template_id}"


def message_template_version(store_id: str, template_id: str, version: int) -> tuple[str, str]:
    return f"TEMPLATE#{store_id}#{template_id}", f"V#{version:06d}"


def token(token_hash: str) -> tuple[str, str]:
    return f"TOKEN#{token_hash}", "TOKEN"


def connection_code(code_hash: str) -> tuple[str, str]:
    return f"CODE#{code_hash}", "CODE"


def key_handover(handover_hash: str) -> tuple[str, str]:
    return f"HANDOVER#{handover_hash}", "HANDOVER"


def shopify_state(state_hash: str) -> tuple[str, str]:
    return f"SHOPIFY#{state_hash}", "STATE"


def shopify_link(link_hash: str) -> tuple[str, str]:
    """An install link that was opened."""
    return f"SHOPIFY#{link_hash}", "LINK"


def contact(store_id: str, contact_id: str) -> str:
    """The contact's partition: PROFILE, F#… facts, O#… orders, K#… carts, N#… enrolments, M#… messages,
    G#… what journeys gather, T#… timeline, D#… raw deliveries, X#… kept exports, Y#… entries of the index of days,
    W#… what it watches."""
    return f"C#{store_id}#{contact_id}"


PROFILE = "PROFILE"
PURCHASES = "F#PURCHASES"
ENGAGEMENT = "F#ENGAGEMENT"
RECENT = "F#RECENT"


DAYS = "Y#"


def day_entry(name: str) -> str:
    """An entry of `contacts.day_index`, in its contact's partition."""
    return f"{DAYS}{name}"


def contact_order(paid_at: str, external_id: str) -> str:
    return f"O#{paid_at}#{external_id}"


def enrolment(enrolment_id: str) -> str:
    return f"N#{enrolment_id.split('-', 1)[1]}"


def gathering(journey_id: str) -> str:
    return f"G#{journey_id}"


def message(message_id: str) -> str:
    return f"M#{message_id.split('-', 1)[1]}"


def timeline(occurred_at: str, event_id: str) -> str:
    return f"T#{occurred_at}#{event_id}"


def told_delivery(delivery_id: str) -> str:
    """The pointer to a raw delivery, in the partition of the contact (of an order that is nobody's) that it told of."""
    return f"D#{delivery_id}"


EXPORTS = "X#"


def kept_export(request_id: str) -> str:
    """The pointer to an export, in the partition of each contact or order that is in it."""
    return f"{EXPORTS}{request_id}"


WATCHED = "W#"


def watched(subject: str, contact_id: str) -> str:
    """The contact's note of an entry among the watchers of `subject`; under which id, for a merge carries it along."""
    return f"{WATCHED}{subject}#{contact_id}"


def watcher(store_id: str, subject: str, contact_id: str) -> tuple[str, str]:
    return f"WATCH#{store_id}#{subject}#{shard_of(contact_id)}", contact_id


def privacy_request(store_id: str, request_id: str) -> tuple[str, str]:
    return f"PRIVACY#{store_id}#{request_id}", "PRIVACY"


def identity(store_id: str, kind: str, value: str) -> tuple[str, str]:
    """Pointer from an identity (`email`, `phone`, `customer`) to its contact; makes it unique."""
    return f"ID#{store_id}#{kind}#{value}", "ID"


def order(store_id: str, external_id: str) -> tuple[str, str]:
    return f"ORDER#{store_id}#{external_id}", "ORDER"


def cart(store_id: str, token: str) -> tuple[str, str]:
    return f"CART#{store_id}#{token}", "CART"


def contact_cart(token: str) -> str:
    """The pointer to a cart in its contact's partition."""
    return f"K#{token}"


def coupon(store_id: str, code: str) -> tuple[str, str]:
    """Whose a code is; small and capital letters are one."""
    return f"COUPON#{store_id}#{code.upper()}", "COUPON"


def attribution(store_id: str, order_id: str) -> tuple[str, str]:
    return f"ATTRIBUTION#{store_id}#{order_id}", "ATTRIBUTION"


def followed(code: str) -> tuple[str, str]:
    """Where a message's links lead, and who was seen following them."""
    return f"LINKS#{code}", "LINKS"


def product(store_id: str, external_id: str) -> tuple[str, str]:
    return f"PRODUCT#{store_id}#{external_id}", "PRODUCT"


def stock_item(store_id: str, item_id: str) -> tuple[str, str]:
    """Pointer from what a store counts to its products, and the levels told of it."""
    return f"STOCK#{store_id}#{item_id}", "STOCK"


def collection(store_id: str, collection_id: str) -> tuple[str, str]:
    return f"COLLECTION#{store_id}#{collection_id}", "COLLECTION"


def shelf(store_id: str, of: str) -> tuple[str, str]:
    """What a shop, a category of it or a product puts forward (`commerce.shelves`)."""
    return f"SHELF#{store_id}#{of}", "SHELF"


def awaited(store_id: str, product_id: str) -> str:
    """The partition of the orders that were told before this product was known."""
    return f"AWAITED#{store_id}#{product_id}"


def delivery(store_id: str, delivery_id: str) -> tuple[str, str]:
    return f"DELIVERY#{store_id}#{delivery_id}", "DELIVERY"


def repeat(store_id: str, repeat_key: str) -> tuple[str, str]:
    """The claim of the first delivery with this content."""
    return f"REPEAT#{store_id}#{repeat_key}", "REPEAT"


def event_seen(store_id: str, event_id: str) -> tuple[str, str]:
    return f"EVENT#{store_id}#{event_id}", "EVENT"


def sync(store_id: str) -> tuple[str, str]:
    """How far the pull of a store's history is; beside it, who is looked at when it is over."""
    return f"SYNC#{store_id}", "SYNC"


def errand(store_id: str, errand_id: str) -> tuple[str, str]:
    return f"ERRANDS#{store_id}#{shard_of(errand_id)}", errand_id


def calendar(store_id: str) -> tuple[str, str]:
    """Which days each journey of the calendar has done."""
    return f"CALENDAR#{store_id}", "CALENDAR"


def noted_contact(contact_id: str) -> str:
    return f"W#{contact_id}"


def nobodys(store_id: str, identifier: str) -> str:
    """The listing of carts and orders that are nobody's and may yet name somebody: no contact leads to them."""
    return listing("NOBODYS", store_id, identifier=identifier)


def turns(queue: str) -> tuple[str, str]:
    """The queue of a channel's account."""
    return f"TURNS#{queue}", "TURNS"


def shard_of(identifier: str) -> int:
    return zlib.crc32(identifier.encode()) % SHARDS


def listing(*scope: str, identifier: str) -> str:
    """The sharded index key of a store-wide listing, e.g. `listing("CONTACTS", store_id, identifier=id)`."""
    return "#".join((*scope, str(shard_of(identifier))))


def erased(store_id: str, hashed: str) -> tuple[str, str]:
    """That a person asked to be forgotten; the identity itself is only a hash."""
    return f"ERASED#{store_id}#{hashed}", "ERASED"


def suppression(store_id: str, hashed: str) -> tuple[str, str]:
    """That a channel's address is not written to; the address itself is only a hash."""
    return f"SUPPRESSED#{store_id}#{hashed}", "SUPPRESSED"
