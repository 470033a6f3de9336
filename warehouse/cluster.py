"""The files of the embedded server: making a new database cluster and writing its configuration.

Put here: initdb and the contents of postgresql.conf and pg_hba.conf, each setting with its reason.
Never here: processes that live longer than initdb (embedded.py), roles and schemas (roles.py, migrate.py).
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import TypedDict

from warehouse.errors import ShopxError
from warehouse.passwords import write_private
from warehouse.places import Place

SUPERUSER_NAME = "postgres"

# Included last in postgresql.conf, so these win over initdb's. Figures suit two cores.
CONFIGURATION = """\
# Written by shopx at each start; changes here are lost.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 60
shared_buffers = '512MB'
work_mem = '32MB'
maintenance_work_mem = '256MB'
# one parallel worker: more made wide aggregates slower on two cores
max_parallel_workers_per_gather = 1
jit = off
random_page_cost = 1.1
effective_io_concurrency = 64
wal_level = replica
max_wal_size = '4GB'
checkpoint_timeout = '30min'
# the ledger must not lose a delivery it has confirmed
synchronous_commit = on
# a killed client's query ends within a second
client_connection_check_interval = '1s'
idle_in_transaction_session_timeout = '1h'
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
logging_collector = off
log_destination = 'stderr'
log_line_prefix = '%m [%p] %q%u@%d %a '
# statements may hold passwords and customers' data
log_statement = 'none'
log_min_error_statement = 'panic'
log_parameter_max_length_on_error = 0
"""

ACCESS = """\
# Written by shopx at each start. A password for everyone, also on the socket and on loopback.
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


def environment() -> dict[str, str]:
    """What a server process may see of the caller's environment: a fixed locale and zone, nothing private."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def initialise(place: Place, binaries: Path, *, superuser_password: str) -> None:
    """Make the cluster beside its final place and rename it, so that a kill leaves none or a whole one.

    Raises ShopxError with initdb's own words when it fails.
    """
    for leftover in place.data.parent.glob(f"{place.data.name}.making-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    making = place.data.with_name(f"{place.data.name}.making-{secrets.token_hex(4)}")
    making.mkdir(mode=0o700)
    password_file = place.socket_dir / f"initdb-{secrets.token_hex(4)}"
    if place.user is not None:
        os.chown(making, *place.user)
    try:
        write_private(password_file, superuser_password, owner=place.user)
        finished = subprocess.run(
            [
                str(binaries / "initdb"),
                f"--pgdata={making}",
                f"--username={SUPERUSER_NAME}",
                "--auth=scram-sha-256",
                f"--pwfile={password_file}",
                "--encoding=UTF8",
                "--locale=C",
                # the built-in provider sorts and folds alike on every operating system
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--data-checksums",
                "--no-instructions",
            ],
            env=environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **as_user(place),
        )
        if finished.returncode != 0:
            raise ShopxError(
                f"The database could not be created in {place.data}: {finished.stderr.strip()[-600:]}"
            )
        making.rename(place.data)
    finally:
        password_file.unlink(missing_ok=True)
        if making.exists():
            shutil.rmtree(making, ignore_errors=True)


def configure(place: Place, *, port: int) -> None:
    """Write the access rules and our part of the configuration; the server reads them at its next start."""
    main = place.data / "postgresql.conf"
    text = main.read_text()
    include = "include 'shopx.conf'\n"
    if include not in text:
        write_private(main, f"{text.rstrip()}\n{include}", owner=place.user)
    socket_dir = str(place.socket_dir).replace("'", "''")
    write_private(
        place.data / "shopx.conf", CONFIGURATION.format(port=port, socket_dir=socket_dir), owner=place.user
    )
    write_private(place.data / "pg_hba.conf", ACCESS, owner=place.user)


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def as_user(place: Place) -> _Identity:
    """Popen arguments that hand a child over to the server's user, without our groups."""
    if place.user is None:
        return {}
    return {"user": place.user[0], "group": place.user[1], "extra_groups": []}
