"""SIGKILL at random moments of the demo, at least twenty times: the same messages as undisturbed, none twice."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from local.demo import play
from local.demo import story as script
from local.demo.live import Runtime

KILLS = 20
SPEED = 4800  # a store day in eighteen seconds: no restart costs the shop the 48 hours in which an event is fresh
# Until then one cart is bought shortly before it would count as left: an order told only after an outage would come too
# late for it, as it would in a shop.
SPARED = script.FIRST_NIGHT + script.LEFT_AFTER + timedelta(hours=3)


class Life:
    """The whole demo, lived once, with SIGKILL at `kills` random moments of it."""

    def __init__(self, folder: Path, kills: int, dice: random.Random) -> None:
        folder.mkdir()
        first, last = SPARED.total_seconds() / SPEED, 0.9 * script.END.total_seconds() / SPEED
        self.runtime = Runtime(folder, SPEED, play.START)
        self._moments = sorted(dice.uniform(first, last) for _ in range(kills))
        self._over = threading.Event()
        self.killed = 0

    def live(self) -> Life:
        self.runtime.start()
        self.stage = play.set_up(self.runtime)
        villain = threading.Thread(target=self._kill_at_moments, args=(time.monotonic(),))
        villain.start()
        try:
            play.play(self.stage)
        finally:
            self._over.set()
            villain.join()
        self.messages = play.outcomes(self.stage)
        self.outbox = [mail["id"] for mail in self.runtime.get("/local/outbox")["items"]]
        return self

    def _kill_at_moments(self, began: float) -> None:
        for moment in self._moments:
            if self._over.wait(max(0.0, began + moment - time.monotonic())):
                return
            self.runtime.kill()
            self.killed += 1
            self.runtime.start()


def test_killed_twenty_times_the_demo_ends_the_same(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"killed at the moments of seed {seed}")
    calm, killed = Life(tmp_path / "calm", 0, random.Random()), Life(tmp_path / "killed", KILLS, random.Random(seed))
    try:
        with ThreadPoolExecutor(2) as both:
            for done in [both.submit(calm.live), both.submit(killed.live)]:
                done.result()
    finally:
        calm.runtime.stop()
        killed.runtime.stop()

    optional = killed.stage.story.optional
    assert killed.killed == KILLS
    assert killed.messages - optional == calm.messages - optional
    assert killed.stage.story.expected - killed.messages == Counter()
    assert len(killed.outbox) == len(set(killed.outbox))
    assert len(calm.outbox) == len(set(calm.outbox))
