"""The one evaluator of conditions, over facts about one contact. Pure, and it never raises.

A comparison with a missing value is false, so is one of unlike types; `is_missing` is a condition of its own.
A form that cannot be answered yet (see `condition_forms.EXECUTABLE`) is false; activation refuses it anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from chalicelib.clock import parse_rfc3339
from chalicelib.commerce.cart import CartRecord
from chalicelib.commerce.money import Money
from chalicelib.commerce.order import Order
from chalicelib.contacts.consent import Channel
from chalicelib.contacts.contact import Contact, PurchaseFact, Share
from chalicelib.contacts.engagement import Engagement
from chalicelib.journeys.condition_forms import (
    CONSUMABLE,
    TRIGGER,
    AllOf,
    AnyOf,
    Bought,
    CartIs,
    CartState,
    Condition,
    FieldIs,
    MessageIs,
    MessageStep,
    Not,
    Operator,
    Ordered,
    OrderIs,
    Purchased,
    Subject,
    located,
    steps_mentioned,
)
from chalicelib.messages.message import Message

__all__ = ["Condition", "Facts", "asks_for_cart", "evaluate", "needs", "steps_mentioned", "subjects_of"]


@dataclass(frozen=True)
class Facts:
    """What a decision may look at.

    `purchases` by subject (`product:12`, `category:7`); load those that `needs` names. `event` is the
    enrolment's (or trigger's) event as {id, type, occurred_at, properties}; `entered_at` None before entry.
    `messages` by the step id that made them; `order` is the event's own, as it stands today; `cart` is that of the
    event, else the contact's newest (load it where `asks_for_cart`); `engagement` where `asks_for_engagement`. `steps`
    is what became of the enrolment's steps (done, failed, skipped, happened, timed_out). `now` is store time (UTC).
    """

    contact: Contact
    now: datetime
    purchases: Mapping[str, PurchaseFact] = field(default_factory=dict)
    event: Mapping[str, Any] | None = None
    entered_at: datetime | None = None
    messages: Mapping[str, Message] = field(default_factory=dict)
    order: Order | None = None
    cart: CartRecord | None = None
    engagement: Engagement | None = None
    steps: Mapping[str, str] = field(default_factory=dict)
    store_zone: str = "UTC"


def evaluate(condition: Condition, facts: Facts) -> bool:
    """Whether the condition holds now."""
    match condition:
        case AllOf():
            return all(evaluate(inner, facts) for inner in condition.conditions)
        case AnyOf():
            return any(evaluate(inner, facts) for inner in condition.conditions)
        case Not():
            return not evaluate(condition.condition, facts)
        case FieldIs():
            return _compare(condition.operator, _value_at(condition.field, facts), condition.value, facts.now)
        case Purchased():
            return _bought(condition.purchased, facts)
        case Ordered():
            placed_at = facts.contact.last_placed_at
            return placed_at is not None and facts.entered_at is not None and placed_at > facts.entered_at
        case MessageIs():
            return _message_is(condition.message, facts)
        case OrderIs():
            return facts.order is not None and facts.order.status == condition.order.state
        case CartIs():
            return _cart_is(condition.cart, facts)
        case _:
            return False


def needs(condition: Condition, event: Mapping[str, Any] | None) -> set[str]:
    """Purchase subjects to load for `Facts.purchases`; `trigger` and `consumable` are resolved through the event."""
    subjects: set[str] = set()
    for _, inner in located(condition, ""):
        if isinstance(inner, Purchased):
            subjects |= _subjects_needed(inner.purchased, event)
    return subjects


def order_asked(condition: Condition, event: Mapping[str, Any] | None) -> str | None:
    """The order to load for `Facts.order`: the event's own, if the condition asks about it."""
    asks = any(isinstance(inner, OrderIs) for _, inner in located(condition, ""))
    return order_in(event) if asks else None


def order_in(event: Mapping[str, Any] | None) -> str | None:
    """The id of the order that an event is about."""
    order = _properties(event).get("order_id")
    return order if isinstance(order, str) else None


def asks_for_cart(condition: Condition) -> bool:
    return any(isinstance(inner, CartIs) for _, inner in located(condition, ""))


def subjects_of(event: Mapping[str, Any] | None, kind: Literal["product", "category"]) -> list[str]:
    """The event's own products or categories as subjects, in the order of its items, each once.

    An event about one product (back in stock) says so in its properties instead of in items.
    """
    properties = _properties(event)
    key = "product_id" if kind == "product" else "categories"
    found = [*_gather(properties.get("items"), [key]), *_gather(properties, [key])]
    return list(dict.fromkeys(f"{kind}:{value}" for value in found if isinstance(value, str) and value))


def _subjects_needed(bought: Bought, event: Mapping[str, Any] | None) -> set[str]:
    if bought.kind is None:
        # The event's own order must be told from a later one, and only the facts of its products know its time.
        return set(subjects_of(event, "product")) if bought.since else set()
    return set(_subjects_asked(bought, event))


def _subjects_asked(asked: Subject, event: Mapping[str, Any] | None) -> list[str]:
    if asked.kind is None or asked.id is None:
        return []
    if asked.id == TRIGGER:
        return subjects_of(event, asked.kind)
    if asked.product == CONSUMABLE:
        return subjects_of({"properties": _properties(event).get("consumable")}, "product")
    return [f"{asked.kind}:{asked.id}"]


# Purchases


def _bought(bought: Bought, facts: Facts) -> bool:
    if bought.kind is None:
        return _bought_anything(bought, facts)
    subjects = _subjects_asked(bought, facts.event)
    return any(_reaches(bought, facts.purchases[subject], facts) for subject in subjects if subject in facts.purchases)


def _reaches(bought: Bought, fact: PurchaseFact, facts: Facts) -> bool:
    shares = [share for order, share in fact.by_order.items() if _in_window(bought, order, share, facts)]
    return (
        len(shares) >= (bought.at_least_orders or 1)
        and sum(share.units for share in shares) >= (bought.at_least_units or 0)
        and sum(share.total for share in shares) >= (bought.at_least_total or 0)
    )


def _in_window(bought: Bought, order: str, share: Share, facts: Facts) -> bool:
    if bought.within_days is not None:
        return share.at > facts.now - timedelta(days=bought.within_days)
    if bought.since is not None:
        return facts.entered_at is not None and share.at > facts.entered_at and order != order_in(facts.event)
    return True


def _bought_anything(bought: Bought, facts: Facts) -> bool:
    """From the contact's totals, which say nothing about units, nor about how many orders fall in a window."""
    contact = facts.contact
    if bought.at_least_units is not None or contact.orders_count < (bought.at_least_orders or 1):
        return False
    if not bought.windowed:
        return contact.total_spent.amount >= (bought.at_least_total or 0)
    if (bought.at_least_orders or 1) > 1 or bought.at_least_total is not None or contact.last_order_at is None:
        return False
    if bought.within_days is not None:
        return contact.last_order_at > facts.now - timedelta(days=bought.within_days)
    if facts.entered_at is None or contact.last_order_at <= facts.entered_at:
        return False
    return contact.last_order_at != _own_order_paid_at(facts)


def _own_order_paid_at(facts: Facts) -> datetime | None:
    own = order_in(facts.event)
    shares = (fact.by_order.get(own) for fact in facts.purchases.values()) if own else ()
    return next((share.at for share in shares if share), None)


# Messages

# What also shows that a message came so far: an opened one was delivered, a bounced one was sent.
_SHOWN_BY: Mapping[str, frozenset[str]] = {
    "sent": frozenset({"sent", "delivered", "bounced", "complained", "opened", "clicked"}),
    "delivered": frozenset({"delivered", "complained", "opened", "clicked"}),
    "opened": frozenset({"opened", "clicked"}),
    "clicked": frozenset({"clicked"}),
    "bounced": frozenset({"bounced"}),
    "failed": frozenset({"failed"}),
    "not_sent": frozenset({"not_sent"}),
}


def _message_is(asked: MessageStep, facts: Facts) -> bool:
    message = facts.messages.get(asked.step)
    if message is None or asked.link is not None:
        return False
    reached = {message.status.value, *(entry.status for entry in message.history)}
    return bool(reached & _SHOWN_BY[asked.state])


# Carts


def _cart_is(asked: CartState, facts: Facts) -> bool:
    """A cart that was bought or emptied still says what was in it when it was last shown."""
    cart = facts.cart
    if cart is None or (asked.state is not None and cart.state.value != asked.state):
        return False
    items = cart.latest.items if cart.latest else ()
    if asked.kind is not None:
        products = {f"product:{one}" for item in items for one in (item.product_id, item.variation_id) if one}
        categories = {f"category:{category}" for item in items for category in item.categories}
        if not (products | categories) & set(_subjects_asked(asked, facts.event)):
            return False
    if asked.at_least_total is None:
        return True
    total = cart.latest.total if cart.latest else None
    if total is None or total.currency != facts.contact.total_spent.currency:
        return False  # what a shopper saw in another currency cannot be set against the store's own
    return total.amount >= asked.at_least_total


# Fields


def _value_at(path: str, facts: Facts) -> Any:
    head, _, rest = path.partition(".")
    if head == "event":
        return _single_or_list(_properties(facts.event), rest.split("."))
    if head == "fields":
        return _plain(facts.contact.fields.get(rest))
    if head == "consent":
        return facts.contact.consent_for(Channel(rest)).status.value
    return _plain(getattr(facts.contact, head))


def _properties(event: Mapping[str, Any] | None) -> Mapping[str, Any]:
    properties = (event or {}).get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _single_or_list(root: Any, keys: list[str]) -> Any:
    """The value at the path; a list of all values where the path leads through a list, or ends in one."""
    node: Any = root
    for position, key in enumerate(keys):
        if isinstance(node, list | tuple):
            return _gather(node, keys[position:])
        if not isinstance(node, Mapping):
            return None
        node = node.get(key)
    return _plain(node)


def _gather(node: Any, keys: list[str]) -> list[Any]:
    if isinstance(node, list | tuple):
        return [value for element in node for value in _gather(element, keys)]
    if not keys:
        return [] if node is None else [_plain(node)]
    return _gather(node.get(keys[0]), keys[1:]) if isinstance(node, Mapping) else []


def _plain(value: Any) -> Any:
    """Money becomes its minor units; an empty text is a missing one."""
    if isinstance(value, Money):
        return value.amount
    if isinstance(value, Mapping) and set(value) == {"amount", "currency"}:
        return value["amount"]
    return None if value == "" else value


def _compare(operator: Operator, actual: Any, wanted: Any, now: datetime) -> bool:
    if operator is Operator.IS_MISSING:
        return _missing(actual)
    if operator is Operator.IS_SET:
        return not _missing(actual)
    if actual is None or wanted is None or wanted == "":
        return False
    return _COMPARISONS[operator](actual, wanted, now)


def _missing(actual: Any) -> bool:
    return actual is None or (isinstance(actual, list | tuple) and not actual)


def _same(actual: Any, wanted: Any) -> bool:
    return _alike(actual, wanted) and bool(actual == wanted)


def _alike(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, bool) or isinstance(wanted, bool):
        return isinstance(actual, bool) and isinstance(wanted, bool)
    if isinstance(actual, str) or isinstance(wanted, str):
        return isinstance(actual, str) and isinstance(wanted, str)
    return _is_number(actual) and _is_number(wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _contains(actual: Any, wanted: Any) -> bool | None:
    """None where the two cannot be compared."""
    if isinstance(actual, list | tuple):
        return any(_same(element, wanted) for element in actual)
    if isinstance(actual, str) and isinstance(wanted, str):
        return wanted.casefold() in actual.casefold()
    return None


def _one_of(actual: Any, wanted: Any) -> bool:
    present: Iterable[Any] = actual if isinstance(actual, list | tuple) else (actual,)
    return any(_same(element, choice) for element in present for choice in wanted)


def _moment(value: Any) -> datetime | None:
    """A time from a record or a text; a bare date is its midnight, UTC."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value
    if not isinstance(value, str):
        return None
    try:
        return parse_rfc3339(f"{value}T00:00:00Z" if len(value) == 10 else value)
    except ValueError:
        return None


def _numbers(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any, datetime], bool]:
    def compared(actual: Any, wanted: Any, now: datetime) -> bool:
        return _is_number(actual) and _is_number(wanted) and compare(actual, wanted)

    return compared


def _times(compare: Callable[[datetime, datetime], bool]) -> Callable[[Any, Any, datetime], bool]:
    def compared(actual: Any, wanted: Any, now: datetime) -> bool:
        first, second = _moment(actual), _moment(wanted)
        return first is not None and second is not None and compare(first, second)

    return compared


def _within_last_days(actual: Any, wanted: Any, now: datetime) -> bool:
    moment = _moment(actual)
    return moment is not None and moment <= now and (now - moment).total_seconds() <= wanted * 86_400


_COMPARISONS: Mapping[Operator, Callable[[Any, Any, datetime], bool]] = {
    Operator.EQUALS: lambda actual, wanted, now: _same(actual, wanted),
    Operator.NOT_EQUALS: lambda actual, wanted, now: _alike(actual, wanted) and actual != wanted,
    Operator.CONTAINS: lambda actual, wanted, now: _contains(actual, wanted) is True,
    Operator.NOT_CONTAINS: lambda actual, wanted, now: _contains(actual, wanted) is False,
    Operator.STARTS_WITH: lambda actual, wanted, now: (
        isinstance(actual, str) and isinstance(wanted, str) and actual.casefold().startswith(wanted.casefold())
    ),
    Operator.ONE_OF: lambda actual, wanted, now: _one_of(actual, wanted),
    Operator.GREATER: _numbers(lambda actual, wanted: actual > wanted),
    Operator.AT_LEAST: _numbers(lambda actual, wanted: actual >= wanted),
    Operator.LESS: _numbers(lambda actual, wanted: actual < wanted),
    Operator.AT_MOST: _numbers(lambda actual, wanted: actual <= wanted),
    Operator.BEFORE: _times(lambda actual, wanted: actual < wanted),
    Operator.AFTER: _times(lambda actual, wanted: actual > wanted),
    Operator.WITHIN_LAST_DAYS: _within_last_days,
}
