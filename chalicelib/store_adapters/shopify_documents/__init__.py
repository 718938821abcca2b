"""What Agala asks of Shopify's Admin API: GraphQL documents in files of their own, one named operation each.

A query whose connections have no page size is for a bulk operation. Each is held against Shopify's own schema by
`tests/store_adapters/test_shopify_documents.py`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def text(name: str) -> str:
    """Of `<name>.graphql`. Raises FileNotFoundError."""
    return (FOLDER / f"{name}.graphql").read_text(encoding="utf-8")
