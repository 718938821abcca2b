"""Everything that is asked of Shopify's Admin API is held against its own schema."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    validate,
    visit,
)

import chalicelib
from chalicelib.store_adapters import shopify_documents
from chalicelib.store_adapters.shopify_admin import API_VERSION
from tests.shopify import bulk
from tests.shopify.schema import FILE, schema

CODE = Path(chalicelib.__file__).parent
DOCUMENTS = sorted(path.stem for path in shopify_documents.FOLDER.glob("*.graphql"))
# Deprecated in favour of fields that are deprecated in favour of these: consent to SMS is told nowhere else.
NO_OTHER_WAY = (
    "CustomerPhoneNumber.marketingState",
    "CustomerPhoneNumber.marketingUpdatedAt",
    "CustomerPhoneNumber.marketingOptInLevel",
)
_GRAPHQL = re.compile(r"^\s*(#[^\n]*\n\s*)*(query|mutation|subscription|fragment)\b[^{]*\{|^\s*\{\s*[a-zA-Z_]+\s*[({]")


class _Pages(Visitor):
    """Which connections have a page's size, and which have not."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.sized: list[str] = []
        self.whole: list[str] = []

    def enter_field(self, node: FieldNode, *_: object) -> None:
        kind = self._types.get_type()
        if kind is not None and get_named_type(kind).name.endswith("Connection"):
            has_size = any(part.name.value in ("first", "last") for part in node.arguments or ())
            (self.sized if has_size else self.whole).append(node.name.value)


def faults(known: GraphQLSchema, text: str) -> list[str]:
    """Why Shopify would not take the document; empty if it would."""
    try:
        document = parse(text)
    except GraphQLError as problem:
        return [problem.message]
    operations = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].name is None:
        return ["expected one operation with a name"]
    problems = [one.message for one in validate(known, document)]
    if problems:
        return problems
    deprecated = [one.message for one in validate(known, document, [NoDeprecatedCustomRule])]
    problems = [told for told in deprecated if not any(f" {name} " in told for name in NO_OTHER_WAY)]
    types = TypeInfo(known)
    pages = _Pages(types)
    visit(document, TypeInfoVisitor(types, pages))
    if operations[0].operation is OperationType.QUERY and pages.whole:
        problems += [f"{name} has a page's size, others have none" for name in pages.sized]
        problems += bulk.faults(known, document)
    elif pages.whole:
        problems += [f"{name} needs a page's size" for name in pages.whole]
    return problems


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_what_shopify_takes(name: str) -> None:
    assert faults(schema(), shopify_documents.text(name)) == []


def test_the_schema_is_of_the_version_that_is_asked() -> None:
    assert API_VERSION in FILE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("query A { shop { nickname } }", "Cannot query field 'nickname'"),
        ("query A { orders(first: 1) { nodes { id totalPrice } } }", "deprecated"),
        ("query A($id: String!) { order(id: $id) { id } }", "expecting type 'ID!'"),
        ("{ shop { name } }", "a name"),
        ("query A { shop { name } } query B { shop { name } }", "one operation"),
        ("query A { shop {", "Syntax Error"),
        ("query A { orders(first: 2) { nodes { id lineItems { nodes { id } } } } }", "orders has a page's size"),
        ("query A { orders { nodes { id } } }", "Selecting via 'nodes'"),
        ("query A { products { edges { node { title variants { edges { node { id } } } } } } }", "select the 'id'"),
        ('query A { orders { edges { node { id } } } node(id: "1") { id } }', "a top level `node`"),
        ("query A($q: String) { orders(query: $q) { edges { node { id } } } }", "variables"),
        (
            "mutation A { discountCodeActivate(id: 1) { codeDiscountNode { codeDiscount { ... on DiscountCodeBasic "
            "{ codes { nodes { id } } } } } } }",
            "codes needs a page's size",
        ),
    ],
)
def test_what_shopify_would_refuse_is_found(text: str, words: str) -> None:
    assert words in " ".join(faults(schema(), text))


def _texts(path: Path) -> Iterator[str]:
    """The texts of a module, its docstrings left out."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_module_has_a_document_of_its_own() -> None:
    """It would not be held against the schema."""
    found = [path.name for path in CODE.rglob("*.py") for text in _texts(path) if _GRAPHQL.search(text)]
    assert found == []


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("query A { shop { name } }", True),
        ("\n  # what\n mutation A($x: ID!) {\n  orderClose(id: $x) { id } }", True),
        ("{ shop { name } }", True),
        ("fragment Money on MoneyV2 { amount }", True),
        ('{"a": 1}', False),
        ("{name} of {shop}", False),
        ("query must be text", False),
    ],
)
def test_a_document_is_known_by_its_looks(text: str, is_one: bool) -> None:
    assert bool(_GRAPHQL.search(text)) is is_one
