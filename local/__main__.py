"""`python -m local`: the whole product on this machine, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading

from local import log
from local.server import PortInUse
from local.settings import BadSetting, LocalSettings


def main() -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
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
        stop.wait()
    finally:
        runtime.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
