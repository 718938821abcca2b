"""Secrets in SSM Parameter Store (SecureString). The webhook door imports this: no more than botocore's errors."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.errors import TryLater

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

Answer = TypeVar("Answer")
_KEPT = 60.0  # seconds: a secret changed elsewhere is seen after this long
_KEPT_WHILE_OUT = 3600.0  # seconds: how long a known secret serves while the parameter store does not answer


class Secrets:
    """`prefix` such as `/agala`. Every method raises `TryLater` when the parameter store is out or busy."""

    def __init__(self, client: SSMClient, prefix: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`monotonic` gives seconds that never go back: real time, for caching has nothing to do with store time."""
        self._client = client
        self._prefix = prefix.rstrip("/")
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, str]] = {}

    def webhook_secret(self, store_id: str, newer_than: float = _KEPT) -> str | None:
        """None for a store we do not know; that is never remembered, so a store made a second ago is found.

        A secret read less than `newer_than` seconds ago is not read again.
        """
        return self._cached(self._webhook_name(store_id), newer_than)

    def put_webhook_secret(self, store_id: str, secret: str) -> None:
        self._write(self._webhook_name(store_id), secret)

    def delete_webhook_secret(self, store_id: str) -> None:
        """Also where there is none."""
        self._delete(self._webhook_name(store_id))

    def rest_keys(self, store_id: str) -> tuple[str, str] | None:
        """The key and the secret that the shop's REST API takes, as they are now; None where there are none."""
        found = self._cached(self._rest_name(store_id), 0)
        if found is None:
            return None
        kept = json.loads(found)
        return str(kept["key"]), str(kept["secret"])

    def put_rest_keys(self, store_id: str, key: str, secret: str) -> None:
        self._write(self._rest_name(store_id), json.dumps({"key": key, "secret": secret}))

    def delete_rest_keys(self, store_id: str) -> None:
        """Also where there are none."""
        self._delete(self._rest_name(store_id))

    def shopify_access(self, store_id: str) -> dict[str, Any] | None:
        """What the shop's Admin API takes, as it is now (`store_adapters/shopify_tokens.py` says what is in it)."""
        return self._read(self._shopify_name(store_id), 0)

    def put_shopify_access(self, store_id: str, access: Mapping[str, Any]) -> None:
        self._write(self._shopify_name(store_id), json.dumps(access))

    def delete_shopify_access(self, store_id: str) -> None:
        """Also where there is none."""
        self._delete(self._shopify_name(store_id))

    def gateway_secrets(self, store_id: str, channel: str, newer_than: float = _KEPT) -> dict[str, str]:
        """What the store's own provider of a channel takes, by name; empty where there is nothing."""
        return self._read(self._gateway_name(store_id, channel), newer_than) or {}

    def put_gateway_secrets(self, store_id: str, channel: str, named: Mapping[str, str]) -> None:
        self._write(self._gateway_name(store_id, channel), json.dumps(dict(named)))

    def delete_gateway_secrets(self, store_id: str, channel: str) -> None:
        """Also where there are none."""
        self._delete(self._gateway_name(store_id, channel))

    def shopify_app(self, newer_than: float = _KEPT) -> dict[str, Any] | None:
        """This deployment's own app at Shopify: {client_id, client_secret, …}; None where there is none."""
        return self._read(self._shopify_app_name(), newer_than)

    def put_shopify_app(self, app: Mapping[str, Any]) -> None:
        self._write(self._shopify_app_name(), json.dumps(app))

    def delete_shopify_app(self) -> None:
        """Also where there is none."""
        self._delete(self._shopify_app_name())

    def signing_key(self) -> str:
        """The key that signs our links."""
        return self._made_once(f"{self._prefix}/signing-key")

    def address_key(self) -> str:
        """The key of the hashes by which addresses are remembered. It must never change: they would be forgotten."""
        return self._made_once(f"{self._prefix}/address-key")

    def _made_once(self, name: str) -> str:
        """Made when first asked for; of many who ask at once one makes it."""
        found = self._cached(name, _KEPT_WHILE_OUT)
        if found:
            return found
        made = secrets.token_hex(32)
        try:
            self._call(lambda: self._client.put_parameter(Name=name, Value=made, Type="SecureString", Overwrite=False))
        except _Taken:
            found = self._cached(name, 0)
            if found is None:
                raise TryLater("a key that was just made is not readable yet") from None
            return found
        self._kept[name] = (self._monotonic(), made)
        return made

    def _webhook_name(self, store_id: str) -> str:
        return f"{self._prefix}/stores/{store_id}/webhook-secret"

    def _rest_name(self, store_id: str) -> str:
        return f"{self._prefix}/stores/{store_id}/rest-keys"

    def _shopify_name(self, store_id: str) -> str:
        return f"{self._prefix}/stores/{store_id}/shopify-access"

    def _gateway_name(self, store_id: str, channel: str) -> str:
        return f"{self._prefix}/stores/{store_id}/gateway-{channel}"

    def _shopify_app_name(self) -> str:
        return f"{self._prefix}/shopify-app"

    def _read(self, name: str, newer_than: float) -> dict[str, Any] | None:
        found = self._cached(name, newer_than)
        return dict(json.loads(found)) if found is not None else None

    def _write(self, name: str, value: str) -> None:
        self._call(lambda: self._client.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True))
        self._kept[name] = (self._monotonic(), value)

    def _delete(self, name: str) -> None:
        self._kept.pop(name, None)
        try:
            self._call(lambda: self._client.delete_parameter(Name=name))
        except _Absent:
            return

    def _cached(self, name: str, newer_than: float) -> str | None:
        now = self._monotonic()
        at, kept = self._kept.get(name, (0.0, None))
        if kept is not None and now - at < newer_than:
            return kept
        try:
            answer = self._call(lambda: self._client.get_parameter(Name=name, WithDecryption=True))
        except _Absent:
            self._kept.pop(name, None)
            return None
        except TryLater:
            if kept is not None and now - at < _KEPT_WHILE_OUT:
                return kept
            raise
        value = answer["Parameter"]["Value"]
        self._kept[name] = (now, value)
        return value

    @staticmethod
    def _call(call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        except ClientError as problem:
            code = problem.response["Error"]["Code"]
            if code == "ParameterNotFound":
                raise _Absent from None
            if code == "ParameterAlreadyExists":
                raise _Taken from None
            raise TryLater(f"the parameter store answered {code}") from problem
        except BotoCoreError as problem:
            raise TryLater("the parameter store is out of reach") from problem


class _Absent(Exception):
    pass


class _Taken(Exception):
    pass
