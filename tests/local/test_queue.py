from __future__ import annotations

import itertools
import json
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import TryLater
from local.queue import LocalQueue
from tests.local.crashes import run_with_kills

Event = dict[str, Any]


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[LocalQueue]:
    queue = LocalQueue(tmp_path / "queue.db", pause=0.001)
    yield queue
    queue.close()


def bodies(event: Event) -> list[Any]:
    return [json.loads(record["body"]) for record in event["Records"]]


def test_the_handler_gets_what_was_sent_as_sqs_gives_it(queue: LocalQueue) -> None:
    records: list[Any] = []
    queue.send({"store": "חנות", "n": 1}, "first")
    queue.start(lambda event: records.extend(event["Records"]))
    assert queue.wait_until_idle(5)
    (record,) = records
    assert json.loads(record["body"]) == {"store": "חנות", "n": 1}
    assert record["messageId"] == "first"
    assert record["eventSource"] == "aws:sqs"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["receiptHandle"]
    assert queue.waiting() == 0


def test_a_delayed_message_is_not_given_out_early_nor_later_for_a_restart(tmp_path: Path) -> None:
    queue = LocalQueue(tmp_path / "queue.db", delay=0.4)
    queue.send({"n": 1}, "first")
    sent = time.monotonic()
    queue.close()
    again = LocalQueue(tmp_path / "queue.db", delay=0.4)
    came: list[float] = []
    again.start(lambda event: came.append(time.monotonic()))
    assert again.wait_until_idle(5)
    again.close()
    assert 0.35 < came[0] - sent < 3


def test_the_sender_does_not_wait_for_the_handler(queue: LocalQueue) -> None:
    let_go = threading.Event()
    queue.start(lambda event: let_go.wait(10) and None)
    began = time.monotonic()
    for n in range(50):
        queue.send({"n": n}, str(n))
    assert time.monotonic() - began < 5
    assert queue.waiting() == 50
    let_go.set()
    assert queue.wait_until_idle(5)


def test_the_same_id_counts_once_while_it_is_here(queue: LocalQueue) -> None:
    queue.send({"n": 1}, "same")
    queue.send({"n": 2}, "same")
    assert queue.waiting() == 1


def test_only_the_failed_part_of_a_batch_comes_again(queue: LocalQueue) -> None:
    seen: Counter[int] = Counter()
    lock = threading.Lock()

    def handler(event: Event) -> Any:
        failures = []
        with lock:
            for record in event["Records"]:
                n = json.loads(record["body"])["n"]
                seen[n] += 1
                if n % 2 and seen[n] < 3:
                    failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    for n in range(20):
        queue.send({"n": n}, str(n))
    queue.start(handler)
    assert queue.wait_until_idle(10)
    assert seen == {n: 3 if n % 2 else 1 for n in range(20)}
    assert queue.dead_letters() == []


def test_an_exception_fails_the_batch_and_then_each_comes_alone(queue: LocalQueue) -> None:
    sizes: list[int] = []
    done: list[Any] = []

    def handler(event: Event) -> None:
        sizes.append(len(event["Records"]))
        if any(body == {"n": "poison"} for body in bodies(event)):
            raise RuntimeError("no")
        done.extend(bodies(event))

    for n in ("a", "poison", "b"):
        queue.send({"n": n}, str(n))
    queue.start(handler)
    assert queue.wait_until_idle(10)
    assert sorted(body["n"] for body in done) == ["a", "b"]
    (dead,) = queue.dead_letters()
    assert (dead.body, dead.receives, dead.error) == ({"n": "poison"}, 5, "RuntimeError")
    assert set(sizes[1:]) == {1}


def test_the_fifth_failure_makes_a_dead_letter_and_redrive_brings_it_back(tmp_path: Path) -> None:
    queue = LocalQueue(tmp_path / "queue.db", pause=0.001)
    counts: list[str] = []
    broken = True

    def handler(event: Event) -> None:
        counts.extend(record["attributes"]["ApproximateReceiveCount"] for record in event["Records"])
        if broken:
            raise ValueError

    queue.send({"n": 1}, "x")
    queue.start(handler)
    assert queue.wait_until_idle(10)
    assert counts == ["1", "2", "3", "4", "5"]
    queue.close()

    broken = False
    again = LocalQueue(tmp_path / "queue.db", pause=0.001)
    again.start(handler)
    assert [letter.id for letter in again.dead_letters()] == ["x"]
    assert again.wait_until_idle(5)
    assert len(counts) == 5
    assert again.redrive() == 1
    assert again.wait_until_idle(5)
    assert again.dead_letters() == []
    assert again.waiting() == 0
    again.close()


@pytest.mark.parametrize(
    "answer", [{"batchItemFailures": [{"itemIdentifier": "stranger"}]}, {"batchItemFailures": [{}]}]
)
def test_an_answer_that_names_no_message_of_the_batch_fails_all_of_it(queue: LocalQueue, answer: Any) -> None:
    queue.send({"n": 1}, "1")
    queue.start(lambda event: answer)
    assert queue.wait_until_idle(10)
    assert len(queue.dead_letters()) == 1


def test_attempts_are_further_and_further_apart(tmp_path: Path) -> None:
    queue = LocalQueue(tmp_path / "queue.db", pause=0.05)
    moments: list[float] = []

    def handler(event: Event) -> None:
        moments.append(time.monotonic())
        raise ValueError

    queue.send({}, "x")
    queue.start(handler)
    assert queue.wait_until_idle(10)
    pauses = [later - sooner for sooner, later in itertools.pairwise(moments)]
    assert all(pause >= wanted for pause, wanted in zip(pauses, [0.05, 0.1, 0.2, 0.4], strict=True))
    queue.close()


def test_a_queue_that_cannot_be_written_says_try_later(queue: LocalQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(queue._journal, "transaction", full)
    with pytest.raises(TryLater):
        queue.send({"n": 1}, "1")


def test_close_leaves_what_is_not_begun_for_the_next_start(tmp_path: Path) -> None:
    queue = LocalQueue(tmp_path / "queue.db")
    queue.send({"n": 1}, "1")
    queue.close()
    again = LocalQueue(tmp_path / "queue.db")
    got: list[Any] = []
    keep: Callable[[Event], None] = lambda event: got.extend(bodies(event))  # noqa: E731
    again.start(keep)
    assert again.wait_until_idle(5)
    assert got == [{"n": 1}]
    again.close()


# Sends 400 numbered messages, each printed (committed) before the next; handles them slowly; exits when all are done.
_SCRIPT = """
import sqlite3, sys, time
from pathlib import Path
from local.queue import LocalQueue
import json

folder = Path(sys.argv[1])
effects = folder / "effects"
sent = folder / "sent"

def handler(event):
    failures = []
    for record in event["Records"]:
        n = json.loads(record["body"])["n"]
        time.sleep(0.002)
        if n % 10 == 7 and record["attributes"]["ApproximateReceiveCount"] == "1":
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        with effects.open("a") as file:
            file.write(f"{n}\\n")
    return {"batchItemFailures": failures}

queue = LocalQueue(folder / "queue.db", pause=0.01)
queue.start(handler)
print("ready", flush=True)
first = len(sent.read_text().split()) if sent.exists() else 0
for n in range(first, 400):
    queue.send({"n": n}, str(n))
    with sent.open("a") as file:
        file.write(f"{n}\\n")
assert queue.wait_until_idle(30)
assert queue.dead_letters() == []
"""


def test_nothing_that_was_sent_is_lost_under_kill_9(tmp_path: Path) -> None:
    run_with_kills(_SCRIPT, str(tmp_path), kills=20, seed=1, longest=0.15)
    effects = Counter(int(n) for n in (tmp_path / "effects").read_text().split())
    assert set(effects) == set(range(400))
    # Only what was in hand at a kill (at most 4 workers of 10 each) may have come twice.
    assert sum(effects.values()) <= 400 + 20 * 40
