"""SIGKILL at random moments of the demo, at least twenty times: the same messages as undisturbed, none twice."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path

from local.demo import play
from local.demo.live import Runtime
from local.demo.play import Stage
from local.demo.story import Outcome

KILLS = 20
SPEED = 7200  # a store day in twelve seconds: a restart costs the shop a few hours, as it would


def live(folder: Path, kills: int, seed: int = 0) -> tuple[Stage, Runtime, int]:
    """Plays the whole demo while being killed; returns what is there in the end and how often it was killed."""
    folder.mkdir()
    runtime = Runtime(folder, SPEED, play.START)
    runtime.start()
    stage = play.set_up(runtime)
    over = threading.Event()
    killed = [0]

    def killer() -> None:
        dice = random.Random(seed)
        while killed[0] < kills and not over.wait(dice.uniform(1.5, 5)):
            runtime.kill()
            killed[0] += 1
            over.wait(dice.uniform(0, 0.3))
            runtime.start()

    villain = threading.Thread(target=killer)
    villain.start()
    try:
        play.play(stage)
    finally:
        over.set()
        villain.join()
    return stage, runtime, killed[0]


def ending(stage: Stage) -> tuple[Counter[Outcome], list[str]]:
    outbox = [m["id"] for m in stage.runtime.get("/local/outbox")["items"]]
    return play.outcomes(stage), outbox


def test_killed_twenty_times_the_demo_ends_the_same(tmp_path: Path) -> None:
    calm: list[tuple[Stage, Runtime, int]] = []
    beside = threading.Thread(target=lambda: calm.append(live(tmp_path / "calm", kills=0)))
    beside.start()
    stage, runtime, killed = live(tmp_path / "killed", KILLS, seed=int(time.time()))
    beside.join()
    calm_stage, calm_runtime, _ = calm[0]
    try:
        messages, outbox = ending(stage)
        calm_messages, calm_outbox = ending(calm_stage)
    finally:
        runtime.stop()
        calm_runtime.stop()

    optional = stage.story.optional
    assert killed >= KILLS
    assert messages - optional == calm_messages - optional
    assert stage.story.expected - messages == Counter()
    assert len(outbox) == len(set(outbox))
    assert len(calm_outbox) == len(set(calm_outbox))
