"""`python -m local`: the whole product on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from local import log
from local.server import PortInUse
from local.settings import BadSetting, LocalSettings


def main() -> int:
    stopped, stop = _told_of_signals()
    threading.Thread(target=_heed_make, args=(stop,), daemon=True).start()
    try:
        settings = LocalSettings.from_environment()
        log.set_up(settings.log_level)
        from local.runtime import Runtime  # after the first look at the settings: this loads the whole product

        runtime = Runtime(settings)
    except PortInUse:
        print(
            f"Port {settings.port} is in use: stop what runs there, or choose another with AGALA_PORT.", file=sys.stderr
        )
        return 1
    except (BadSetting, ValueError, RuntimeError, OSError) as trouble:
        print(f"Agala did not start: {trouble}", file=sys.stderr)
        return 1
    try:
        runtime.serve()
        print(f"Agala runs at {runtime.url}", flush=True)
        print(f"Open    {runtime.login_link}", flush=True)
        os.read(stopped, 1)
    finally:
        runtime.close()
    return 0


def _told_of_signals() -> tuple[int, int]:
    """A file descriptor that can be read once Ctrl-C or SIGTERM came, and its other end.

    The system may hand a signal to any thread, and one that waits for a lock or in a read would sleep on; only the
    interpreter's wake-up descriptor is written at once.
    """
    stopped, stop = os.pipe()
    os.set_blocking(stop, False)
    signal.set_wakeup_fd(stop, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return stopped, stop


def _heed_make(stop: int) -> None:
    """GNU make passes SIGTERM on, but on SIGINT it only waits for its children: a terminal tells them too, `kill -INT`
    of make alone does not. While make waits so, it holds further SIGINTs back, which Linux shows."""
    status = Path(f"/proc/{os.getppid()}/status")
    waiting: int | None = None
    while waiting != 2:  # twice in a row: make holds signals back for a moment whenever it begins a command
        time.sleep(0.25)
        try:
            told = dict(line.split(":\t", 1) for line in status.read_text().splitlines())
        except (OSError, ValueError):
            return
        held_back = int(told["SigBlk"], 16) >> (signal.SIGINT - 1) & 1
        if told["Name"] != "make" or (held_back and waiting is None):
            return  # whoever began make so did it on purpose
        waiting = (waiting or 0) + 1 if held_back else 0
    os.write(stop, b"\0")


if __name__ == "__main__":
    sys.exit(main())
