"""What identifies a person, brought to one form, and which contact a set of identities points to."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from chalicelib.contacts.contact import Contact
from chalicelib.contacts.person import Person

EMAIL, PHONE, CUSTOMER = "email", "phone", "customer"
# The library reads what stands before a semicolon and forgets the rest, which RFC 3966 has for parameters.
_SECOND_NUMBER = re.compile(r";\s*[+\d(]")
PHONE_CLAIMS = 10  # a phone shared by more people than this identifies nobody anyway


class Pointer(BaseModel):
    """From one identity to its contact. Emails and customer ids have one; a phone may be claimed by several
    contacts and then identifies none. `detached`: the store deleted that customer. `rev` counts writes."""

    model_config = ConfigDict(frozen=True)

    kind: str
    value: str
    contacts: tuple[str, ...] = ()
    detached: bool = False
    rev: int = 0


@dataclass(frozen=True)
class Identities:
    email: str | None = None
    phone: str | None = None
    customer: str | None = None

    def pairs(self) -> list[tuple[str, str]]:
        named = ((CUSTOMER, self.customer), (EMAIL, self.email), (PHONE, self.phone))
        return [(kind, value) for kind, value in named if value]


def normalise_email(text: str | None) -> str | None:
    """NFKC, lower case, the domain in Unicode's one form; None for what is no address. Nothing is asked of DNS."""
    if not text:
        return None
    from email_validator import EmailNotValidError, validate_email  # here: many functions know contacts, few read names

    try:
        found = validate_email(
            unicodedata.normalize("NFKC", text).strip(), check_deliverability=False, test_environment=True
        )
    except EmailNotValidError:
        return None
    return found.normalized.lower()


def normalise_phone(text: str | None, country: str | None) -> str | None:
    """E.164, by the country's (ISO 3166 alpha-2) habits when there is no `+`; None for what is no possible number."""
    if not text or _SECOND_NUMBER.search(text):
        return None
    import phonenumbers

    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def identities_of(person: Person, store_country: str) -> Identities:
    return Identities(
        email=normalise_email(person.email),
        phone=normalise_phone(person.phone, person.country or store_country),
        customer=(person.customer_id or "").strip() or None,
    )


def older(first: Contact, second: Contact) -> tuple[Contact, Contact]:
    """(the one that stays, the one that becomes a pointer)."""
    stays, goes = sorted((first, second), key=lambda contact: (contact.created_at, contact.id))
    return stays, goes


def same_person_by_email(by_customer: Contact, by_email: Contact) -> bool:
    """Two accounts never become one because of an address; a guest and an account do."""
    return not by_email.external_ids or not by_customer.external_ids


def same_person_by_phone(known: Contact | None, told: Identities, by_phone: Contact) -> bool:
    """A family's phone must not make one person of two: only where emails and accounts do not contradict."""
    emails = {*(known.emails if known else ()), *((told.email,) if told.email else ())}
    accounts = {*(known.external_ids if known else ()), *((told.customer,) if told.customer else ())}
    if emails and by_phone.emails and not emails & set(by_phone.emails):
        return False
    return not (accounts and by_phone.external_ids and not accounts & set(by_phone.external_ids))
