"""One call to an AWS sending service, and what its outcome proves: taken, surely not taken, or nobody knows.

The client must be made with `Config(retries={"total_max_attempts": 1})`: neither SES nor End User Messaging takes an
idempotency key, so a blind retry inside botocore after a lost answer would send twice. Retrying is the state
machine's affair, and only where the service surely did not take the message.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ParamValidationError,
    ProxyConnectionError,
    SSLError,
)

from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.ports import SendRejected, SendUncertain

Answer = TypeVar("Answer")

_BUSY_STATUSES = frozenset((429, 503))
# The connection never came to be, so the request never went out.
_NEVER_LEFT = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError, SSLError)


def one_attempt(call: Callable[[], Answer], busy_codes: Collection[str]) -> Answer:
    """The call's answer. `busy_codes` are the service's errors that mean "not now, ask again".

    Raises ProviderBusy, SendUncertain and SendRejected. Their texts are codes: the service's own may hold an address.
    """
    try:
        return call()
    except ClientError as refused:
        raise _meaning(refused, busy_codes) from None
    except ParamValidationError:
        raise SendRejected("ParamValidation") from None
    except _NEVER_LEFT as failed:
        raise ProviderBusy(type(failed).__name__) from None
    except HTTPClientError as lost:  # read time-outs, connections closed: the request may have arrived
        raise SendUncertain(type(lost).__name__) from None
    except BotoCoreError as failed:  # no credentials, no region: nothing went out
        raise ProviderBusy(type(failed).__name__) from None


def _meaning(refused: ClientError, busy_codes: Collection[str]) -> Exception:
    code = str(refused.response.get("Error", {}).get("Code", "Unknown"))
    status = refused.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in busy_codes or status in _BUSY_STATUSES:
        return ProviderBusy(code)
    if status >= 500:  # it broke while it worked on it: nobody knows whether it was taken
        return SendUncertain(code)
    reason = refused.response.get("Reason")  # a code too, where a service gives one
    return SendRejected(f"{code}/{reason}" if isinstance(reason, str) and reason else code)
