from __future__ import annotations

from chalicelib.access import token_hash
from chalicelib.settings import Settings
from chalicelib.storage.table import Table
from chalicelib.wiring import Wiring
from infra.first_token import make


def test_the_first_token_opens_every_store_and_only_its_hash_is_kept(table: Table) -> None:
    wiring = Wiring(Settings.from_environment({}))
    wiring.table = table
    secret = make(wiring, "first admin")
    kept = wiring.tokens.find(token_hash(secret))
    assert kept is not None and kept.covers("any-store")
    assert secret not in kept.model_dump_json()
