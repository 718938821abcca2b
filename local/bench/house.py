"""The whole product in this process, with a meter on its table: real handlers, queue and workflows, a fast clock."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from chalicelib import wiring
from chalicelib.journeys import walk
from local import runtime
from local.bench.units import Meter
from local.demo import live, play
from local.demo.delivery import Delivery
from local.demo.shop import Shopper
from local.queue import LocalQueue
from local.runtime import LocalWiring
from local.schedules import Schedules
from local.settings import LocalSettings
from local.table_server import local_client
from local.workflows import LocalWorkflows

SECRET = "bench-webhook-secret"
START = play.START
STORE_SECONDS_PER_SECOND = 1800.0
PATIENCE = 60.0  # real seconds


class House(live.Runtime):
    """Spoken to over HTTP as any runtime; `meter` counts what its handlers ask of the table."""

    def __init__(self, folder: Path, speed: float) -> None:
        super().__init__(folder, speed, START)
        self.transitions: dict[str, int] = {}

    @property
    def parts(self) -> LocalWiring:
        return cast("LocalWiring", wiring.get())

    def unmetered(self) -> Any:
        """A client of the same table that nobody counts."""
        return local_client("dynamodb", self.endpoint)

    def _metered(self, endpoint: str, file: Path) -> Any:
        """In the place of the runtime's own quick client: boto3's, whose events can be read along."""
        self.endpoint = endpoint
        client = local_client("dynamodb", endpoint)
        self.meter = Meter(self.unmetered())
        self.meter.watch(client.meta.events)
        return client

    @property
    def workflows(self) -> LocalWorkflows:
        return cast("LocalWorkflows", self.parts.workflows)

    @contextmanager
    def open(self) -> Iterator[House]:
        settings = replace(LocalSettings.from_environment(self._environment), clock_speed=self.speed, clock_start=START)
        with ExitStack() as stack:
            for name in ("begin", "time_came", "task_succeeded", "task_failed"):
                stack.enter_context(patch.object(walk, name, self._counted(getattr(walk, name))))
            stack.enter_context(patch.object(runtime, "IndexedTableClient", self._metered))
            # A store night is over in a minute here: what it asks of the table belongs on nobody's bill.
            stack.enter_context(patch.object(Schedules, "start", lambda _: None))
            inside = runtime.Runtime(settings)
            inside.serve()
            stack.callback(inside.close)
            yield self

    def _counted(self, walked: Any) -> Any:
        """The interpreter counts transitions as Step Functions bills them; this keeps each execution's last count."""

        def counting(*given: Any, **more: Any) -> Any:
            standing = walked(*given, **more)
            self.transitions[str(standing.execution["Name"])] = standing.transitions
            return standing

        return counting

    def take(self, store_id: str, *deliveries: Delivery) -> None:
        """Deliver one after the other, each applied before the next comes, so that counts are always the same."""
        for delivery in deliveries:
            if (status := self.deliver(store_id, delivery)) != 200:
                raise RuntimeError(f"a delivery was answered {status}")
            self.settle()

    def settle(self) -> None:
        if not (
            cast("LocalQueue", self.parts.queue).wait_until_idle(PATIENCE) and self.workflows.wait_until_idle(PATIENCE)
        ):
            raise RuntimeError("the deliveries were not applied in time")

    def await_executions(self, ended: int) -> None:
        """Until so many executions have ended: their waits are over and their messages sent."""
        deadline = time.monotonic() + PATIENCE
        while self.workflows.counts().get("succeeded", 0) < ended:
            if time.monotonic() > deadline:
                raise RuntimeError(f"executions did not end: {self.workflows.counts()}")
            time.sleep(0.02)
        self.settle()

    def now(self) -> datetime:
        return self.parts.clock.now()


@contextmanager
def open_house(speed: float = STORE_SECONDS_PER_SECOND) -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="agala-bench-") as folder, House(Path(folder), speed).open() as house:
        yield house


def make_store(runtime: live.Runtime) -> str:
    """Returns its id."""
    made = runtime.call(
        "POST",
        "/v1/stores",
        {
            "platform": "woocommerce",
            "name": "Tea",
            "url": "https://tea.example",
            "country": "IL",
            "currency": "ILS",
            "timezone": "Asia/Jerusalem",
            "locale": "he",
            "secret": SECRET,
            "settings": {
                "sender": {"name": "Tea", "email": "hello@tea.example", "address": "1 Example St, Haifa"},
                "quiet_hours": {"email": None},
            },
        },
    )
    if made.status != 201:
        raise RuntimeError(f"the store was not made: {made.status} {made.body}")
    return str(made.body["id"])


def shopper(number: int) -> Shopper:
    return Shopper(number, "נועה", "כהן")


def wait_then_mail(wait: dict[str, int]) -> dict[str, Any]:
    """The plainest journey: after each paid order wait, then write."""
    words = {"he": "רגע אחרי הקנייה", "en": "A moment after the purchase"}
    mail = {
        "subject": "{{ contact.first_name }}, {{ order.number }}",
        "preheader": "…",
        "blocks": [{"type": "heading", "text": "{{ store.name }}"}, {"type": "order_items"}],
    }
    return {
        "name": words,
        "description": words,
        "trigger": {"type": "order_paid"},
        "reentry": {"mode": "every_time"},
        "steps": [
            {"id": "pause", "title": words, "type": "wait", "for": wait},
            {
                "id": "mail",
                "title": words,
                "type": "send_email",
                "kind": "marketing",
                "content": {"he": mail, "en": mail},
            },
        ],
    }
