"""`make demo`: a throw-away Agala lives through eleven days of two small shops and tells the story.

Exit 0 only if all happened as told. With `JSON=1` the last line is one JSON object; with `OUTBOX=file` all that was
sent is kept in that file, as `/local/outbox` shows it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from local.demo import play, recorded, report
from local.demo.live import Runtime

SPEED = float(os.environ.get("DEMO_SPEED", "7200"))  # store seconds per real second: a store day in twelve seconds


def main() -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="agala-demo-") as folder:
        runtime = Runtime(Path(folder), SPEED, play.START)
        runtime.start()
        print(f"A throw-away Agala runs at {runtime.url}; a store day takes {86400 / SPEED:.1f} seconds.\n", flush=True)
        try:
            stages = play.set_up(runtime)
            answers = recorded.feed(runtime)
            play.play(stages.all)
            told = report.tell(stages, answers)
            if kept := os.environ.get("OUTBOX"):
                Path(kept).write_text(json.dumps(runtime.get("/local/outbox"), ensure_ascii=False), encoding="utf-8")
        finally:
            stopped = runtime.stop()
        if stopped != 0:
            told["mistakes"].append(f"the runtime ended with exit code {stopped} on Ctrl-C")
        told["seconds"] = round(time.monotonic() - began, 1)
        _print_verdict(told)
    if os.environ.get("JSON") == "1":
        print(json.dumps(told, ensure_ascii=False))
    return 1 if told["mistakes"] else 0


def _print_verdict(told: dict[str, Any]) -> None:
    if told["mistakes"]:
        print("\nNOT as told:")
        for mistake in told["mistakes"]:
            print(f"  - {mistake}")
    else:
        print(f"\nAll happened as told, in {told['seconds']} seconds.")


if __name__ == "__main__":
    sys.exit(main())
