"""What more of one thing adds to the units of the same news: live journeys of the store, orders, passes and messages
of the contact. By count.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.commerce.money import Money
from chalicelib.commerce.order import LineItem, Order, OrderStatus
from chalicelib.commerce.snapshot import Version
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.person import Person
from chalicelib.ids import enrolment_id, message_id
from chalicelib.journeys.enrolment import EnrolmentStatus
from chalicelib.journeys.passages import ended
from chalicelib.messages.message import HistoryEntry, Message, MessageKind, MessageStatus
from chalicelib.messages.reports import Report
from local.bench.house import House, open_house, shopper, wait_then_mail
from local.bench.past_length import Contact
from local.bench.purchase import open_shop
from local.demo import play
from local.demo.shop import GREEN

JOURNEYS = (1, 10, 44)
ORDERS = (1, 50)
PASSES = (1, 50)
MESSAGES = (1, 200)


def measure(
    journeys: tuple[int, ...] = JOURNEYS,
    orders: tuple[int, ...] = ORDERS,
    passes: tuple[int, ...] = PASSES,
    messages: tuple[int, ...] = MESSAGES,
) -> dict[str, Any]:
    """Bills by how many there are."""
    with open_house() as house:
        store_id = open_shop(house)
        return {
            "passes": _by_passes(house, store_id, passes),
            "orders": _by_orders(house, store_id, orders),
            "messages": _by_messages(house, store_id, messages),
            "live_journeys": _by_journeys(house, store_id, journeys),
        }


def _by_passes(house: House, store_id: str, numbers: tuple[int, ...]) -> dict[int, Any]:
    """A view of a page, told of somebody whose passes are all over but one."""
    play.activate(house, store_id, "first", wait_then_mail({"days": 300}))
    contact = Contact(house, store_id, 1)
    contact.buys(1001)
    whom, found, made = contact.id, {}, 1
    (pass_,) = house.parts.enrolments.of_contact(store_id, whom)
    contact.tell(whom, "page_viewed")
    for number in numbers:
        for _ in range(made, number):
            made += 1
            name = enrolment_id(whom, store_id, "first", str(made))
            over = ended(pass_, house.now(), EnrolmentStatus.COMPLETED, "completed")
            house.parts.enrolments.create(over.model_copy(update={"id": name, "entry_key": str(made), "rev": 0}))
        found[number] = contact.billed(lambda: contact.tell(whom, "page_viewed"))
    return found


def _by_orders(house: House, store_id: str, numbers: tuple[int, ...]) -> dict[int, Any]:
    """A paid order more, two deliveries as the shop sends them."""
    contact = Contact(house, store_id, 2)
    contact.buys(2001)
    found, made = {}, 1
    for number in numbers:
        for _ in range(made, number):
            made += 1
            house.parts.intake.apply(contact.store, _old(house, contact, 3000 + made), None, house.now())
        house.settle()
        found[number] = contact.billed(lambda: contact.buys(4000 + number))  # noqa: B023 - called at once
        made += 1
    return found


def _by_messages(house: House, store_id: str, numbers: tuple[int, ...]) -> dict[int, Any]:
    """A purchase of somebody who clicked lately: what earned it is looked for among their newest clicks."""
    contact = Contact(house, store_id, 4)
    contact.buys(6001)
    found: dict[int, Any] = {}
    whom, newest = contact.id, ""
    for number in numbers:
        for n in range(max(found, default=0), number):
            made = house.now() - timedelta(days=n % 300, minutes=n + 1)
            sent = HistoryEntry(at=made, status=MessageStatus.SENT)
            message = Message(
                id=message_id(enrolment_id(whom, store_id, "first", str(n)), "mail"),
                store_id=store_id,
                contact_id=whom,
                journey="first",
                step="mail",
                channel=Channel.EMAIL,
                kind=MessageKind.MARKETING,
                to=shopper(4).email,
                subject="רגע אחרי הקנייה",
                status=MessageStatus.SENT,
                created_at=made,
                at=made,
                history=(sent, sent),
            )
            if not house.parts.messages.claim(message):
                raise RuntimeError("there is such a message")
            newest = newest or message.id
        house.parts.reports.take(Report(store_id, newest, MessageStatus.CLICKED, house.now(), contact_id=whom))
        found[number] = contact.billed(lambda: contact.buys(7000 + number))  # noqa: B023 - called at once
    return found


def _by_journeys(house: House, store_id: str, numbers: tuple[int, ...]) -> dict[int, Any]:
    """A view of a page, which begins none of them: the first that a process hears of, and every later one."""
    contact = Contact(house, store_id, 3)
    contact.buys(5001)
    whom, journeys, found, made = contact.id, house.parts.journeys, {}, 1
    head, version = journeys.head(store_id, "first"), journeys.version(store_id, "first", 1)
    assert head is not None and version is not None
    for number in numbers:
        for _ in range(made, number):
            made += 1
            name = f"journey-{made:02}"
            journeys.publish(version.model_copy(update={"journey": name}))
            journeys.save(head.model_copy(update={"id": name, "trigger_type": f"own_{made}", "rev": 0}))
        first = contact.billed(lambda: contact.tell(whom, "page_viewed"))
        found[number] = {"first": first, "later": contact.billed(lambda: contact.tell(whom, "page_viewed"))}
    return found


def _old(house: House, contact: Contact, number: int) -> Order:
    """Of last year: too old to begin a journey."""
    paid = house.now() - timedelta(days=500 - number % 400)
    price = Money(amount=2000, currency=contact.store.currency)
    item = LineItem(product_id=str(GREEN.id), name="Tea", quantity=1, total=price)
    return Order(
        external_id=str(number),
        number=str(number),
        status=OrderStatus.PAID,
        version=Version(modified_at=paid),
        total=price,
        refunded=Money(amount=0, currency=contact.store.currency),
        items=(item,),
        person=Person(email=shopper(contact.number).email),
        placed_at=paid,
        paid_at=paid,
    )
