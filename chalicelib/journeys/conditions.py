"""The one evaluator of conditions, over facts about one contact. Pure, and it never raises.

A comparison with a missing value is false, so is one of unlike types; `is_missing` is a condition of its own.
What it is answered by is read first: `needs`, `order_asked`, `asks_for_cart`, `asks_for_engagement`, … say what.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from chalicelib.contacts.consent import Channel
from chalicelib.journeys.condition_chance import is_drawn, is_moment
from chalicelib.journeys.condition_compare import compare, plain, single_or_list
from chalicelib.journeys.condition_engagement import by_categories, by_engagement, engaged_so
from chalicelib.journeys.condition_facts import Facts, order_in, properties_of, subjects_named, subjects_of
from chalicelib.journeys.condition_forms import (
    AllOf,
    AnyOf,
    BenefitIs,
    CartIs,
    CartState,
    ClockIs,
    Condition,
    FieldIs,
    LastBenefit,
    MessageIs,
    MessageStep,
    Not,
    Ordered,
    OrderIs,
    Purchased,
    RandomIs,
    StepIs,
    located,
    steps_mentioned,
)
from chalicelib.journeys.condition_purchases import bought_so, subjects_needed

__all__ = ["Condition", "Facts", "asks_for_cart", "evaluate", "needs", "order_in", "steps_mentioned", "subjects_of"]


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
            return compare(condition.operator, _value_at(condition.field, facts), condition.value, facts.now)
        case Purchased():
            return bought_so(condition.purchased, facts)
        case Ordered():
            placed_at = facts.contact.last_placed_at
            return placed_at is not None and facts.entered_at is not None and placed_at > facts.entered_at
        case MessageIs():
            return _message_is(condition.message, facts)
        case OrderIs():
            return facts.order is not None and facts.order.status == condition.order.state
        case CartIs():
            return _cart_is(condition.cart, facts)
        case StepIs():
            return facts.steps.get(condition.step.step) == condition.step.state
        case BenefitIs():
            return _benefit_is(condition.benefit, facts)
        case ClockIs():
            return is_moment(condition.clock, facts)
        case RandomIs():
            return is_drawn(condition.random, facts.contact.id)
        case _:
            return engaged_so(condition, facts)


def needs(condition: Condition, event: Mapping[str, Any] | None) -> set[str]:
    """Purchase subjects to load for `Facts.purchases`; `trigger` and `consumable` are resolved through the event."""
    subjects: set[str] = set()
    for _, inner in located(condition, ""):
        if isinstance(inner, Purchased):
            subjects |= subjects_needed(inner.purchased, event)
    return subjects


def order_asked(condition: Condition, event: Mapping[str, Any] | None) -> str | None:
    """The order to load for `Facts.order`: the event's own, if the condition asks about it."""
    asks = any(isinstance(inner, OrderIs) for _, inner in located(condition, ""))
    return order_in(event) if asks else None


def asks_for_engagement(condition: Condition) -> bool:
    return any(by_engagement(inner) for _, inner in located(condition, ""))


def asks_for_categories(condition: Condition) -> bool:
    """Of what was viewed or wished for, as the catalogue has them."""
    return any(by_categories(inner) for _, inner in located(condition, ""))


def asks_for_store(condition: Condition) -> bool:
    """Its clock."""
    return any(isinstance(inner, ClockIs) for _, inner in located(condition, ""))


def asks_for_cart(condition: Condition) -> bool:
    return any(isinstance(inner, CartIs) for _, inner in located(condition, ""))


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
    if message is None:
        return False
    if asked.link is not None:
        clicks = [entry.detail for entry in message.history if entry.status == "clicked"]
        return asked.state == "clicked" and any(_leads_to(clicked, asked.link) for clicked in clicks if clicked)
    reached = {message.status.value, *(entry.status for entry in message.history)}
    return bool(reached & _SHOWN_BY[asked.state])


def _leads_to(clicked: str, link: str) -> bool:
    """The very link; or, where the asked one has no query, the same page or one below it."""
    if clicked == link:
        return True
    page, below = clicked.partition("#")[0].partition("?")[0].rstrip("/"), link.rstrip("/")
    return page == below or page.startswith(f"{below}/")


# Benefits


def _benefit_is(asked: LastBenefit, facts: Facts) -> bool:
    """Who never had one had none in any number of days; whether it was used needs one."""
    last = facts.contact.last_benefit
    if asked.none_within_days is not None:
        if last is not None and last.at > facts.now - timedelta(days=asked.none_within_days):
            return False
        if asked.used is None:
            return True
    return last is not None and (asked.used is None or (last.used_at is not None) is asked.used)


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
        if not (products | categories) & set(subjects_named(asked, facts.event)):
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
        return single_or_list(properties_of(facts.event), rest.split("."))
    if head == "fields":
        return plain(facts.contact.fields.get(rest))
    if head == "consent":
        return facts.contact.consent_for(Channel(rest)).status.value
    return plain(getattr(facts.contact, head))
