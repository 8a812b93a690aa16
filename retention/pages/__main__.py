"""`python -m retention.pages --host … --port …`: serve until told to stop.

Belongs here: the process. Does not belong here: starting it with the others (`orchestration.services`).
"""

import argparse
import signal
import sys

from retention.pages.server import make_server
from retention.settings import load_settings


def main() -> None:
    """Serve the pages of the state folder in the environment."""
    arguments = argparse.ArgumentParser(prog="retention.pages")
    arguments.add_argument("--host", required=True)
    arguments.add_argument("--port", required=True, type=int)
    named = arguments.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    make_server(load_settings(), named.host, named.port).serve_forever()


if __name__ == "__main__":
    main()
