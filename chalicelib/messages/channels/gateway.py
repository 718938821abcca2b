"""Any HTTP gateway for SMS and WhatsApp, by configuration: one attempt each, with the meanings of `one_attempt`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import jmespath
import requests
from jmespath.exceptions import JMESPathError
from requests.exceptions import ConnectTimeout, InvalidURL, RequestException, SSLError
from urllib3.exceptions import HTTPError, NewConnectionError

from chalicelib.errors import TryLater
from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.channels.gateway_request import Request, request_of
from chalicelib.messages.gateway import Gateway
from chalicelib.messages.ports import SendRejected, SendUncertain, Sms, WhatsApp
from chalicelib.store_adapters.public_addresses import PrivateAddress
from chalicelib.store_adapters.shop_http import ShopHttp, plain_reason

CONNECT_SECONDS, READ_SECONDS = 5.0, 20.0
_WRONG_KEY = (401, 403)
LARGEST = 65_536  # bytes of an answer that are read


class GatewayHttp:
    """Calls of stores' gateways: no private networks, no redirects, no proxy or password of the machine."""

    def __init__(self, private_addresses: bool = False) -> None:
        self._private = private_addresses

    def session(self) -> requests.Session:
        """A new one for each call, so that no connection is an old one which the other side has closed."""
        return ShopHttp(self._private).session

    def call(self, request: Request) -> tuple[int, bytes]:
        """The answer's status and (of a short one) body. Raises ProviderBusy, SendUncertain and SendRejected."""
        session = self.session()
        try:
            with session.request(
                request.method,
                request.url,
                data=request.body,
                headers=request.headers,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, _content(response)
        except PrivateAddress:
            raise SendRejected("private_address") from None
        except (InvalidURL, UnicodeError):
            raise SendRejected("url") from None
        except (RequestException, HTTPError, OSError) as problem:
            raise _meaning(problem) from None  # the error's own text may hold an address
        finally:
            session.close()


class GatewayChannel:
    """An `SmsChannel` and `WhatsAppChannel`. `secrets` gives the gateway's own, as known some minutes ago at most,
    `fresh` as they are now; `report_url` where it reports to."""

    def __init__(
        self,
        gateway: Gateway,
        secrets: Callable[[], Mapping[str, str]],
        report_url: str,
        http: GatewayHttp,
        fresh: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self._gateway, self._secrets, self._report_url, self._http = gateway, secrets, report_url, http
        self._fresh = fresh or secrets

    def send(self, message: Sms | WhatsApp) -> str:
        """The provider's id, or ours where it tells none."""
        keys = self._keys(self._secrets)
        status, content = self._http.call(request_of(self._gateway, message, keys, self._report_url))
        answer = self._gateway.answer
        if status in answer.busy_statuses:
            raise ProviderBusy(str(status))
        told = _json_of(content)
        if status in answer.ok_statuses:
            if problem := found_in(told, answer.error):
                raise SendRejected(plain_reason(str(problem)) or "refused")
            identifier = found_in(told, answer.id)
            return str(identifier)[:200] if isinstance(identifier, str | int) and identifier else message.message_id
        if status >= 500:  # it broke while it worked on it: nobody knows whether it was taken
            raise SendUncertain(str(status))
        if status in _WRONG_KEY and self._keys(self._fresh) != keys:
            raise ProviderBusy(str(status))  # the owner changed them a moment ago: with those it may go
        reason = plain_reason(str(found_in(told, answer.error) or ""))
        raise SendRejected(f"{status}/{reason}" if reason else str(status))

    def _keys(self, told: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
        """Nothing is handed over without them, so the message may go again. Raises ProviderBusy."""
        try:
            return told() if self._gateway.secret_names else {}
        except TryLater:
            raise ProviderBusy("secrets") from None

    def was_taken(self, message_id: str) -> None:
        """A gateway cannot look a message up by a name of ours."""


def found_in(document: Any, path: str | None) -> Any:
    """What JMESPath finds; None for nothing, and where the document is none for this path."""
    if path is None:
        return None
    try:
        return jmespath.search(path, document)
    except (JMESPathError, RecursionError, TypeError, ValueError, ArithmeticError):
        return None


def _json_of(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _content(response: requests.Response) -> bytes:
    """Empty where it is too long or breaks off: the status has said already what counts."""
    content = bytearray()
    try:
        for piece in response.iter_content(8192):
            content += piece
            if len(content) > LARGEST:
                return b""
    except (RequestException, HTTPError, OSError):
        return b""
    return bytes(content)


def _meaning(problem: BaseException) -> Exception:
    """Surely not taken where the connection never came to be; else nobody knows."""
    name = type(problem).__name__
    chain = _chain(problem)
    certificate = any(type(one).__name__ == "SSLCertVerificationError" for one in chain)
    never_left = isinstance(problem, ConnectTimeout) or any(isinstance(one, NewConnectionError) for one in chain)
    if never_left or (isinstance(problem, SSLError) and certificate):
        return ProviderBusy(name)
    return SendUncertain(name)


def _chain(problem: BaseException) -> list[BaseException]:
    found: list[BaseException] = [problem]
    for one in found:
        inner = [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
        found += [other for other in inner if isinstance(other, BaseException) and other not in found]
    return found
