"""Takes a place for a marketing message among those that its contact gets, without races."""

from __future__ import annotations

from datetime import datetime

from chalicelib.commerce.store import Store
from chalicelib.errors import Conflict
from chalicelib.messages.message import Message
from chalicelib.messages.ports import MessageRepository, RecentRecords
from chalicelib.messages.recent import LONGEST_RUN, Place, kept, still_stands, too_much

_TRIES = 10


class Places:
    """A place is never handed back: who would be refused looks first whether those in the way went out at all. So a
    crash between a failure and its handing back loses nobody a message, and what goes well costs one read and write."""

    def __init__(self, recents: RecentRecords, messages: MessageRepository) -> None:
        self._recents, self._messages = recents, messages

    def take(self, store: Store, message: Message, now: datetime) -> str | None:
        """Why there is no place for it (`duplicate`, `frequency_cap`), or None: it has one, and keeps it when it asks
        again after a crash. `message.words` tells what it says.

        Raises `Conflict` when others keep taking places.
        """
        store_id, contact_id, words = message.store_id, message.contact_id, message.words or ""
        place = Place(message=message.id, channel=message.channel, at=now, words=words)
        for _ in range(_TRIES):
            recent = self._recents.get(store_id, contact_id)
            places = kept(recent.places, store, now)
            own = next((one for one in places if one.message == message.id), None)
            if own is not None and own.words == words and now - own.at < LONGEST_RUN:
                return None
            others = tuple(one for one in places if one.message != message.id)
            while own is None and (found := too_much(store, message.channel, words, others, now)):
                reason, in_the_way = found
                gone = {one.message for one in in_the_way if not self._stands(store_id, contact_id, one, now)}
                if not gone:
                    return reason
                others = tuple(one for one in others if one.message not in gone)
            written = recent.model_copy(update={"places": kept((*others, place), store, now)})
            try:
                self._recents.save(store_id, contact_id, written)
            except Conflict:
                continue
            return None
        raise Conflict("the contact's places keep changing")

    def _stands(self, store_id: str, contact_id: str, place: Place, now: datetime) -> bool:
        return still_stands(place, self._messages.get(store_id, place.message, contact_id), now)
