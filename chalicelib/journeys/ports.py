"""What journeys need from outside; Step Functions and the embedded interpreter both provide it."""

from __future__ import annotations

from typing import Any, Protocol


class Workflows(Protocol):
    """Durable executions of compiled state machines."""

    def publish(self, name: str, definition: dict[str, Any]) -> str:
        """Make (or find) a state machine of this name and return its reference. Repeating is harmless."""
        ...

    def start(self, machine: str, execution: str, payload: dict[str, Any]) -> None:
        """Start once: a second start of the same `execution` name does nothing. Payload: ids and times only.

        Raises `errors.TryLater` when the service refuses for now.
        """
        ...

    def stop(self, machine: str, execution: str, reason: str) -> None:
        """Stop if it runs; nothing happens if it ended or never was."""
        ...


# Named errors of the step task: the state machine catches them by these names, so the happy way pays
# nothing for them. A class's name is what Lambda reports as the error's name.


class NotNow(Exception):
    """The step may go on later; the text is the RFC 3339 time to come back at."""


class Held(Exception):
    """The journey is paused: this execution ends, a resume machine will take over."""


class Ended(Exception):
    """The enrolment is over (goal, exit, stopped, erased): this execution ends."""


class ProviderBusy(Exception):
    """The message provider surely did not take it: the state machine may try again."""
