"""What people choose about what comes to them, and what follows from it: parts of `wiring.Wiring`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.commerce.ports import Listener
    from chalicelib.messages.choices import Choices
    from chalicelib.messages.double_opt_in import AskToConfirm
    from chalicelib.wiring import Wiring


def choices(parts: Wiring) -> Choices:
    from chalicelib.messages.choices import Choices

    return Choices(parts.contacts, parts.contact_book, parts.messages, parts.suppression_list, parts.clock)


def hearing_consent(parts: Wiring, listener: Listener) -> Listener:
    """Before journeys hear of a choice, whoever is to confirm it is asked, and the erased who come back are let in."""
    from chalicelib.contacts.consent_heard import HearsConsent

    return HearsConsent(listener, lambda: parts.errands, parts.contacts, lambda: parts.erased_people, parts.clock)


def ask_to_confirm(parts: Wiring) -> AskToConfirm:
    from chalicelib.messages.double_opt_in import AskToConfirm

    return AskToConfirm(lambda: parts.sender, parts.messages, parts.contacts, lambda: parts.links, parts.clock)
