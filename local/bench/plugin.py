"""What the WordPress plugin takes of a shopper's add-to-cart request, on a real WordPress with the tests' WooCommerce.

Measured by `tests/plugin/bench_cart.php`: the same request with and without the plugin's hooks. The floor is the two
rows that it has to write (the cart, the sender's place in the queue), written by bare statements.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "plugin" / "bench_cart.php"
SECONDS = 300
ROUNDS = 200


def measure(rounds: int = ROUNDS) -> dict[str, Any]:
    """Microseconds of CPU `plugin_us`, `floor_us`, `page_view_us`; counts `statements`, `network_calls`.

    `{"skipped": reason}` where this machine has no PHP and none can be installed.
    """
    with tempfile.TemporaryDirectory(prefix="agala-bench-") as temporary:
        folder = Path(temporary) / "wordpress"
        made = _run(sys.executable, "-m", "tests.plugin.environment", "--folder", str(folder))
        if made.returncode:
            return {"skipped": (made.stderr.strip() or made.stdout.strip()).splitlines()[-1]}
        done = _run("php", str(SCRIPT), str(folder), str(rounds))
        if done.returncode:
            raise RuntimeError(f"{SCRIPT.name}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=SECONDS,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
