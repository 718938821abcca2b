"""`/v1/tokens`: who may call. A secret is shown once, and kept only as a hash."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from chalice.app import Blueprint
from pydantic import Field

from chalicelib.access import ALL_STORES, Token, token_hash
from chalicelib.errors import BadInput, FieldMistake, NotFound
from chalicelib.handlers.api.shapes import Answer, Body, Line, PageQuery, Time, page
from chalicelib.handlers.http import Call, Reply, door
from chalicelib.handlers.request import after_cursor
from chalicelib.ids import new_id

tokens = Blueprint(__name__)


class TokenNew(Body):
    """`stores`: store ids, or `*` alone for all of them and for making stores and tokens."""

    name: Line
    stores: Annotated[list[Annotated[str, Field(pattern=r"^([0-9a-z]{26}|\*)$")]], Field(min_length=1, max_length=100)]
    expires_at: Time | None = None


class TokenAnswer(Answer):
    id: str
    name: str
    stores: list[str]
    created_at: Time
    expires_at: Time | None


class TokenMade(TokenAnswer):
    """`secret` is shown here and never again."""

    secret: str


class TokenList(Answer):
    items: list[TokenAnswer]
    next: str | None


@door(tokens, "POST", "/v1/tokens", summary="Make a token", scope="admin", body=TokenNew, answers=TokenMade, status=201)
def create_token(call: Call) -> TokenMade:
    given: TokenNew = call.body
    now = call.wiring.clock.now()
    mistakes = [
        FieldMistake(f"stores[{index}]", "no such store")
        for index, store_id in enumerate(given.stores)
        if store_id != ALL_STORES and call.wiring.stores.get(store_id) is None
    ]
    if given.expires_at is not None and given.expires_at <= now:
        mistakes.append(FieldMistake("expires_at", "expected a time to come"))
    if mistakes:
        raise BadInput("The body is not as expected.", mistakes)
    secret = _new_secret()
    token = Token(
        id=new_id(now),
        name=given.name,
        hash=token_hash(secret),
        stores=tuple(dict.fromkeys(given.stores)),
        created_at=now,
        expires_at=given.expires_at,
    )
    call.wiring.tokens.put(token)
    return TokenMade(**_shown(token), secret=secret)


@door(
    tokens,
    "GET",
    "/v1/tokens",
    summary="All tokens, without their secrets",
    scope="admin",
    query=PageQuery,
    answers=TokenList,
)
def list_tokens(call: Call) -> TokenList:
    after = after_cursor("tokens", call.query.cursor)
    found = call.wiring.tokens.list(after=after, limit=call.query.limit + 1)
    kept, following = page(found, call.query.limit, "tokens", lambda token: token.id)
    return TokenList(items=[TokenAnswer(**_shown(token)) for token in kept], next=following)


@door(
    tokens,
    "POST",
    "/v1/tokens/{token_id}/rotate",
    summary="A new secret; the old one ends at once",
    scope="admin",
    answers=TokenMade,
)
def rotate_token(call: Call) -> TokenMade:
    old = _found(call)
    secret = _new_secret()
    call.wiring.tokens.replace(old, old.model_copy(update={"hash": token_hash(secret)}))
    return TokenMade(**_shown(old), secret=secret)


@door(tokens, "DELETE", "/v1/tokens/{token_id}", summary="Revoke a token", scope="admin", status=204)
def revoke_token(call: Call) -> Reply:
    call.wiring.tokens.delete(_found(call))
    return Reply(None)


def _found(call: Call) -> Token:
    token = call.wiring.tokens.get(call.path["token_id"])
    if token is None:
        raise NotFound("no such token")
    return token


def _new_secret() -> str:
    return f"agala_{secrets.token_urlsafe(32)}"


def _shown(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "stores": list(token.stores),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }
