"""The durable DynamoDB of the embedded runtime: roto (SQLite behind DynamoDB's own protocol) as our child.

It survives `kill -9`, starts in milliseconds whatever its size, and is thread-safe; docs/decisions.md has the trial.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class TableServer:
    """One roto process over one data folder. It dies with us, however we die.

    The folder's lock is held by both processes: a new start waits until an earlier server has let go of it.
    """

    def __init__(self, folder: Path | None) -> None:
        """`folder` None keeps everything in memory (tests). Raises RuntimeError if the folder stays in use."""
        self._lock, self._folder = None, folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        command = [_binary(), "--port", str(self.port)]
        inherited: list[int] = []
        if folder is None:
            command.append("--ephemeral")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / "lock").open("w")
            _wait_for(self._lock.fileno(), folder)
            inherited.append(self._lock.fileno())
            command += ["--data-dir", str(folder)]
        # A shell between us reads our end of a pipe: when we die, even by SIGKILL, it ends the server.
        guard = 'exec 3<&0; "$@" </dev/null >/dev/null 2>&1 & server=$!; read -r _ <&3; kill -9 $server'
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", guard, "guard", *command],
            stdin=subprocess.PIPE,
            pass_fds=inherited,
            start_new_session=True,  # Ctrl-C is for us: we stop it in our own order
        )
        self._await_answer()

    @property
    def file(self) -> Path:
        """The SQLite file with the tables. Raises RuntimeError for a server that keeps everything in memory."""
        if self._folder is None:
            raise RuntimeError("this table server has no folder")
        return self._folder / "dynamodb.db"

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str = "dynamodb") -> Any:
        return local_client(service, self.endpoint)

    def dynamodb(self) -> DynamoDBClient:
        client: DynamoDBClient = self.client("dynamodb")
        return client

    def close(self) -> None:
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.wait(timeout=10)
        if self._lock:
            self._lock.close()

    def _await_answer(self) -> None:
        for _ in range(1000):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError("the table server did not start")


def local_client(service: str, endpoint: str) -> Any:
    """A boto3 client of a server on this machine, with made-up credentials."""
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 (no secret: the server takes anything)
        config=Config(max_pool_connections=64, retries={"max_attempts": 3}, connect_timeout=5, read_timeout=20),
    )


def _binary() -> str:
    beside = Path(sys.executable).parent / "roto-server"
    found = str(beside) if beside.exists() else shutil.which("roto-server")
    if not found:
        raise RuntimeError("roto-server is missing: pip install -r requirements-dev.txt")
    return found


def _wait_for(descriptor: int, folder: Path) -> None:
    for _ in range(1000):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
            continue
        os.set_inheritable(descriptor, True)
        return
    raise RuntimeError(f"{folder} is in use by another running Agala")
