"""What Shopify asks for a query: points, from a bucket that fills again with time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

MUTATION = 10
LARGEST = 1000  # of one query
_CONNECTION = 2


class Bucket:
    """`available` points now, never above `maximum`; `restore` points come back each second."""

    def __init__(self, now: datetime, maximum: float = 2000, restore: float = 100) -> None:
        self.maximum, self.restore = maximum, restore
        self.available = maximum
        self._seen = now

    def at(self, now: datetime) -> float:
        if now > self._seen:
            gained = (now - self._seen).total_seconds() * self.restore
            self.available = min(self.maximum, self.available + gained)
            self._seen = now
        return self.available

    def status(self) -> dict[str, float]:
        return {
            "maximumAvailable": self.maximum,
            "currentlyAvailable": math.floor(self.available),
            "restoreRate": self.restore,
        }


def requested(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> int:
    """Points of the whole query: one for each object, for a connection as many as its page may hold, 10 for a
    mutation and what it gives back. Shopify's own count is the same or lower (it asks less for large pages)."""
    fragments = {part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)}
    [operation] = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    root = schema.get_root_type(operation.operation)

    def within(chosen: SelectionSetNode, parent: Any) -> int:
        total, dearest = 0, 0
        for part in chosen.selections:
            if isinstance(part, FieldNode):
                total += of_field(part, parent)
                continue
            inner = fragments[part.name.value] if isinstance(part, FragmentSpreadNode) else part
            on = inner.type_condition
            kind = schema.type_map[on.name.value] if on else parent
            cost = within(inner.selection_set, kind)
            if kind is parent:
                total += cost
            else:
                dearest = max(dearest, cost)
        return total + dearest

    def of_field(field: FieldNode, parent: Any) -> int:
        name = field.name.value
        if name.startswith("__"):
            return 0
        named = get_named_type(parent.fields[name].type)
        if is_leaf_type(named) or field.selection_set is None:
            return 0
        if named.name.endswith("UserError"):
            return 0
        if parent is schema.mutation_type:
            return MUTATION + within(field.selection_set, named)
        if not named.name.endswith("Connection"):
            free = named.name == "PageInfo" or parent.name.endswith(("Connection", "Edge"))
            return within(field.selection_set, named) + (0 if free else 1)
        size = max((_number(part.value, variables) for part in field.arguments if part.name.value in _PAGE), default=0)
        node = within(field.selection_set, named)
        return _CONNECTION + size * max(node, 1)

    return max(within(operation.selection_set, root), 1)


_PAGE = ("first", "last")


def _number(value: Any, variables: Mapping[str, Any]) -> int:
    if isinstance(value, VariableNode):
        told = variables.get(value.name.value)
        return told if isinstance(told, int) else 0
    return int(value.value) if hasattr(value, "value") else 0
