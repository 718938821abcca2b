"""Shopify's three privacy topics, configured per app and not per shop (shopify.dev, "Privacy law compliance")."""

from __future__ import annotations

from chalicelib.commerce.store import Store
from chalicelib.store_adapters.base import Change, ErasureAsked, ExportAsked, Unintelligible
from chalicelib.store_adapters.reading import Fields

_MOST_ORDERS = 5000


def data_requested(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    """`customers/data_request`: somebody asks the shop what is kept of them."""
    customer = fields.child("customer")
    asked = ExportAsked(
        request_id=fields.child("data_request").optional_identifier("id"),
        customer_id=customer.optional_identifier("id"),
        email=customer.text("email", 320),
        phone=customer.text("phone", 50),
        orders=_orders(fields, "orders_requested"),
    )
    _names_somebody(asked)
    return [asked]


def customer_redacted(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    """`customers/redact`: somebody is to be forgotten."""
    customer = fields.child("customer")
    asked = ErasureAsked(
        customer_id=customer.optional_identifier("id"),
        email=customer.text("email", 320),
        phone=customer.text("phone", 50),
        orders=_orders(fields, "orders_to_redact"),
    )
    _names_somebody(asked)
    return [asked]


def shop_redacted(fields: Fields, store: Store, body_hash: str) -> list[Change]:
    """`shop/redact`: 48 hours after the app was uninstalled."""
    fields.identifier("shop_id")
    return [ErasureAsked(customer_id=None, email=None, whole_shop=True)]


def _names_somebody(asked: ErasureAsked | ExportAsked) -> None:
    if not (asked.customer_id or asked.email or asked.phone or asked.orders):
        raise Unintelligible("customer: expected an id, an email or a phone")


def _orders(fields: Fields, name: str) -> tuple[str, ...]:
    """A list of bare ids."""
    told = fields.any(name)
    if told is None:
        return ()
    if not isinstance(told, list) or len(told) > _MOST_ORDERS:
        fields.wrong(name, "a list of ids")
    found = (Fields({name: one}).optional_identifier(name) for one in told)
    return tuple(dict.fromkeys(one for one in found if one))
