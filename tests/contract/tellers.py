"""Who tells the story of `store_story` as a platform would: in its own deliveries, and the plugin's calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from chalicelib.commerce.store import Platform
from local.demo import shopify, shopify_catalogue, shopify_orders, woocommerce
from local.demo.carts import Cart
from local.demo.shop import Ware
from local.demo.shopify_orders import GivenBack
from tests.any_order import Told
from tests.contract import store_story as script
from tests.contract.store_story import (
    AccountTold,
    AtCheckout,
    ChoiceTold,
    GoodsGone,
    GoodsTold,
    Happening,
    OrderGone,
    OrderTold,
)
from tests.recorded import SECRET

PICTURES = "https://tea.example/pictures"


class Teller(Protocol):
    """One platform. `renamed`: what it calls by ids of its own, in the words of the story."""

    platform: Platform
    renamed: Mapping[str, str]

    def tell(self, happening: Happening) -> list[Told]: ...


class WooCommerceTeller:
    platform = Platform.WOOCOMMERCE
    renamed: Mapping[str, str] = {}

    def tell(self, happening: Happening) -> list[Told]:
        match happening:
            case GoodsTold():
                return [self._sent("product.updated", body, happening.at) for body in self._goods(happening)]
            case GoodsGone():
                return [self._sent("product.deleted", {"id": happening.goods[0].id}, happening.at)]
            case AtCheckout():
                return [self._cart(happening)]
            case OrderTold():
                topic = "order.created" if happening.state == "pending" else "order.updated"
                return [self._sent(topic, self._order(happening), happening.at)]
            case OrderGone():
                return [self._sent("order.deleted", {"id": happening.sale.number}, happening.at)]
            case AccountTold():
                choice = happening.choice
                account = woocommerce.CustomerAccount(
                    happening.who, happening.since, meta=[_chosen(*choice)] if choice else []
                )
                return [self._sent("customer.created", account.told(happening.at), happening.at)]
            case ChoiceTold():
                meta = [_chosen(happening.status, happening.at)]
                account = woocommerce.CustomerAccount(happening.who, happening.since, meta=meta)
                return [self._sent("customer.updated", account.told(happening.at), happening.at)]
        raise AssertionError(f"{type(happening).__name__} has no telling on {self.platform}")

    def _sent(self, topic: str, body: Any, at: datetime) -> Told:
        made = woocommerce.delivery(SECRET, topic, body, at)
        return made.headers, made.body

    def _goods(self, told: GoodsTold) -> list[dict[str, Any]]:
        """A product with choices is told by itself, and each choice after it."""
        first = told.goods[0]
        bodies = [woocommerce.product_told(first, told.at, PICTURES)]
        if first.choice:
            price = f"{min(ware.price for ware in told.goods) / 100:.2f}"
            choices = [ware.variation_id for ware in told.goods]
            bodies[0] |= {"type": "variable", "sku": "", "price": price, "regular_price": "", "variations": choices}
            bodies += [self._variation(ware, told.at) for ware in told.goods]
        for body in bodies:
            body |= {"date_created": None, "date_created_gmt": f"{told.since:%Y-%m-%dT%H:%M:%S}"}
            if told.stock is not None:
                there = "instock" if told.stock else "outofstock"
                body |= {"manage_stock": True, "stock_quantity": told.stock, "stock_status": there}
        return bodies

    def _variation(self, ware: Ware, at: datetime) -> dict[str, Any]:
        """Without categories and pictures of its own, as recorded ones are."""
        own = {
            "id": ware.variation_id,
            "parent_id": ware.id,
            "type": "variation",
            "name": ware.title,
            "sku": f"TEA-{ware.variation_id}",
            "categories": [],
            "images": [],
        }
        return {**woocommerce.product_told(ware, at, PICTURES), **own}

    def _cart(self, told: AtCheckout) -> Told:
        """What is typed first: the address, perhaps the phone; the name comes with the order."""
        cart = Cart(
            told.token,
            told.who,
            told.wares,
            PICTURES,
            email=told.who.email,
            phone=told.who.phone if told.phone else None,
            consent=(("email", "sms") if told.phone else ("email",)) if told.agreed else (),
        )
        call = cart.call("checkout", told.at, known=told.known)
        body = {**json.loads(call.body), "first_name": None, "locale": script.SHOP["locale"]}
        for choice in (body.get("consent") or {}).values():
            choice["at"] = f"{_begun(told):%Y-%m-%dT%H:%M:%SZ}"  # Shopify dates a ticked box by its checkout
        for line, (ware, _) in zip(body["items"], told.wares, strict=True):
            line |= {"variation_id": ware.variation_id, "name": ware.title}
        return {"X-Agala-Signature": "-"}, json.dumps(body).encode()

    def _order(self, told: OrderTold) -> dict[str, Any]:
        sale = told.sale
        order = woocommerce.Purchase(
            sale.number,
            sale.who,
            sale.wares,
            sale.placed,
            "subscribed" if sale.agreed else None,
            guest=sale.guest,
            cart_token=sale.cart,
        )
        status = {"paid": "processing"}.get(told.state, told.state)
        body = order.told(
            status,
            told.at,
            paid=None if told.state == "pending" else sale.placed,
            completed=told.completed,
            pictures=PICTURES,
        )
        refunds = [{"id": number, "reason": "", "total": f"-{amount / 100:.2f}"} for number, amount, _ in told.refunds]
        return {**body, "number": f"#{sale.number}", "refunds": refunds}


def _begun(told: AtCheckout) -> datetime:
    return min(one.at for one in script.write() if isinstance(one, AtCheckout) and one.token == told.token)


def _chosen(status: str, at: datetime) -> dict[str, Any]:
    answer = {"status": status, "text": "אשמח לקבל עדכונים", "at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    return {"id": 1, "key": "_agala_consent", "value": {"email": answer}}


@dataclass
class ShopifyTeller:
    """Tells of every buyer as a customer, as Shopify does: one who has no account is `disabled`."""

    platform: Platform = Platform.SHOPIFY
    renamed: Mapping[str, str] = field(
        default_factory=lambda: {f"type:{name}": number for number, name in (w.category for w in _ALL)}
    )
    shop: shopify.Shop = field(
        default_factory=lambda: shopify.Shop(
            9_007_199_254_741_001,
            "tea.myshopify.com",
            str(script.SHOP["url"]),
            SECRET,
            "ILS",
            "IL",
            "he",
            "חיפה",
            2,
            PICTURES,
        )
    )

    def tell(self, happening: Happening) -> list[Told]:
        match happening:
            case GoodsTold():
                ids = [shopify_catalogue.variant_id(ware) for ware in happening.goods]
                stock = {} if happening.stock is None else dict.fromkeys(ids, happening.stock)
                since = self.shop.time(happening.since)
                body = shopify_catalogue.product_told(
                    self.shop, happening.goods, happening.at, stock=stock, published_at=since, created_at=since
                )
                return [self._sent("products/update", body, happening.at)]
            case GoodsGone():
                return [self._sent("products/delete", {"id": happening.goods[0].id}, happening.at)]
            case AtCheckout():
                return [self._checkout(happening)]
            case OrderTold():
                return self._order(happening)
            case OrderGone():
                return [self._sent("orders/delete", {"id": happening.sale.number}, happening.at)]
            case AccountTold():
                bought = [sale for sale in _sales() if sale.guest and sale.who == happening.who]
                since = min((sale.placed for sale in bought), default=happening.since)
                account = shopify.CustomerAccount(
                    self.shop,
                    happening.who,
                    since,
                    state="disabled" if bought else "enabled",
                    email_consent=happening.choice,
                )
                topic = "customers/update" if bought else "customers/create"
                return [self._sent(topic, account.told(happening.at), happening.at)]
            case ChoiceTold():
                return self._choice(happening)
        raise AssertionError(f"{type(happening).__name__} has no telling on {self.platform}")

    def _sent(self, topic: str, body: Any, at: datetime) -> Told:
        made = self.shop.delivery(topic, body, at)
        return made.headers, made.body

    def _checkout(self, told: AtCheckout) -> Told:
        checkout = shopify_orders.Checkout(
            self.shop,
            int(told.token[:6], 16),
            told.token,
            told.who,
            told.wares,
            _begun(told),
            phone=told.who.phone if told.phone else None,
            accepts_email=told.agreed,
            accepts_sms=told.agreed and told.phone,
        )
        topic = "checkouts/create" if told.at == checkout.begun else "checkouts/update"
        return self._sent(topic, checkout.told(told.at, known=told.known, addressed=False), told.at)

    def _order(self, told: OrderTold) -> list[Told]:
        sale = told.sale
        order = shopify_orders.Purchase(
            self.shop,
            sale.number,
            f"#{sale.number}",
            sale.who,
            sale.wares,
            sale.placed,
            checkout=sale.cart,
            accepts_email=sale.agreed,
            account="disabled" if sale.guest else "enabled",
        )
        back = sum(amount for _, amount, _ in told.refunds)
        financial = {"completed": "paid", "cancelled": "paid"}.get(told.state, told.state)
        body = order.told(
            "partially_refunded" if 0 < back < sale.total else financial,
            told.at,
            sent=told.completed,
            cancelled=told.at if told.state == "cancelled" else None,
            refunds=tuple(GivenBack(*one) for one in told.refunds),
        )
        topics = {"pending": "orders/create", "paid": "orders/paid", "completed": "orders/fulfilled"}
        tellings = [self._sent(topics.get(told.state, "orders/updated"), body, told.at)]
        if told.refunds:
            tellings.append(self._sent("refunds/create", body["refunds"][-1], told.at))
        if sale.guest and told.state == "pending":
            buyer = shopify.CustomerAccount(self.shop, sale.who, sale.placed, state="disabled")
            tellings.append(self._sent("customers/create", buyer.told(sale.placed), told.at))
        return tellings

    def _choice(self, told: ChoiceTold) -> list[Told]:
        """Shopify tells the choice by itself, and the customer with it."""
        state = "disabled"
        first = min((sale.placed for sale in _sales() if sale.who == told.who), default=told.since)
        account = shopify.CustomerAccount(
            self.shop, told.who, first, state=state, email_consent=(told.status, told.at)
        ).told(told.at)
        alone = shopify.email_consent_told(self.shop, told.who, told.status, told.at)
        return [
            self._sent("customers_email_marketing_consent/update", alone, told.at),
            self._sent("customers/update", account, told.at),
        ]


def _sales() -> list[script.Sale]:
    return [one.sale for one in script.write() if isinstance(one, OrderTold)]


_ALL = [ware for one in script.write() if isinstance(one, GoodsTold) for ware in one.goods]
TELLERS: tuple[Teller, ...] = (WooCommerceTeller(), ShopifyTeller())
