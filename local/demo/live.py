"""A runtime of our own to live in: started, spoken to over HTTP as a store would, killed if asked, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chalicelib.clock import parse_rfc3339, rfc3339
from local.demo.carts import CartCall
from local.demo.delivery import Delivery

PATIENCE_SECONDS = 90  # real time; a story that needs longer has failed


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


class Runtime:
    """`python -m local` in a folder of its own, on a free port, with a fast clock."""

    def __init__(self, folder: Path, speed: float, start: datetime) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = secrets.token_urlsafe(24)
        self.folder = folder
        self.speed = speed
        self._environment = {
            **os.environ,
            "AGALA_PORT": str(self.port),
            "AGALA_DATA_DIR": str(folder),
            "AGALA_ADMIN_TOKEN": self.token,
            "AGALA_CLOCK_SPEED": str(speed),
            "AGALA_CLOCK_START": rfc3339(start),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        with self._changing:
            log = (self.folder / "runtime.log").open("ab")
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local"], env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
            log.close()
            self._await_health()

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        with self._changing:
            assert self._process
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Ctrl-C; returns the exit code. Falls back to SIGKILL after ten seconds."""
        with self._changing:
            assert self._process
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)
                try:
                    self._process.wait(10)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()
            return self._process.returncode

    def _await_health(self) -> None:
        assert self._process
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if urllib.request.urlopen(f"{self.url}/health", timeout=5).status == 200:  # noqa: S310
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"the runtime did not start; its log is {self.folder / 'runtime.log'}")

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """One request, repeated while nobody answers or a door says 503, as stores and clients do."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | (headers or {})
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            request = urllib.request.Request(self.url + path, data, sent, method=method)  # noqa: S310
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                    return Answer(answer.status, _content(answer.read()))
            except urllib.error.HTTPError as refused:
                if refused.code != 503:
                    return Answer(refused.code, _content(refused.read()))
            except (OSError, ValueError):  # nobody there, or cut off in the middle
                pass
            if time.monotonic() > deadline:
                raise RuntimeError(f"no answer from the runtime to {method} {path}")
            time.sleep(0.05)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        if answer.status != 200:
            raise RuntimeError(f"GET {path} answered {answer.status}: {answer.body}")
        return answer.body

    def all(self, path: str) -> list[Any]:
        """Every item of a listing, page after page."""
        found: list[Any] = []
        cursor: str | None = None
        while True:
            joint = "&" if "?" in path else "?"
            page = self.get(path + (f"{joint}cursor={urllib.parse.quote(cursor)}" if cursor else ""))
            found += page["items"]
            cursor = page["next"]
            if not cursor:
                return found

    def deliver(self, store_id: str, delivery: Delivery) -> int:
        """As the shop does: again and again until it is taken."""
        headers = {"Authorization": "", **delivery.headers}
        return self.call("POST", f"/webhooks/{delivery.platform}/{store_id}", delivery.body, headers).status

    def tell_cart(self, store_id: str, secret: str, call: CartCall) -> int:
        """As the shop's plugin does: again and again until it is taken."""
        return self.call("POST", f"/v1/stores/{store_id}/carts", call.body, call.headers(secret)).status

    def clock(self) -> StoreClock:
        told = self.get("/local/clock")
        return StoreClock(parse_rfc3339(told["now"]), float(told["speed"]), time.monotonic())


@dataclass(frozen=True)
class StoreClock:
    """The runtime's clock as seen from outside: it runs on while the runtime is down."""

    anchor: datetime
    speed: float
    real_anchor: float

    def now(self) -> datetime:
        return self.anchor + timedelta(seconds=(time.monotonic() - self.real_anchor) * self.speed)

    def sleep_until(self, moment: datetime) -> None:
        left = (moment - self.now()).total_seconds() / self.speed
        if left > 0:
            time.sleep(left)


def _content(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
