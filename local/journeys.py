"""`make journeys`: a store's journeys as a folder of YAML files, against a running Agala (this machine's, or any); in
`templates/` below it are the store's own email templates.

    make journeys DIR=journeys                   what applying the folder would change
    make journeys DIR=journeys APPLY=1           save what is new or changed as drafts (ACTIVATE=1: and switch it on)
    make journeys DIR=journeys EXPORT=1          write the store's journeys into the folder

AGALA_URL (default: `make run`'s), AGALA_TOKEN (default: the admin token in `.agala/`), STORE (if there are several).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

_TIMEOUT = 60  # seconds
_SIGNS = {"new": "+", "changed": "~", "same": "=", "mistaken": "!", "archived": "!", "only_live": " "}


class Refused(Exception):
    """Its text is for whoever typed the command."""


def main(environ: Mapping[str, str] = os.environ) -> int:
    try:
        return _run(environ)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    except requests.RequestException as trouble:
        print(f"Agala does not answer ({type(trouble).__name__}). Is `make run` running? AGALA_URL?", file=sys.stderr)
        return 1


def _run(environ: Mapping[str, str]) -> int:
    if not environ.get("DIR"):
        raise Refused("Say which folder: make journeys DIR=journeys")
    folder = Path(environ["DIR"])
    server = _Server(environ)
    path = f"/v1/stores/{server.store(environ.get('STORE'))}/journey-files"
    if environ.get("EXPORT"):
        return _export(server.call("GET", path)["files"], folder)
    found = [*sorted(folder.glob("*.y*ml")), *sorted(folder.glob("templates/*.y*ml"))]
    files = {file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8") for file in found}
    if not files:
        raise Refused(f"There are no .yaml files in {folder}")
    apply = bool(environ.get("APPLY"))
    body: dict[str, Any] = {"files": files} | ({"activate": bool(environ.get("ACTIVATE"))} if apply else {})
    states = server.call("POST", f"{path}/{'apply' if apply else 'diff'}", body)["items"]
    return _tell(states, "applied" if apply else "nothing was changed; APPLY=1 applies it")


def _export(files: Mapping[str, str], folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    templates = sum("/" in name for name in files)
    print(f"{len(files) - templates} journeys and {templates} templates written into {folder}")
    return 0


def _tell(states: list[dict[str, Any]], end: str) -> int:
    for one in states:
        print(f"{_SIGNS[one['state']]} {one['id']}: {one['state'].replace('_', ' ')}")
        print(one["diff"], end="")
        for kind in ("mistakes", "warnings"):
            for found in one[kind]:
                place = f"{found['field']}: " if found["field"] else ""  # a file that is no YAML has none
                print(f"    {kind[:-1]}: {place}{found['message']}")
    print(f"({end})")
    return 1 if any(one["state"] in ("mistaken", "archived") for one in states) else 0


class _Server:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._url = (environ.get("AGALA_URL") or f"http://127.0.0.1:{environ.get('AGALA_PORT') or 8000}").rstrip("/")
        kept = Path(environ.get("AGALA_DATA_DIR") or ".agala") / "admin-token"
        token = environ.get("AGALA_TOKEN") or environ.get("AGALA_ADMIN_TOKEN")
        if not token and kept.exists():
            token = kept.read_text().strip()
        if not token:
            raise Refused("No token: start `make run` once, or set AGALA_TOKEN")
        self._headers = {"Authorization": f"Bearer {token}"}

    def store(self, wanted: str | None) -> str:
        """The store that is meant: the named one (id or name), or the only one there is."""
        stores = self.call("GET", "/v1/stores")["items"]
        mine = [one for one in stores if wanted in (None, one["id"], one["name"])]
        if len(mine) != 1:
            names = ", ".join(f"{one['id']} ({one['name']})" for one in stores) or "none yet"
            raise Refused(f"Say which store: STORE=id. There are: {names}")
        return str(mine[0]["id"])

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Raises `Refused` with what the answer says is wrong."""
        answer = requests.request(method, self._url + path, json=body, headers=self._headers, timeout=_TIMEOUT)
        if answer.ok:
            found: dict[str, Any] = answer.json()
            return found
        try:
            told = answer.json()
        except ValueError:
            raise Refused(f"{self._url} answers {answer.status_code}") from None
        lines = [f"{told.get('title')}: {told.get('detail')}"]
        lines += [f"    {one['field']}: {one['message']}" for one in told.get("errors", [])]
        raise Refused("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
