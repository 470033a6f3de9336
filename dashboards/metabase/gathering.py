"""Everything Metabase should hold, gathered from the files and the warehouse.

Put here: which files and which connection. Never here: what is made of them.
"""

from __future__ import annotations

from pathlib import Path

from dashboards.answers.page import reading_as_reader
from dashboards.metabase.compiling import compiled
from dashboards.metabase.database import connection_of
from dashboards.metabase.people import FILE_NAME, read_people
from dashboards.metabase.provisioning import Wanted
from dashboards.metabase.site import load_site
from dashboards.spec.loading import load_boards
from warehouse.database import Warehouse


def wanted_of(warehouse: Warehouse, *, users: Path | None = None, prune: bool = True) -> Wanted:
    """Return what Metabase should hold for the publication that readers see now.

    People come from `users`, else from users.csv in SHOPX_HOME, else from metabase.yaml. Raises ShopxError
    for a mistake in a file, and NothingPublished where there is no publication.
    """
    site = load_site()
    file = users or warehouse.settings.home / FILE_NAME
    people = read_people(file, site) if users or file.is_file() else site.users
    with reading_as_reader(warehouse) as page:
        boards = compiled(load_boards(), page)
    return Wanted(
        site=site,
        connection=connection_of(warehouse, site),
        dashboards=boards,
        people=people,
        prune=prune,
    )
