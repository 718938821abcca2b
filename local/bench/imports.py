"""How long each Lambda's module takes to import, against a bare Chalice + boto3 handler, each in a fresh interpreter.

CPU seconds of the interpreter while it imports; rounds alternate over all of them; the median.
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
MODULES = {
    "api_handler": "app",
    "webhook_door": "chalicelib.handlers.webhooks",
    "ingest": "chalicelib.handlers.ingest",
    "journey_step": "chalicelib.handlers.journey_steps",
    "delivery_reports": "chalicelib.handlers.delivery_reports",
}
ROUNDS = 9

_BARE = """import boto3
from chalice import Chalice

app = Chalice(app_name="bare")


@app.lambda_function()
def handle(event, context):
    return boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody=event["body"])
"""
_TIMED = "import time; start = time.process_time(); import {0}; print(time.process_time() - start)"


def measure(rounds: int = ROUNDS) -> dict[str, Any]:
    """CPU milliseconds and the ratio to the floor, per function."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{FLOOR}.py").write_text(_BARE)
        modules = {FLOOR: FLOOR, **MODULES}
        taken: dict[str, list[float]] = {name: [] for name in modules}
        for number in range(rounds + 1):  # the first compiles
            for name, module in modules.items():
                seconds = _import(module, folder)
                if number:
                    taken[name].append(seconds)
    floor = statistics.median(taken[FLOOR])
    return {
        name: {"cpu_ms": round(statistics.median(times) * 1000, 1), "ratio": round(statistics.median(times) / floor, 3)}
        for name, times in taken.items()
    }


def _import(module: str, folder: str) -> float:
    timed = subprocess.run(
        [sys.executable, "-c", _TIMED.format(module)],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{folder}", "AWS_DEFAULT_REGION": "eu-west-1"},
    )
    return float(timed.stdout)
