"""SIGKILL at random moments of the demo, at least twenty times: the same messages as undisturbed, none twice."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from local.demo import play, report
from local.demo.acts import END, FIRST_NIGHT, LEFT_AFTER
from local.demo.live import Runtime

KILLS = 20
SPEED = 4800  # a store day in eighteen seconds: no restart costs the shop the 48 hours in which an event is fresh
# Until then one cart is bought shortly before it would count as left: an order told only after an outage would come too
# late for it, as it would in a shop.
SPARED = FIRST_NIGHT + LEFT_AFTER + timedelta(hours=3)


class Life:
    """The whole demo, lived once, with SIGKILL at `kills` random moments of it."""

    def __init__(self, folder: Path, kills: int, dice: random.Random) -> None:
        folder.mkdir()
        first, last = SPARED.total_seconds() / SPEED, 0.9 * END.total_seconds() / SPEED
        self.runtime = Runtime(folder, SPEED, play.START)
        self._moments = sorted(dice.uniform(first, last) for _ in range(kills))
        self._over = threading.Event()
        self.killed = 0

    def live(self) -> Life:
        self.runtime.start()
        stages = play.set_up(self.runtime)
        villain = threading.Thread(target=self._kill_at_moments, args=(time.monotonic(),))
        villain.start()
        try:
            play.play(stages.all)
        finally:
            self._over.set()
            villain.join()
        self.stories = [stage.story for stage in stages.all]
        self.messages = [play.outcomes(stage) for stage in stages.all]
        self.outbox = [mail["id"] for mail in self.runtime.get("/local/outbox")["items"]]
        self.left_of_the_erased = [trace for stage in stages.all for trace in report.left_of_the_erased(stage)]
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

    assert killed.killed == KILLS
    for story, undisturbed, disturbed in zip(killed.stories, calm.messages, killed.messages, strict=True):
        assert disturbed - story.optional == undisturbed - story.optional
        assert story.expected - disturbed == Counter()
    # Whoever was erased is in neither's messages; that nothing of them is left must be asked of each.
    assert calm.left_of_the_erased == killed.left_of_the_erased == []
    assert len(killed.outbox) == len(set(killed.outbox))
    assert len(calm.outbox) == len(set(calm.outbox))
