"""The Admin API of one fake shop: a query is validated against Shopify's schema and really executed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    execute,
    get_named_type,
    get_nullable_type,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from tests.shopify import cost, discounts, mutations
from tests.shopify.search import BadArgument, connection, number, text
from tests.shopify.shop import FakeShop, Record

_AS_TEXT = ("UnsignedInt64", "BigInt", "Decimal", "Money")
_ROOTS = {  # lists of the shop's records, and the scope that lets one read them
    "orders": "read_orders",
    "customers": "read_customers",
    "products": "read_products",
    "productVariants": "read_products",
    "collections": "read_products",
    "inventoryItems": "read_inventory",
    "locations": "read_locations",
    "abandonedCheckouts": "read_orders",
    "codeDiscountNodes": "read_discounts",
    "discountNodes": "read_discounts",
    "webhookSubscriptions": None,
    "bulkOperations": None,
}
_SCOPES = {
    **{name: scope for name, scope in _ROOTS.items() if scope},
    "order": "read_orders",
    "customer": "read_customers",
    "product": "read_products",
    "productVariant": "read_products",
    "collection": "read_products",
    "inventoryItem": "read_inventory",
    "inventoryLevel": "read_inventory",
    "codeDiscountNode": "read_discounts",
    "discountNode": "read_discounts",
    "codeDiscountNodeByCode": "read_discounts",
}


def answer(
    schema: GraphQLSchema, shop: FakeShop, scopes: list[str], query: str, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """What the Admin API answers, status 200: data, errors, extensions."""
    try:
        document = parse(query)
    except GraphQLError as problem:
        return {"errors": [{**_told(problem), "extensions": {"code": "syntaxError"}}]}
    if problems := validate(schema, document):
        return {"errors": [{**_told(one), "extensions": {"code": _refusal(one.message)}} for one in problems]}
    [operation] = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    values = get_variable_values(schema, operation.variable_definitions or (), dict(variables))
    if isinstance(values, list):
        return {"errors": [{**_told(one), "extensions": {"code": "INVALID_VARIABLE"}} for one in values]}
    coerced = getattr(values, "coerced", values)
    points = cost.requested(schema, document, coerced)
    if points > cost.LARGEST:
        return _too_dear(points)
    if points > shop.bucket.at(shop.clock.now()):
        return _throttled(shop, points)
    told = Execution(schema, shop, scopes).run(document, variables)
    shop.bucket.available -= points
    return {**told, "extensions": _cost(shop, points, points)}


def operation_name(query: str) -> str:
    """ "" for an unnamed one."""
    found = re.search(r"\b(?:query|mutation)\s+([A-Za-z0-9_]+)", query)
    return found[1] if found else ""


_REFUSALS = {
    "Cannot query field": "undefinedField",
    "was not provided": "missingRequiredArguments",
    "Unknown argument": "argumentNotAccepted",
    "must have a selection of subfields": "selectionMismatch",
    "must not have a selection": "selectionMismatch",
    "Variable": "variableMismatch",
}


def _refusal(message: str) -> str:
    """Shopify's code of a fault that the schema shows."""
    return next((code for part, code in _REFUSALS.items() if part in message), "argumentLiteralsIncompatible")


def _told(problem: GraphQLError) -> dict[str, Any]:
    return {key: part for key, part in problem.formatted.items() if key in ("message", "locations", "path")}


def _cost(shop: FakeShop, points: int, actual: int | None) -> dict[str, Any]:
    return {
        "cost": {
            "requestedQueryCost": points,
            "actualQueryCost": actual,
            "throttleStatus": shop.bucket.status(),
        }
    }


def _too_dear(points: int) -> dict[str, Any]:
    message = f"Query cost is {points}, which exceeds the single query max cost limit ({cost.LARGEST})."
    told = {"code": "MAX_COST_EXCEEDED", "cost": points, "maxCost": cost.LARGEST}
    return {"errors": [{"message": message, "extensions": told}]}


def _throttled(shop: FakeShop, points: int) -> dict[str, Any]:
    return {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": _cost(shop, points, None),
    }


class Execution:
    """One run of a document over a shop. `whole`: as a bulk operation, which reads connections without pages."""

    def __init__(self, schema: GraphQLSchema, shop: FakeShop, scopes: list[str], whole: bool = False) -> None:
        self.schema, self.shop, self.scopes, self.whole = schema, shop, scopes, whole
        self._known: dict[str, Record] | None = None
        self._holders: dict[str, Record] = {}

    def run(self, document: DocumentNode, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        done = execute(
            self.schema,
            document,
            variable_values=dict(variables or {}),
            field_resolver=self._field,
            type_resolver=self._kind,
        )
        told: dict[str, Any] = {"data": done.data}  # type: ignore[union-attr]
        if done.errors:  # type: ignore[union-attr]
            told["errors"] = [self._error(one) for one in done.errors]  # type: ignore[union-attr]
        return told

    @staticmethod
    def _error(problem: GraphQLError) -> dict[str, Any]:
        if not problem.extensions:
            code = "BAD_REQUEST" if isinstance(problem.original_error, BadArgument) else "INTERNAL_SERVER_ERROR"
            return {**_told(problem), "extensions": {"code": code}}
        return {**_told(problem), "extensions": problem.extensions}

    def _field(self, source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        name, parent = info.field_name, info.parent_type.name
        own = self.shop.answers.get(f"{parent}.{name}")
        if own is not None:
            return own(arguments if source is None else {**arguments, "of": source})
        if parent == "Mutation":
            return mutations.do(self, name, arguments)
        if parent == "QueryRoot":
            return self._shaped(self._root(name, arguments), info.return_type, arguments)
        if parent.endswith(("Connection", "Edge")) or parent == "PageInfo":
            return source.get(name) if isinstance(source, dict) else None
        return self._shaped(self._value(source, name, info), info.return_type, arguments)

    def _kind(self, value: Any, info: Any, _: Any) -> str:
        if value.get("__typename"):
            return str(value["__typename"])
        found = re.match(r"gid://shopify/([A-Za-z]+)/", str(value.get("id", "")))
        if not found:
            raise GraphQLError(f"the fake shop's record needs a __typename: {sorted(value)}")
        return found[1]

    # --- what a record says -------------------------------------------------------------------------------------

    def _value(self, source: Any, name: str, info: GraphQLResolveInfo) -> Any:
        record = self.record(source)
        if name in record:
            return record[name]
        parent, kind = info.parent_type.name, get_named_type(info.return_type)
        if name == "legacyResourceId":
            return str(number(record))
        if (parent, name) == ("Collection", "products"):
            return [one for one in self.shop.products if _names(one.get("collections"), record["id"])]
        if (parent, name) == ("Product", "collections"):
            return [one for one in self.shop.collections if _names(one.get("products"), record["id"])]
        if (parent, name) == ("Customer", "orders"):
            return [one for one in self.shop.orders if (one.get("customer") or {}).get("id") == record["id"]]
        if parent == "WebhookSubscription":
            return mutations.of_webhook(record, name)
        if kind.name == "CurrencyCode":
            return self.shop.currency
        holder = self._holders.get(str(record.get("id")))
        if holder is not None and f"/{kind.name}/" in holder["id"]:
            return holder
        return None

    def _shaped(self, value: Any, kind: Any, arguments: Mapping[str, Any]) -> Any:
        """A list as a connection, a text as money, nothing as what the schema promises."""
        named, bare = get_named_type(kind), get_nullable_type(kind)
        if named.name.endswith("Connection"):
            return connection(self._items(value), arguments, self.whole)
        if isinstance(value, str | int) and named.name in ("MoneyBag", "MoneyV2"):
            money = {"amount": str(value), "currencyCode": self.shop.currency}
            return money if named.name == "MoneyV2" else {"shopMoney": money, "presentmentMoney": money}
        if isinstance(value, dict) and named.name == "MoneyBag":
            return {"presentmentMoney": value.get("shopMoney"), **value}
        if value is None and isinstance(kind, GraphQLNonNull):
            return self._promised(bare, named)
        if value is not None and isinstance(named, GraphQLScalarType):
            if isinstance(value, list):
                return value
            if named.name in ("DateTime", "Date", *_AS_TEXT):
                return text(value)
        return value

    def _promised(self, bare: Any, named: Any) -> Any:
        if isinstance(bare, GraphQLList):
            return []
        if isinstance(named, GraphQLScalarType):
            values = {"Boolean": False, "Int": 0, "Float": 0.0, "DateTime": text(self.shop.clock.now())}
            return values.get(named.name, "0" if named.name in _AS_TEXT else "")
        if named.name == "MoneyBag":
            return self._shaped("0.0", named, {})
        if named.name == "MoneyV2":
            return {"amount": "0.0", "currencyCode": self.shop.currency}
        if named.name == "Count":
            return {"count": 0, "precision": "EXACT"}
        if isinstance(named, GraphQLEnumType):
            return next(iter(named.values))
        return None

    def _items(self, value: Any) -> list[Any]:
        if isinstance(value, dict):
            value = value["nodes"] if "nodes" in value else [edge["node"] for edge in value.get("edges", [])]
        return [self.record(item) for item in value or []]

    # --- the roots ----------------------------------------------------------------------------------------------

    def _root(self, name: str, arguments: dict[str, Any]) -> Any:
        self._let(name)
        if name in _ROOTS:
            return self._list(name, arguments)
        if name.endswith("Count") and name[:-5] in _ROOTS:
            found = connection(self._list(name[:-5], arguments), {"query": arguments.get("query")}, True)
            count, limit = found["totalCount"], arguments.get("limit") or 10_000
            return {"count": min(count, limit), "precision": "EXACT" if count <= limit else "AT_LEAST"}
        match name:
            case "shop":
                return {**self.shop.info, "currencyCode": self.shop.info["currencyCode"] or self.shop.currency}
            case "currentAppInstallation":
                granted = [{"handle": scope, "description": scope} for scope in self.scopes]
                return {"id": "gid://shopify/AppInstallation/1", "accessScopes": granted}
            case "shopLocales":
                locale = self.shop.info["locale"]
                return [{"locale": locale, "name": locale, "primary": True, "published": True}]
            case "bulkOperation" | "currentBulkOperation":
                return mutations.bulk_operation(self, arguments.get("id"))
            case "codeDiscountNodeByCode":
                return discounts.by_code(self.shop, arguments["code"])
            case "discountNode":
                return next((one for one in discounts.nodes(self.shop) if one["id"] == arguments["id"]), None)
            case "nodes":
                return [self.find(one) for one in arguments["ids"]]
        if "id" in arguments:
            return self.find(arguments["id"])
        raise GraphQLError(f"the fake shop does not know QueryRoot.{name}: answers[...] may say what it gives")

    def _let(self, name: str) -> None:
        scope = _SCOPES.get(name.removesuffix("Count"))
        writes = scope is not None and scope.replace("read_", "write_") in self.scopes
        if scope is None or scope in self.scopes or writes:
            return
        raise denied(name, scope)

    def _list(self, name: str, arguments: Mapping[str, Any]) -> list[Record]:
        shop = self.shop
        match name:
            case "orders":
                if "read_all_orders" in self.scopes:
                    return shop.orders
                since = text(shop.clock.now() - timedelta(days=60))
                return [one for one in shop.orders if text(one.get("createdAt") or shop.clock.now()) >= since]
            case "productVariants":
                return [variant for product in shop.products for variant in self._items(product.get("variants"))]
            case "inventoryItems":
                variants = self._list("productVariants", {})
                return [self.record(one["inventoryItem"]) for one in variants if one.get("inventoryItem")]
            case "abandonedCheckouts":
                return shop.checkouts
            case "codeDiscountNodes" | "discountNodes":
                return discounts.nodes(shop)
            case "webhookSubscriptions":
                return mutations.webhooks(shop, arguments)
            case "bulkOperations":
                return [mutations.bulk_operation(self, one["id"]) or one for one in list(shop.bulks)]
        return list(getattr(shop, name))

    # --- records by their ids -----------------------------------------------------------------------------------

    def find(self, gid: str) -> Record | None:
        if "/BulkOperation/" in gid:
            return mutations.bulk_operation(self, gid)
        return self._index().get(gid)

    def record(self, value: Any) -> Any:
        """A record that is told by nothing but its id, as the one with that id."""
        if isinstance(value, dict) and set(value) <= {"id", "__typename"} and "id" in value:
            return self._index().get(value["id"], value)
        if isinstance(value, dict):
            self._index()
        return value

    def _index(self) -> dict[str, Record]:
        if self._known is None:
            self._known = {}
            shop = self.shop
            tops = (shop.products, shop.collections, shop.customers, shop.orders, shop.checkouts, shop.locations)
            for top in (*tops, shop.webhooks, shop.discounts):
                self._note(top, None)
        return self._known

    def _note(self, value: Any, holder: Record | None) -> None:
        if isinstance(value, list):
            for item in value:
                self._note(item, holder)
        if not isinstance(value, dict):
            return
        gid = value.get("id")
        if isinstance(gid, str) and self._known is not None and len(value) > 1:
            if len(value) > len(self._known.get(gid, ())):
                self._known[gid] = value
            if holder is not None:
                self._holders.setdefault(gid, holder)
            holder = value
        for inner in value.values():
            self._note(inner, holder)


def denied(name: str, scope: str) -> GraphQLError:
    needed = f"`{scope}` access scope."
    told = {"code": "ACCESS_DENIED", "requiredAccess": needed}
    return GraphQLError(f"Access denied for {name} field. Required access: {needed}", extensions=told)


def _names(records: Any, gid: str) -> bool:
    if isinstance(records, dict):
        records = records.get("nodes") or [edge["node"] for edge in records.get("edges", [])]
    return any(one.get("id") == gid for one in records or [])
