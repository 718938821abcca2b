"""Between a frozen model and a flat item: one way in, one way out."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

from chalicelib.storage.table import Item

Model = TypeVar("Model", bound=BaseModel)
_KEY_ATTRIBUTES = ("pk", "sk", "gsi1pk", "gsi1sk", "expires_at")


def dump(record: BaseModel, key: tuple[str, str], **more: Any) -> Item:
    """An item: the record's attributes as JSON values, its key, and `more` (index keys, expiry)."""
    pk, sk = key
    return {**record.model_dump(mode="json", exclude_none=True, by_alias=True), "pk": pk, "sk": sk, **more}


def load(model: type[Model], item: Item) -> Model:
    return model.model_validate({k: v for k, v in item.items() if k not in _KEY_ATTRIBUTES})
