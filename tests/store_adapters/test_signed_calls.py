from __future__ import annotations

import hashlib
import hmac

import pytest

from chalicelib.store_adapters.signatures import CALL_AGE, verify_call

SECRET, BODY, NOW = "a-secret-of-the-tests", '{"id":"1","name":"תה"}'.encode(), 1_795_000_000.0


def signed(body: bytes = BODY, at: float = NOW, secret: str = SECRET) -> dict[str, str]:
    timestamp = str(int(at))
    signature = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"x-agala-timestamp": timestamp, "x-agala-signature": signature}


@pytest.mark.parametrize("age", [0, CALL_AGE, -CALL_AGE, 299.9])
def test_a_call_signed_within_five_minutes_is_good(age: float) -> None:
    assert verify_call(SECRET, signed(at=NOW - age), BODY, int(NOW))


@pytest.mark.parametrize("age", [CALL_AGE + 1, -CALL_AGE - 1, 86_400, NOW])
def test_an_older_or_later_one_is_not(age: float) -> None:
    assert not verify_call(SECRET, signed(at=NOW - age), BODY, NOW)


def test_body_secret_and_time_are_all_signed() -> None:
    good = signed()
    assert not verify_call(SECRET, good, BODY + b" ", NOW)
    assert not verify_call("another secret", good, BODY, NOW)
    assert not verify_call("", signed(secret=""), BODY, NOW)
    assert not verify_call(SECRET, good | {"x-agala-timestamp": str(int(NOW) + 1)}, BODY, NOW)
    assert verify_call(SECRET, good | {"x-agala-signature": good["x-agala-signature"].upper()}, BODY, NOW)


@pytest.mark.parametrize("wrong", ["", "x", "٣٤٥", "-5", "1e9", "9" * 400, "NaN", "\x00"])
def test_odd_headers_are_refused_and_raise_nothing(wrong: str) -> None:
    for name in ("x-agala-timestamp", "x-agala-signature"):
        assert not verify_call(SECRET, signed() | {name: wrong}, BODY, NOW)
        assert not verify_call(SECRET, {k: v for k, v in signed().items() if k != name}, BODY, NOW)
