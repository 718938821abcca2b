"""What the law of a store's country asks of messages that advertise, as data with its sources.

It is what our own rules are built on and what an owner is warned by (`lacking`), not advice: who sends to another
country may have to keep that country's law too. `policy.marked` reads the marking from here; a named sender and a way
to refuse are put into every advertisement, whatever the country.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chalicelib.commerce.store import Store
from chalicelib.contacts.consent import Channel

_ALL = frozenset(Channel)
_EMAIL = frozenset((Channel.EMAIL,))


@dataclass(frozen=True)
class Law:
    """`name` and `sources` for people to look it up.

    `marking` must stand at the beginning (of an email: of its subject), where it is not None. `sender_name`, `refusal`
    (a way to have no more, in the message itself) and `postal_address`: on which channels each must be there.
    `consent`: whether people must have agreed before, or may be written to until they refuse; `by_phone` the same for
    SMS and WhatsApp. `existing_customers`: buyers may be told of similar goods, if they could refuse at the purchase.
    `proof`: who sends must be able to show the consent. `confirmed_proof`: courts hardly believe one that was not
    confirmed by a second step.
    """

    name: str
    sources: tuple[str, ...]
    marking: str | None = None
    sender_name: frozenset[Channel] = _ALL
    refusal: frozenset[Channel] = _ALL
    postal_address: frozenset[Channel] = frozenset()
    consent: Literal["before", "until_refused"] = "before"
    by_phone: Literal["before", "until_refused"] = "before"
    existing_customers: bool = True
    proof: bool = True
    confirmed_proof: bool = False


ISRAEL = Law(
    name="Communications Law (Telecommunications and Broadcasting) 5742-1982, section 30A",
    sources=(
        "§30A(b): explicit prior consent, in writing or recorded",
        "§30A(c): an existing customer who was told and could refuse",
        "§30A(e)(1): the word פרסומת at the beginning, the sender's name, address and contact, a way to refuse",
        "§30A(e)(2): of an SMS only the sender's name and a way to refuse are asked",
    ),
    marking="פרסומת",
    postal_address=_EMAIL,
)
UNITED_STATES = Law(
    name="CAN-SPAM Act 2003 (email); TCPA 1991 (text messages)",
    sources=(
        "15 U.S.C. §7704(a)(3): a working way to refuse, honoured within 10 business days",
        "15 U.S.C. §7704(a)(5): a valid physical postal address",
        "47 C.F.R. §64.1200(a)(2), (f)(9): prior express written consent for marketing texts",
    ),
    postal_address=_EMAIL,
    consent="until_refused",
    proof=True,
)
CANADA = Law(
    name="Canada's Anti-Spam Legislation (S.C. 2010, c. 23)",
    sources=(
        "s. 6(2): who sends, contact information, an unsubscribe mechanism",
        "s. 10(9)-(10): a purchase of the last two years implies consent",
        "s. 13: whoever alleges consent has the onus of proving it",
        "SOR/2012-36 s. 2: the mailing address",
    ),
    postal_address=_ALL,
)
UNITED_KINGDOM = Law(
    name="Privacy and Electronic Communications Regulations 2003; UK GDPR",
    sources=("PECR reg. 22: consent, or an existing customer who can refuse", "PECR reg. 23", "UK GDPR art. 7(1)"),
)
EUROPEAN_UNION = Law(
    name="Directive 2002/58/EC as each member has it; GDPR",
    sources=(
        "2002/58/EC art. 13(1)-(2): consent, or an existing customer who can refuse",
        "2002/58/EC art. 13(4): no hidden sender, a valid address to refuse at",
        "2000/31/EC art. 5 and 6: who sends, and where they are",
        "GDPR art. 7(1): the controller can demonstrate the consent",
    ),
    postal_address=_EMAIL,
)
GERMANY = Law(
    name="UWG §7; DDG §5 and §6; GDPR",
    sources=(
        *EUROPEAN_UNION.sources,
        "UWG §7(2)-(3)",
        "BGH I ZR 164/09: the double opt-in proves an email consent",
    ),
    postal_address=_EMAIL,
    confirmed_proof=True,
)
AUSTRALIA = Law(
    name="Spam Act 2003",
    sources=("s. 16: consent", "s. 17: who authorised it and how to reach them", "s. 18: a functional unsubscribe"),
)
ELSEWHERE = Law(
    name="what most laws ask",
    sources=(
        "the strictest of what the others have in common: consent before, a named sender, a way to refuse, proof",
    ),
)

_MEMBERS = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
_LAWS = {
    **dict.fromkeys(_MEMBERS.split(), EUROPEAN_UNION),
    "DE": GERMANY,
    "IL": ISRAEL,
    "US": UNITED_STATES,
    "CA": CANADA,
    "GB": UNITED_KINGDOM,
    "AU": AUSTRALIA,
}


def law_of(country: str) -> Law:
    """By ISO 3166 alpha-2; `ELSEWHERE` for a country that is not told apart."""
    return _LAWS.get(country, ELSEWHERE)


def lacking(store: Store) -> list[str]:
    """What the store's settings lack for what its country asks, in words for its owner."""
    law, sender = law_of(store.country), store.settings.sender
    found = []
    if law.postal_address and not (sender.address or "").strip():
        found.append(
            f"settings.sender.address is empty, but advertising must name the sender's postal address ({law.name})"
        )
    if law.sender_name and not (sender.name or store.name).strip():
        found.append(f"settings.sender.name is empty, but advertising must name its sender ({law.name})")
    if law.confirmed_proof and Channel.EMAIL not in store.settings.double_opt_in:
        found.append(f"settings.double_opt_in is without email: consent could hardly be proven ({law.name})")
    return found
