"""How commands open the warehouse: as everybody does, and with a word where publication is paused.

Put here: what every command says before its own answer. Never here: an answer.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from warehouse.database import Warehouse


@contextmanager
def open_warehouse(*, progress: Callable[[str], None] | None = None) -> Iterator["Warehouse"]:
    """Open the warehouse for a command; says on standard error that publication is paused, where it is."""
    from publication.stepping_back import open_pause
    from warehouse.database import open_warehouse as opened

    with opened(progress=progress) as warehouse:
        with warehouse.connect("owner", autocommit=True) as connection:
            pause = open_pause(connection)
        if pause is not None:
            click.secho(f"! {pause.sentence()}", err=True, fg="yellow")
        yield warehouse
