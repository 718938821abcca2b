"""What a message says, as a digest by which the same words are known again."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from chalicelib.contacts.consent import Channel
from chalicelib.ids import digest

_SPACE = re.compile(r"\s+")


def words_digest(channel: Channel, subject: str | None, text: str, ours: str | None = None) -> str:
    """Of the subject and the text as its reader sees them, whatever the spaces. `ours` is any address of our own, such
    as the unsubscribe link: addresses at its place differ from message to message and are no words.

    For an email `text` is its text twin.
    """
    if ours:
        place = urlsplit(ours)
        text = re.sub(rf"{re.escape(f'{place.scheme}://{place.netloc}/')}\S*", "", text)
    plain = (_SPACE.sub(" ", part).strip() for part in (subject or "", text))
    return digest("words", channel.value, *plain)
