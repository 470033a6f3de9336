"""Which loopback port the embedded server uses: chosen once, remembered, chosen again only when taken.

Put here: choosing and remembering that port.
Never here: ports of other programs (the Dagster UI's is a setting).
"""

from __future__ import annotations

import json
import socket
import zlib
from pathlib import Path

from warehouse.errors import ShopxError
from warehouse.passwords import write_private

FILE_NAME = "server.json"
FIRST, COUNT = 15432, 10_000  # below 32768, where Linux begins to hand out ports for outgoing connections
TRIES = 200


def remembered(folder: Path) -> int | None:
    """The port chosen last, if any."""
    try:
        return int(json.loads((folder / FILE_NAME).read_text())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def choose(folder: Path) -> int:
    """The remembered port when it is free, else another one, which is then remembered.

    Raises ShopxError when none of many is free.
    """
    before = remembered(folder)
    start = zlib.crc32(bytes(folder)) % COUNT
    candidates = [FIRST + (start + step) % COUNT for step in range(TRIES)]
    for port in [before, *candidates] if before else candidates:
        if is_free(port):
            if port != before:
                write_private(folder / FILE_NAME, json.dumps({"port": port}))
            return port
    raise ShopxError(f"No free port on 127.0.0.1 among {TRIES} from {FIRST + start}; is loopback available?")


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
