"""How many parts carriers make of an SMS, which is what they charge: as the text is typed.

3GPP TS 23.038 §6.2.1 has the letters of the default alphabet (7 bits each), §6.2.1.1 those that take two places. Any
other letter (Hebrew, emoji) makes the whole text UCS-2 (16 bits; an emoji takes two). One SMS carries 140 bytes, a part
of a longer one 134 (TS 23.040 §9.2.3.24.1: six go to the header that joins them). A letter of two places is never cut.
"""

from __future__ import annotations

from chalicelib.commerce.money import Money

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_DOUBLE = frozenset("^{}\\[~]|€")
_GSM_ALONE, _GSM_JOINED = 160, 153
_UCS2_ALONE, _UCS2_JOINED = 70, 67
_BASIC_PLANE = 0xFFFF


def is_gsm(text: str) -> bool:
    """Whether the default alphabet says it all."""
    return all(letter in GSM or letter in GSM_DOUBLE for letter in text)


def places(text: str) -> int:
    """How long it is as carriers count: in letters of 7 bits, or, in other alphabets, of 16."""
    return sum(_places(text))


def parts(text: str) -> int:
    """How many SMS it is; an empty text is one."""
    alone, joined = (_GSM_ALONE, _GSM_JOINED) if is_gsm(text) else (_UCS2_ALONE, _UCS2_JOINED)
    lengths = _places(text)
    if sum(lengths) <= alone:
        return 1
    count, used = 1, 0
    for length in lengths:
        if used + length > joined:
            count, used = count + 1, 0
        used += length
    return count


def price(count: int, per_thousand: Money) -> Money:
    """What so many parts cost, rounded half up to the minor unit: once, over all that are counted together."""
    return Money(amount=(count * per_thousand.amount + 500) // 1000, currency=per_thousand.currency)


def _places(text: str) -> list[int]:
    if is_gsm(text):
        return [2 if letter in GSM_DOUBLE else 1 for letter in text]
    return [2 if ord(letter) > _BASIC_PLANE else 1 for letter in text]
