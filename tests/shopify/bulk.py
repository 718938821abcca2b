"""Bulk operations: what Shopify accepts as a bulk query, and the JSONL it makes of the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
)

MOST_CONNECTIONS = 5
DEEPEST = 2  # connections around one

Path = tuple[str, ...]


def faults(schema: GraphQLSchema, document: DocumentNode) -> list[str]:
    """Why Shopify would refuse the (valid) document as a bulk query, in its words; empty if it takes it."""
    found = _Connections(schema, document)
    told = [
        f"Bulk queries cannot contain a top level `{name}` field." for name in ("node", "nodes") if name in found.root
    ]
    told += found.faults
    if not found.paths:
        told.append("Bulk queries must contain at least one connection.")
    if len(found.paths) > MOST_CONNECTIONS:
        told.append(f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections.")
    if found.depth > DEEPEST:
        told.append(f"Bulk queries cannot contain connections with a nesting depth greater than {DEEPEST}.")
    return told


def lines(schema: GraphQLSchema, document: DocumentNode, data: dict[str, Any]) -> list[bytes]:
    """Each node of a connection is a line of its own; a nested one names its parent's id and follows the parent."""
    connections = _Connections(schema, document).paths
    return [json.dumps(node, separators=(",", ":")).encode() + b"\n" for node in _nodes(data, (), connections, None)]


def _nodes(value: Any, path: Path, connections: set[Path], parent: str | None) -> Iterator[dict[str, Any]]:
    """The lines within an object."""
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        place = (*path, key)
        if place not in connections:
            yield from _nodes(inner, place, connections, parent)
            continue
        within = (*place, "edges", "node")
        for node in [edge["node"] for edge in inner["edges"]]:
            line = {name: part for name, part in node.items() if (*within, name) not in connections}
            yield line if parent is None else {**line, "__parentId": parent}
            yield from _nodes(node, within, connections, node.get("id"))


class _Connections:
    """The places of a document's connections, by the names of their answers."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.paths: set[Path] = set()
        self.faults: list[str] = []
        self.depth = 0
        self._by_nodes: list[str] = []
        self._fragments = {
            part.name.value: part for part in document.definitions if isinstance(part, FragmentDefinitionNode)
        }
        self._schema = schema
        [operation] = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
        if operation.operation.value != "query":
            self.faults.append("Invalid operation type. Only `query` operations are supported.")
        if operation.variable_definitions:
            self.faults.append("Invalid bulk query: variables are not supported.")
        fields = list(self._fields(operation.selection_set, schema.query_type))
        self.root = {field.name.value for _, field in fields}
        self._walk(operation.selection_set, schema.query_type, (), 0, False)
        if self._by_nodes:
            names = ", ".join(f"'{name}'" for name in self._by_nodes)
            self.faults.append(
                "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: "
                "'products { edges { node {'. Selecting via 'nodes' is not supported. "
                f"Invalid connection fields: {names}."
            )

    def _fields(self, chosen: SelectionSetNode, parent: Any) -> Iterator[tuple[Any, FieldNode]]:
        for part in chosen.selections:
            if isinstance(part, FieldNode):
                yield parent, part
                continue
            inner = self._fragments[part.name.value] if isinstance(part, FragmentSpreadNode) else part
            on = inner.type_condition
            yield from self._fields(inner.selection_set, self._schema.type_map[on.name.value] if on else parent)

    def _walk(self, chosen: SelectionSetNode, within: Any, path: Path, depth: int, in_list: bool) -> None:
        for parent, field in self._fields(chosen, within):
            if field.name.value.startswith("__") or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
                continue
            kind = parent.fields[field.name.value].type
            named = get_named_type(kind)
            place = (*path, field.alias.value if field.alias else field.name.value)
            is_list = isinstance(get_nullable_type(kind), GraphQLList)
            deeper, inside = depth, in_list
            if named.name.endswith("Connection"):
                self._connection(field, named, place, depth, in_list)
                deeper, inside = depth + 1, False
            elif is_list and not parent.name.endswith("Connection"):
                inside = True
            if field.selection_set:
                self._walk(field.selection_set, named, place, deeper, inside)

    def _connection(self, field: FieldNode, kind: GraphQLObjectType, place: Path, depth: int, in_list: bool) -> None:
        self.paths.add(place)
        self.depth = max(self.depth, depth)
        name = field.name.value
        if in_list:
            self.faults.append(
                "Queries that contain a connection field within a list field are not currently supported."
            )
        assert field.selection_set
        chosen = {part.name.value: part for _, part in self._fields(field.selection_set, kind)}
        if "edges" not in chosen:
            self._by_nodes.append(name)
            return
        edges = chosen["edges"].selection_set
        assert edges
        edge = get_named_type(kind.fields["edges"].type)
        inner = next((part for _, part in self._fields(edges, edge) if part.name.value == "node"), None)
        if inner is None or inner.selection_set is None:
            return
        node = get_named_type(edge.fields["node"].type)
        parts = [part for _, part in self._fields(inner.selection_set, node)]
        has_id = any(part.name.value == "id" and part.alias is None for part in parts)
        nests = any(self._nests(part, node) for part in parts)
        if nests and not has_id:
            self.faults.append(
                "The parent 'node' field for a nested connection must select the 'id' field without an alias and must "
                f"be of 'ID' return type. Connection fields without 'id': {name}."
            )

    def _nests(self, field: FieldNode, parent: Any) -> bool:
        if field.selection_set is None or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return False
        if field.name.value not in parent.fields:
            return False
        named = get_named_type(parent.fields[field.name.value].type)
        if named.name.endswith("Connection"):
            return True
        return any(self._nests(part, on) for on, part in self._fields(field.selection_set, named))
