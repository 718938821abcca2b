"""A SQLite file that is written before anything is answered: it survives the process's death at any moment."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Journal:
    """One connection, one writer at a time. A transaction is all or nothing, also under `kill -9`."""

    def __init__(self, path: Path, schema: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # NORMAL: a commit is in the operating system's hands, so the process may die; as with the table server.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(schema)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commits at the end, rolls back on any exception. Raises sqlite3.Error (disk full, file damaged)."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def row(self, query: str, *values: object) -> sqlite3.Row | None:
        found = self.rows(query, *values)
        return found[0] if found else None

    def close(self) -> None:
        with self._lock:
            self._connection.close()
