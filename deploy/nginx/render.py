#!/usr/bin/env python3
"""Write nginx's configuration for the auditors' way in to standard output.

    python deploy/nginx/render.py --server-name audit.example.no --certificate /etc/ssl/audit.pem \\
        --certificate-key /etc/ssl/audit.key --logins /etc/nginx/auditors > /etc/nginx/conf.d/auditors.conf

Needs Python alone, so that it runs on the proxy's machine. Refuses (exit 2) a value that would read as more
than a name, a number or a path in nginx's language.
"""

import argparse
import re
import sys
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("auditors.conf.in")

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_PATH = re.compile(r"/[A-Za-z0-9._/@+-]+")
_LISTEN = re.compile(r"((\d{1,3}\.){3}\d{1,3}:|\[[0-9a-fA-F:]+\]:)?(\d{1,5})")


def _port(value: str) -> int:
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise argparse.ArgumentTypeError("a port between 1 and 65535")
    return int(value)


def _like(pattern: re.Pattern[str], what: str):  # type: ignore[no-untyped-def]
    def checked(value: str) -> str:
        if not pattern.fullmatch(value):
            raise argparse.ArgumentTypeError(what)
        return value

    return checked


def render(arguments: list[str]) -> str:
    """The configuration for these arguments. Ends the process with 2 where one cannot be used."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    name = _like(_NAME, "a host name")
    path = _like(_PATH, "an absolute path without spaces")
    parser.add_argument("--server-name", required=True, type=name)
    parser.add_argument("--certificate", required=True, type=path)
    parser.add_argument("--certificate-key", required=True, type=path)
    parser.add_argument("--logins", required=True, type=path, help="the file that htpasswd makes")
    parser.add_argument("--listen", default="443", type=_like(_LISTEN, "a port or address:port"))
    parser.add_argument("--auditor-port", default=3001, type=_port)
    parser.add_argument("--pages-port", default=3002, type=_port)
    values = vars(parser.parse_args(arguments))
    port = _port(values["listen"].rpartition(":")[2])
    values["origin"] = f"https://{values['server_name']}" + ("" if port == 443 else f":{port}")
    # Not every dollar sign is ours: nginx's own variables stand without braces.
    return Template(TEMPLATE.read_text(encoding="utf-8")).safe_substitute(values)


if __name__ == "__main__":
    sys.stdout.write(render(sys.argv[1:]))
