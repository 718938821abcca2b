"""State machines that are always the same, as Amazon States Language in files beside their code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CART_WATCH = "cart-watch"
STORE_SYNC = "store-sync"
ERRAND = "errand"
_ROOMS = {CART_WATCH: "commerce", STORE_SYNC: "sync", ERRAND: "journeys"}
FUNCTION = "${Function}"  # in a file's place of the function's ARN, as CloudFormation's DefinitionSubstitutions has it


def text(name: str) -> str:
    """As written: `FUNCTION` is yet to be filled in."""
    return (Path(__file__).parent.parent / _ROOMS[name] / f"{name}.asl.json").read_text(encoding="utf-8")


def machine(name: str, function_arn: str) -> dict[str, Any]:
    """The definition whose tasks call this function."""
    found: dict[str, Any] = json.loads(text(name).replace(FUNCTION, function_arn))
    return found
