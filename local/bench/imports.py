"""How long each Lambda's module takes to import, against a bare Chalice + boto3 handler, each in a fresh interpreter.

Imports inside functions would hide from that figure, so a second one is taken: the import and then everything built
that the function's first event needs, against the bare handler with its one boto3 client made. CPU seconds of the
interpreter; rounds alternate over all of them; the median.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FLOOR = "bare_handler"
_WIRED = "from chalicelib import wiring; wired = wiring.get(); "
_KEY = "wired.secrets.signing_key = lambda: 'bench'; "  # the client is made, nothing is asked
FUNCTIONS = {  # function: (its module, what makes it ready for its first event)
    FLOOR: (FLOOR, "bare_handler.boto3.client('sqs')"),
    "api_handler": ("app", _WIRED + "wired.tokens, wired.stores"),
    "webhook_door": ("chalicelib.handlers.webhooks", _WIRED + "wired.secrets, wired.queue"),
    "carts_door": ("chalicelib.handlers.carts", _WIRED + "wired.secrets, wired.queue"),
    "ingest": ("chalicelib.handlers.ingest", _WIRED + "wired.intake"),
    "journey_step": ("chalicelib.handlers.journey_steps", _WIRED + _KEY + "wired.steps"),
    "errands": ("chalicelib.handlers.errands", _WIRED + "wired.errands, wired.enroller"),
    "calendar": ("chalicelib.handlers.calendar", _WIRED + "wired.stores, wired.calendar"),
    "links_door": ("chalicelib.handlers.links_door", _WIRED + _KEY + "wired.links, wired.followed, wired.activities"),
    "activity": ("chalicelib.handlers.activity", _WIRED + "wired.activity, wired.enroller"),
    "delivery_reports": ("chalicelib.handlers.delivery_reports", _WIRED + "wired.reports, wired.enroller"),
}
ROUNDS = 7

_BARE = """import boto3
from chalice import Chalice

app = Chalice(app_name="bare")


@app.lambda_function()
def handle(event, context):
    return boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody=event["body"])
"""
_TIMED = """from time import process_time
start = process_time()
import {module}
imported = process_time()
{ready}
print(imported - start, process_time() - start)"""
_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AGALA_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/deliveries",
    "AGALA_PUBLIC_URL": "https://agala.example",
}


def measure(rounds: int = ROUNDS) -> dict[str, Any]:
    """Per function CPU milliseconds of the import and until ready, and their ratios to the floor's."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{FLOOR}.py").write_text(_BARE)
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in FUNCTIONS}
        for number in range(rounds + 1):  # the first compiles
            for name, (module, ready) in FUNCTIONS.items():
                times = _start(module, ready, folder)
                if number:
                    taken[name].append(times)
    medians = {name: [statistics.median(part) for part in zip(*times, strict=True)] for name, times in taken.items()}
    floor = medians[FLOOR]
    return {
        name: {
            "import_ms": round(imported * 1000, 1),
            "import_ratio": round(imported / floor[0], 3),
            "ready_ms": round(ready * 1000, 1),
            "ready_ratio": round(ready / floor[1], 3),
        }
        for name, (imported, ready) in medians.items()
    }


def _start(module: str, ready: str, folder: str) -> tuple[float, float]:
    timed = subprocess.run(
        [sys.executable, "-c", _TIMED.format(module=module, ready=ready)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{folder}", **_ENVIRONMENT},
    )
    if timed.returncode:
        raise RuntimeError(f"{module} cannot be imported: {timed.stderr.strip()}")
    imported, until_ready = timed.stdout.split()
    return float(imported), float(until_ready)
