"""The embedded runtime's provider of every channel: it keeps each message it is given, and knows which ones it has."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from chalicelib.clock import Clock, rfc3339
from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.ports import Email, SendRejected, Sms, WhatsApp
from local.journal import Journal

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL,
    delivery TEXT NOT NULL
);
"""
# `delivery`: kept (no SMTP), trying (handed to the mail server, its answer not yet known), delivered, uncertain,
# erased (nothing but the id is left: it must never be sent again).

_SEEN = "SELECT id, record, delivery FROM messages WHERE delivery <> 'erased'"


class Outbox:
    """An `EmailChannel`, `SmsChannel` and `WhatsAppChannel`. With `deliver` each email also goes out for real, once;
    one whose delivery was cut short (the process died in the middle) stays `trying`, is shown so, and never goes out
    again by itself. An SMS or WhatsApp message is kept, no more."""

    def __init__(self, path: Path, clock: Clock, deliver: Callable[[Email], None] | None = None) -> None:
        self._journal = Journal(path, _SCHEMA)
        self._clock = clock
        self._deliver = deliver

    def send(self, message: Email | Sms | WhatsApp, /) -> str:
        """Keeps it; a message id that is here already changes nothing. Raises ProviderBusy, SendRejected and
        SendUncertain of the delivery; an email that it surely did not take is not kept."""
        provider_id = f"outbox-{message.message_id}"
        goes_out = isinstance(message, Email) and self._deliver is not None
        with self._journal.transaction() as journal:
            new = journal.execute(
                "INSERT INTO messages (id, record, delivery) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING place",
                (message.message_id, self._record(message), "trying" if goes_out else "kept"),
            ).fetchone()
        if new and isinstance(message, Email) and self._deliver:
            self._send_out(message, self._deliver)
        return provider_id

    def was_taken(self, message_id: str) -> str | bool | None:
        row = self._journal.row("SELECT delivery FROM messages WHERE id = ?", message_id)
        if row is None:
            return False
        return None if row["delivery"] in ("trying", "uncertain") else f"outbox-{message_id}"

    def messages(self) -> list[dict[str, Any]]:
        """Oldest first: `{id, channel, kind, from, to, subject, headers, html, text, at, journey, step, contact_id,
        store_id, delivery}`."""
        return [_shown(row) for row in self._journal.rows(f"{_SEEN} ORDER BY place")]

    def message(self, message_id: str) -> dict[str, Any] | None:
        """As in `messages`; None if it was never sent, or is erased."""
        row = self._journal.row(f"{_SEEN} AND id = ?", message_id)
        return _shown(row) if row else None

    def forget(self, store_id: str, contact_id: str, addresses: Collection[str]) -> None:
        """Everything that was sent to this contact or to one of these addresses, but for the messages' ids."""
        wanted = {address.casefold() for address in addresses}
        with self._journal.transaction() as journal:
            for row in journal.execute(_SEEN).fetchall():
                record = json.loads(row["record"])
                theirs = record["contact_id"] == contact_id or record["to"].casefold() in wanted
                if theirs and record["store_id"] == store_id:
                    journal.execute("UPDATE messages SET record = '{}', delivery = 'erased' WHERE id = ?", (row["id"],))

    def close(self) -> None:
        self._journal.close()

    def _send_out(self, email: Email, deliver: Callable[[Email], None]) -> None:
        try:
            deliver(email)
        except (ProviderBusy, SendRejected):
            with self._journal.transaction() as journal:
                journal.execute("DELETE FROM messages WHERE id = ?", (email.message_id,))
            raise
        except Exception:
            self._mark(email.message_id, "uncertain")
            raise
        self._mark(email.message_id, "delivered")

    def _mark(self, message_id: str, delivery: str) -> None:
        with self._journal.transaction() as journal:
            journal.execute("UPDATE messages SET delivery = ? WHERE id = ?", (delivery, message_id))

    def _record(self, message: Email | Sms | WhatsApp) -> str:
        record = {
            **_of(message),
            "kind": message.kind,
            "to": message.to,
            "text": message.text,
            "at": rfc3339(self._clock.now()),
            "journey": message.journey,
            "step": message.step,
            "contact_id": message.contact_id,
            "store_id": message.store_id,
        }
        return json.dumps(record, ensure_ascii=False)


def _of(message: Email | Sms | WhatsApp) -> dict[str, Any]:
    if isinstance(message, Email):
        return _of_email(message)
    return _of_sms(message) if isinstance(message, Sms) else _of_whatsapp(message)


def _of_email(email: Email) -> dict[str, Any]:
    return {
        "channel": "email",
        "from": f"{email.sender_name} <{email.sender}>" if email.sender_name else email.sender,
        "subject": email.subject,
        "headers": email.headers | ({"Reply-To": email.reply_to} if email.reply_to else {}),
        "html": email.html,
    }


def _of_sms(sms: Sms) -> dict[str, Any]:
    return {"channel": "sms", "from": sms.sender or sms.sender_name, "subject": None, "headers": {}, "html": None}


def _of_whatsapp(message: WhatsApp) -> dict[str, Any]:
    template = {"X-WhatsApp-Template": f"{message.template} ({message.language})"} if message.template else {}
    return {"channel": "whatsapp", "from": message.sender_name, "subject": None, "headers": template, "html": None}


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return {"id": row["id"], **json.loads(row["record"]), "delivery": row["delivery"]}
