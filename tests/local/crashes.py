"""Runs a script again and again, ending each run with SIGKILL, until one run is allowed to finish."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_with_kills(script: str, *arguments: str, kills: int, seed: int, longest: float) -> None:
    """Each of `kills` runs dies after its own moment of 0 to `longest` seconds, counted from its line `ready`."""
    moments = random.Random(seed)
    for _ in range(kills):
        process = _start(script, arguments)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(moments.uniform(0, longest))
        process.kill()
        process.wait()
        process.stdout.close()
    last = _start(script, arguments)
    output, _ = last.communicate(timeout=60)
    assert last.returncode == 0, output


def _start(script: str, arguments: tuple[str, ...]) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT)
