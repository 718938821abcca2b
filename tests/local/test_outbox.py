from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.ports import Email, SendRejected, SendUncertain, Sms, WhatsApp
from local.outbox import Outbox
from tests.conftest import HandClock


def email(message_id: str = "c1-m1") -> Email:
    return Email(
        message_id=message_id,
        store_id="s1",
        contact_id="c1",
        kind="marketing",
        journey="thank-you-new",
        step="mail-1",
        sender="shop@tea.example",
        sender_name="בית התה",
        reply_to="owner@tea.example",
        to="dana@shopper.example",
        to_name="דנה",
        subject="תודה",
        html="<p>שלום</p>",
        text="שלום",
        headers={"List-Unsubscribe": "<https://tea.example/u>"},
    )


def sms(message_id: str = "c1-s1") -> Sms:
    return Sms(
        message_id=message_id,
        store_id="s1",
        contact_id="c1",
        kind="marketing",
        journey="cart-abandonment",
        step="cart-sms",
        sender_name="בית התה",
        to="+972505550101",
        text="פרסומת: בית התה",
    )


def whatsapp(message_id: str = "c1-w1") -> WhatsApp:
    known = sms(message_id).model_dump(exclude={"sender"})
    return WhatsApp(**known, sender="n", language="he", template="cart_waits")


def test_an_sms_is_kept_as_the_contract_says_and_never_mailed(tmp_path: Path, clock: HandClock) -> None:
    out: list[str] = []
    outbox = Outbox(tmp_path / "outbox.db", clock, lambda mail: out.append(mail.message_id))
    assert outbox.send(sms()) == outbox.send(sms()) == outbox.was_taken("c1-s1") == "outbox-c1-s1"
    assert outbox.messages() == [
        {
            "id": "c1-s1",
            "channel": "sms",
            "kind": "marketing",
            "from": "בית התה",
            "to": "+972505550101",
            "subject": None,
            "headers": {},
            "html": None,
            "text": "פרסומת: בית התה",
            "at": "2026-11-21T22:00:00.000Z",
            "journey": "cart-abandonment",
            "step": "cart-sms",
            "contact_id": "c1",
            "store_id": "s1",
            "delivery": "kept",
        }
    ]
    assert out == []


def test_a_whatsapp_message_is_kept_with_its_template(tmp_path: Path, clock: HandClock) -> None:
    outbox = Outbox(tmp_path / "outbox.db", clock)
    outbox.send(whatsapp())
    (kept,) = outbox.messages()
    assert (kept["channel"], kept["from"], kept["to"], kept["text"]) == (
        "whatsapp",
        "בית התה",
        "+972505550101",
        "פרסומת: בית התה",
    )
    assert kept["headers"] == {"X-WhatsApp-Template": "cart_waits (he)"}


def test_an_erased_persons_sms_go_by_the_phone_too(tmp_path: Path, clock: HandClock) -> None:
    outbox = Outbox(tmp_path / "outbox.db", clock)
    outbox.send(sms().model_copy(update={"contact_id": "c9"}))
    outbox.forget("s1", "c1", ["+972505550101"])
    assert outbox.messages() == []


def test_a_message_is_kept_once_and_listed_as_the_contract_says(tmp_path: Path, clock: HandClock) -> None:
    outbox = Outbox(tmp_path / "outbox.db", clock)
    assert outbox.send(email()) == outbox.send(email()) == "outbox-c1-m1"
    (kept,) = outbox.messages()
    assert kept == {
        "id": "c1-m1",
        "channel": "email",
        "kind": "marketing",
        "from": "בית התה <shop@tea.example>",
        "to": "dana@shopper.example",
        "subject": "תודה",
        "headers": {"List-Unsubscribe": "<https://tea.example/u>", "Reply-To": "owner@tea.example"},
        "html": "<p>שלום</p>",
        "text": "שלום",
        "at": "2026-11-21T22:00:00.000Z",
        "journey": "thank-you-new",
        "step": "mail-1",
        "contact_id": "c1",
        "store_id": "s1",
        "delivery": "kept",
    }


def test_it_knows_what_it_has_also_after_a_restart_oldest_first(tmp_path: Path, clock: HandClock) -> None:
    for number in (3, 1, 2):
        Outbox(tmp_path / "outbox.db", clock).send(email(f"c1-m{number}"))
    outbox = Outbox(tmp_path / "outbox.db", clock)
    assert [message["id"] for message in outbox.messages()] == ["c1-m3", "c1-m1", "c1-m2"]
    assert outbox.was_taken("c1-m1") == "outbox-c1-m1"
    assert outbox.was_taken("c1-m9") is False


def test_a_delivery_goes_out_once(tmp_path: Path, clock: HandClock) -> None:
    out: list[str] = []
    outbox = Outbox(tmp_path / "outbox.db", clock, lambda mail: out.append(mail.message_id))
    outbox.send(email())
    outbox.send(email())
    assert out == ["c1-m1"]
    assert outbox.messages()[0]["delivery"] == "delivered"
    assert outbox.was_taken("c1-m1") == "outbox-c1-m1"


def failing(error: BaseException) -> Callable[[Email], None]:
    def deliver(_: Email) -> None:
        raise error

    return deliver


@pytest.mark.parametrize("refusal", [ProviderBusy("421"), SendRejected("550")])
def test_what_the_mail_server_surely_did_not_take_is_not_kept(
    tmp_path: Path, clock: HandClock, refusal: Exception
) -> None:
    outbox = Outbox(tmp_path / "outbox.db", clock, failing(refusal))
    with pytest.raises(type(refusal)):
        outbox.send(email())
    assert outbox.was_taken("c1-m1") is False
    assert outbox.messages() == []


@pytest.mark.parametrize(
    ("interruption", "shown"), [(SendUncertain("lost"), "uncertain"), (KeyboardInterrupt(), "trying")]
)
def test_a_delivery_cut_short_is_shown_and_not_repeated(
    tmp_path: Path, clock: HandClock, interruption: BaseException, shown: str
) -> None:
    outbox = Outbox(tmp_path / "outbox.db", clock, failing(interruption))
    with pytest.raises(type(interruption)):
        outbox.send(email())
    out: list[str] = []
    again = Outbox(tmp_path / "outbox.db", clock, lambda mail: out.append(mail.message_id))
    assert again.was_taken("c1-m1") is None
    again.send(email())
    assert out == []
    assert again.messages()[0]["delivery"] == shown


def test_an_erased_person_leaves_nothing_and_is_not_written_to_again(tmp_path: Path, clock: HandClock) -> None:
    outbox = Outbox(tmp_path / "outbox.db", clock)
    outbox.send(email("c1-m1"))
    outbox.send(email("c2-m1").model_copy(update={"contact_id": "c2", "to": "Dana@shopper.example"}))
    outbox.send(email("c3-m1").model_copy(update={"contact_id": "c3", "to": "roni@shopper.example"}))
    outbox.send(email("c1-m2").model_copy(update={"store_id": "s2"}))
    outbox.forget("s1", "c1", ["dana@shopper.example"])
    assert [message["id"] for message in outbox.messages()] == ["c3-m1", "c1-m2"]
    assert outbox.message("c1-m1") is None
    assert outbox.was_taken("c1-m1") == "outbox-c1-m1"
    outbox.send(email("c1-m1"))
    assert len(outbox.messages()) == 2
