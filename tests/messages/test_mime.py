from email import message_from_bytes
from email.policy import default

import pytest

from chalicelib.messages.mime import to_mime
from chalicelib.messages.ports import Email, SendRejected


def email(**changes: object) -> Email:
    known: dict[str, object] = {
        "message_id": "c1-digest",
        "store_id": "s1",
        "contact_id": "c1",
        "kind": "marketing",
        "sender": "shop@hadar.example",
        "sender_name": 'בית קפה "הדר"',
        "to": "dana@example.test",
        "to_name": "דנה לוי",
        "subject": "פרסומת: שלום דנה, מה שלומך היום? נושא ארוך מאוד שעובר את אורך השורה המותר בכותרת",
        "html": "<p>שלום</p>",
        "text": "שלום\n.\nFrom x",
        "headers": {"List-Unsubscribe": "<https://agala.example/u/token>"},
    }
    return Email.model_validate(known | changes)


def test_an_email_reads_back_as_it_was_meant() -> None:
    read = message_from_bytes(to_mime(email()), policy=default)
    assert read["Subject"] == email().subject
    assert read["From"].addresses[0].display_name == 'בית קפה "הדר"'
    assert read["To"].addresses[0].addr_spec == "dana@example.test"
    assert read["Message-ID"] == "<c1-digest@hadar.example>"
    assert read["List-Unsubscribe"] == "<https://agala.example/u/token>"
    assert read.get_content_type() == "multipart/alternative"
    text, html = read.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content().replace("\r\n", "\n").strip() == email().text
    assert html.get_content().strip() == "<p>שלום</p>"


def test_the_bytes_are_plain_ascii_and_the_same_every_time() -> None:
    assert to_mime(email()).isascii()
    assert to_mime(email()) == to_mime(email())


def test_no_name_and_no_subject_adds_a_header() -> None:
    read = message_from_bytes(
        to_mime(email(subject="a\r\nBcc: x@example.test", to_name="b\r\nBcc: y@example.test", sender_name="c\nX: 1")),
        policy=default,
    )
    assert read["Bcc"] is None and read["X"] is None
    assert len(read["To"].addresses) == 1


def test_a_hebrew_domain_is_written_in_ascii() -> None:
    assert b"dana@xn--" in to_mime(email(to="dana@דוגמה.test"))


@pytest.mark.parametrize(
    "address", ["דנה@example.test", "no-at", "a b@example.test", "a@", "a@b@c,d", "a>@example.test"]
)
def test_an_address_no_server_takes_is_rejected_without_naming_it(address: str) -> None:
    with pytest.raises(SendRejected) as caught:
        to_mime(email(to=address))
    assert str(caught.value) == "InvalidAddress"
