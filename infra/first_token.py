"""The first admin token of a deployment: made here, shown once, kept in the table only as a hash.

    .venv/bin/python -m infra.first_token --table <TableName of the stack's outputs>

Uses the AWS credentials and region of the shell. Every further token is made over `/v1/tokens`.
"""

from __future__ import annotations

import argparse
import secrets

from chalicelib.access import ALL_STORES, Token, token_hash
from chalicelib.clock import SystemClock
from chalicelib.ids import new_id
from chalicelib.settings import Settings
from chalicelib.wiring import Wiring


def make(wiring: Wiring, name: str) -> str:
    """Keep a token for all stores and return its secret, which cannot be shown again."""
    secret, now = secrets.token_urlsafe(32), SystemClock().now()
    wiring.tokens.put(Token(id=new_id(now), name=name, hash=token_hash(secret), stores=(ALL_STORES,), created_at=now))
    return secret


def main() -> None:
    arguments = argparse.ArgumentParser(description="Make the first admin token of a deployment.")
    arguments.add_argument("--table", required=True)
    arguments.add_argument("--name", default="first admin")
    asked = arguments.parse_args()
    print(make(Wiring(Settings.from_environment({"AGALA_TABLE": asked.table})), asked.name))


if __name__ == "__main__":
    main()
