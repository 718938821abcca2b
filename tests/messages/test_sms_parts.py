import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.commerce.money import Money
from chalicelib.messages.sms_parts import is_gsm, parts, places, price


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 7, 2),  # the € has no room in the first part: 152, then 2 and 7
        ("a" * 152 + "€" * 2 + "a" * 150, 3),
        ("ש" * 70, 1),
        ("ש" * 71, 2),
        ("ש" * 134, 2),
        ("ש" * 135, 3),
        ("a" * 160 + "’", 3),  # one curly apostrophe: 161 letters of 16 bits
        ("🎁" * 35, 1),
        ("🎁" * 36, 2),
        ("ש" * 66 + "🎁" + "ש" * 66, 3),  # not cut in two: 66, 2 and 65, 1
        ("€uro {a} [b] ~ ^ | \\\\", 1),
    ],
)
def test_parts_are_counted_as_carriers_do(text: str, count: int) -> None:
    assert parts(text) == count


@given(st.text(max_size=700))
def test_no_text_takes_fewer_parts_than_its_letters_need(text: str) -> None:
    alone, joined = (160, 153) if is_gsm(text) else (70, 67)
    assert is_gsm(text) or places(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2
    assert parts(text) == 1 if places(text) <= alone else parts(text) >= -(-places(text) // joined)


def test_a_price_is_of_a_thousand_parts_and_rounded_once() -> None:
    assert price(3, Money(amount=7500, currency="ILS")) == Money(amount=23, currency="ILS")
    assert price(0, Money(amount=7500, currency="ILS")) == Money(amount=0, currency="ILS")
