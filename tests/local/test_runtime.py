"""`python -m local` as a user meets it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import TryLater
from chalicelib.store_adapters.envelope import Arrival, encode
from local.outbox import Outbox
from local.queue import LocalQueue
from tests.conftest import HandClock
from tests.local.crashes import ROOT
from tests.local.test_outbox import email


class Process:
    def __init__(self, folder: Path, **settings: str) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AGALA_")},
            "AGALA_PORT": "0",
            "AGALA_DATA_DIR": str(folder),
            **settings,
        }
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "local"],
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> Process:
        assert self.popen.stdout
        self.url = self.popen.stdout.readline().split()[-1]
        self.link = self.popen.stdout.readline().split()[-1]
        self.token = self.link.partition("#token=")[2]
        return self

    def ask(self, path: str, method: str = "GET", body: Any = None, token: str | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read())

    def end(self, with_signal: int) -> int:
        self.popen.send_signal(with_signal)
        return self.popen.wait(10)


@pytest.fixture
def begun() -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.popen.kill()
        process.popen.communicate()


STORE = {
    "platform": "woocommerce",
    "name": "בית התה",
    "url": "https://tea.example",
    "country": "IL",
    "currency": "ILS",
    "timezone": "Asia/Jerusalem",
    "locale": "he",
}


def table_servers(folder: Path) -> list[int]:
    """Processes whose command line names this data folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if f"{folder}/table".encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
    return found


def gone(folder: Path, seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while table_servers(folder) and time.monotonic() < ends:
        time.sleep(0.02)
    return not table_servers(folder)


def test_what_was_answered_survives_sigkill_and_the_token_too(tmp_path: Path, begun: list[Process]) -> None:
    first = Process(tmp_path, AGALA_CLOCK_START="2026-11-01T08:00:00Z", AGALA_CLOCK_SPEED="60")
    begun.append(first.ready())
    assert first.ask("/health")[0] == 200
    status, store = first.ask("/v1/stores", "POST", STORE)
    assert status == 201
    _, clock = first.ask("/local/clock")
    assert clock["speed"] == 60
    assert clock["now"].startswith("2026-11-01T08:")
    first.end(signal.SIGKILL)

    second = Process(tmp_path, AGALA_CLOCK_SPEED="60")
    begun.append(second.ready())
    assert second.token == first.token
    status, found = second.ask(f"/v1/stores/{store['id']}")
    assert (status, found["name"]) == (200, "בית התה")
    assert second.ask("/local/clock")[1]["now"] > clock["now"]
    assert second.ask("/local/outbox") == (200, {"items": [], "next": None})


def test_a_start_gives_dead_letters_their_attempts_again(tmp_path: Path, begun: list[Process]) -> None:
    def out(_event: dict[str, Any]) -> None:
        raise TryLater("the table is out")

    arrival = Arrival("a-store-that-is-gone", "woocommerce", "d1", "r1", datetime(2026, 11, 21, tzinfo=UTC), {}, b"{}")
    queue = LocalQueue(tmp_path / "queue.db", receives=1)
    queue.send(encode(arrival), "d1")
    queue.start(out)
    assert queue.wait_until_idle(5)
    assert [letter.id for letter in queue.dead_letters()] == ["d1"]
    queue.close()

    begun.append(Process(tmp_path).ready())
    ends = time.monotonic() + 10
    while kept_messages(tmp_path) and time.monotonic() < ends:
        time.sleep(0.02)
    assert kept_messages(tmp_path) == 0


def kept_messages(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / "queue.db")) as queue:
        return int(queue.execute("SELECT count(*) FROM messages").fetchone()[0])


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are counted in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_leaves_no_process(tmp_path: Path, begun: list[Process], number: int) -> None:
    process = Process(tmp_path)
    begun.append(process.ready())
    with socket.create_connection(("127.0.0.1", int(process.url.rpartition(":")[2]))):  # an idle client holds on
        began = time.monotonic()
        assert process.end(number) == 0
        assert time.monotonic() - began < 2
    assert gone(tmp_path, 2)
    assert process.popen.stderr
    assert process.popen.stderr.read() == ""


@pytest.mark.skipif(not Path("/proc").exists() or not shutil.which("make"), reason="needs GNU make and /proc")
@pytest.mark.skipif(signal.getsignal(signal.SIGINT) is signal.SIG_IGN, reason="started where interrupts are ignored")
def test_an_interrupt_of_make_alone_stops_it_too(tmp_path: Path) -> None:
    recipe = tmp_path / "Makefile"
    recipe.write_text(f"run:\n\t@exec {sys.executable} -m local\n")
    settings = os.environ | {"AGALA_PORT": "0", "AGALA_DATA_DIR": str(tmp_path / "data")}
    make = subprocess.Popen(["make", "-f", str(recipe), "run"], cwd=ROOT, env=settings, stdout=subprocess.PIPE)
    assert make.stdout
    try:
        assert b"Agala runs at" in make.stdout.readline()
        make.send_signal(signal.SIGINT)
        make.wait(10)
        assert gone(tmp_path / "data", 2)
    finally:
        make.kill()
        make.communicate()


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are counted in /proc")
def test_sigkill_leaves_no_process_either(tmp_path: Path, begun: list[Process]) -> None:
    process = Process(tmp_path)
    begun.append(process.ready())
    assert table_servers(tmp_path)
    process.end(signal.SIGKILL)
    assert gone(tmp_path, 2)


def test_an_admin_token_that_was_replaced_opens_nothing(tmp_path: Path, begun: list[Process]) -> None:
    first = Process(tmp_path, AGALA_ADMIN_TOKEN="the-first-token")
    begun.append(first.ready())
    assert first.ask("/v1/stores")[0] == 200
    first.end(signal.SIGTERM)
    second = Process(tmp_path, AGALA_ADMIN_TOKEN="the-second-token")
    begun.append(second.ready())
    assert second.ask("/v1/stores")[0] == 200
    assert second.ask("/v1/stores", token="the-first-token")[0] == 401
    assert second.ask("/local/clock", token="the-first-token")[0] == 401
    assert (tmp_path / "admin-token").stat().st_mode & 0o077 == 0


def test_an_erased_persons_emails_leave_the_outbox(tmp_path: Path, begun: list[Process]) -> None:
    process = Process(tmp_path)
    begun.append(process.ready())
    store = process.ask("/v1/stores", "POST", STORE)[1]["id"]
    ids = []
    for name in ("dana", "roni"):
        shopper = {"email": f"{name}@shopper.example"}
        ids.append(process.ask(f"/v1/stores/{store}/contacts", "POST", shopper)[1]["id"])
        sent = {"store_id": store, "contact_id": ids[-1], "to": shopper["email"]}
        Outbox(tmp_path / "outbox.db", HandClock()).send(email(f"{ids[-1]}-m1").model_copy(update=sent))
    assert process.ask(f"/v1/stores/{store}/contacts/{ids[0]}", "DELETE")[0] == 204
    assert [message["contact_id"] for message in process.ask("/local/outbox")[1]["items"]] == [ids[1]]


def test_a_port_in_use_is_one_clear_sentence(tmp_path: Path, begun: list[Process]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = Process(tmp_path, AGALA_PORT=str(port))
        begun.append(process)
        output, errors = process.popen.communicate(timeout=20)
    assert (process.popen.returncode, output) == (1, "")
    assert errors == f"Port {port} is in use: stop what runs there, or choose another with AGALA_PORT.\n"


def test_a_bad_setting_is_one_clear_sentence(tmp_path: Path, begun: list[Process]) -> None:
    process = Process(tmp_path, AGALA_CLOCK_SPEED="fast")
    begun.append(process)
    _, errors = process.popen.communicate(timeout=20)
    assert process.popen.returncode == 1
    assert errors.startswith("Agala did not start: AGALA_CLOCK_SPEED must be")
    assert errors.count("\n") == 1
