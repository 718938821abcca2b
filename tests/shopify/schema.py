"""Shopify's own Admin schema and recorded answers, which lie beside the project and are no part of it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_ast_schema, parse

FOLDER = Path("shared", "recorded", "shopify-admin")
FILE = "admin-2026-07.graphql"
_PROJECT = Path(__file__).resolve().parents[2]


@cache
def recorded_folder() -> Path | None:
    """The folder with the schema; None where there is none. A git worktree looks beside its main checkout too."""
    for project in (_PROJECT, _main_checkout()):
        if project is not None and (project.parent / FOLDER / FILE).is_file():
            return project.parent / FOLDER
    return None


def _main_checkout() -> Path | None:
    told = _PROJECT / ".git"  # of a worktree: a file, "gitdir: <main checkout>/.git/worktrees/<name>"
    if not told.is_file():
        return None
    folder = Path(_PROJECT, told.read_text().removeprefix("gitdir:").strip())
    return folder.parents[2] if folder.parent.name == "worktrees" else None


def needs_schema() -> Path:
    """The folder, or the test is skipped."""
    folder = recorded_folder()
    if folder is None:
        pytest.skip(f"Shopify's Admin schema ({FILE}) is not beside the project")
    return folder


def schema() -> GraphQLSchema:
    """The whole schema, built once per process (1.4 s for its 3.8 MB). Skips the test where it is absent."""
    return _built(needs_schema() / FILE)


@cache
def _built(file: Path) -> GraphQLSchema:
    return build_ast_schema(parse(file.read_text(), no_location=True), assume_valid=True)


def recorded(name: str) -> Any:
    """What a real shop answered: `recorded("customers-catalog")`. Skips the test where it is absent."""
    return json.loads((needs_schema() / f"{name}.json").read_text())
