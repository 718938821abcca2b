"""`python -m local`: the whole product on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys

from local import log
from local.server import PortInUse
from local.settings import BadSetting, LocalSettings


def main() -> int:
    stopped = _told_of_signals()
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


def _told_of_signals() -> int:
    """A file descriptor that can be read once Ctrl-C or SIGTERM came.

    The system may hand a signal to any thread, and one that waits for a lock or in a read would sleep on; only the
    interpreter's wake-up descriptor is written at once.
    """
    stopped, stop = os.pipe()
    os.set_blocking(stop, False)
    signal.set_wakeup_fd(stop, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return stopped


if __name__ == "__main__":
    sys.exit(main())
