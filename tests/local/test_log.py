from __future__ import annotations

import json
import logging

from local.log import JsonLines


def test_an_exceptions_text_is_not_written() -> None:
    try:
        raise ValueError("dana@shopper.example is no number")
    except ValueError as problem:
        record = logging.getLogger("agala").makeRecord(
            "agala", logging.ERROR, __file__, 1, "it failed", (), (type(problem), problem, problem.__traceback__)
        )
    record.message_id = "m1"
    line = json.loads(JsonLines().format(record))
    assert (line["message"], line["message_id"], line["exception"]) == ("it failed", "m1", "ValueError")
    assert "dana" not in json.dumps(line)
    assert "test_log.py" in line["where"][-1]
