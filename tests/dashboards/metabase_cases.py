"""A small wanted state of Metabase, and running against a stand-in of any version.

Put here: what several tests of the provisioner need. Never here: the stand-in's behaviour
(metabase_server.py).
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from dashboards.metabase.changes import Change
from dashboards.metabase.database import Connection
from dashboards.metabase.provisioning import Wanted, apply, plan
from dashboards.metabase.site import Person, load_site
from dashboards.metabase.wanted import (
    Placed,
    Variable,
    WantedCard,
    WantedDashboard,
    WantedFilter,
    WantedTab,
)
from tests.dashboards.metabase_server import Metabase, serving
from warehouse.settings import Settings

RELEASES = (58, 60, 61, 62, 63, 64)
OPENAPI = Path(__file__).resolve().parents[3] / "shared" / "metabase" / "openapi.json"
TABLES = {
    "marts": {"daily_sales": ["sale_date", "net_sales_cents"], "sales_by_filters": ["sale_date", "channel"]}
}
PASSWORD = "reader-secret-48d1"


def card(key: str, **more: Any) -> WantedCard:
    return WantedCard(
        **{
            "key": key,
            "name": f"Card {key}",
            "description": "Net sales of completed orders. marts.daily_sales.net_sales_cents",
            "display": "area",
            "sql": "select sale_date, net_sales_cents from marts.daily_sales where true [[and {{day}}]]",
            "variables": (Variable("day", "Day", "date/all-options", "marts.daily_sales.sale_date"),),
            "settings": {"graph.dimensions": ["sale_date"], "graph.metrics": ["net_sales_cents"]},
            **more,
        }
    )


def board(key: str = "sales", *, name: str = "Sales overview", **more: Any) -> WantedDashboard:
    by_day, total = (
        card(f"{key}_by_day"),
        card(f"{key}_total", display="scalar", settings={"scalar.field": "n"}),
    )
    channel = card(
        f"{key}_channel",
        sql="select channel from marts.sales_by_filters where true [[and {{day}}]] [[and {{channel}}]]",
        variables=(
            Variable("day", "Day", "date/all-options", "marts.sales_by_filters.sale_date"),
            Variable("channel", "Channel", "string/=", "marts.sales_by_filters.channel"),
        ),
        display="table",
        settings={},
    )
    return WantedDashboard(
        **{
            "key": key,
            "name": name,
            "description": "What needs me today?",
            "filters": (
                WantedFilter("day", "Day", "date/all-options", "2026-05-04~2026-05-31"),
                WantedFilter("channel", "Channel", "string/="),
            ),
            "tabs": (
                WantedTab(
                    "Overview",
                    (
                        Placed((0, 0, 24, 1), text="Trading", is_heading=True),
                        Placed((0, 1, 12, 6), card=by_day),
                        Placed((12, 1, 12, 6), card=total),
                        Placed((0, 7, 24, 3), text="**Net sales**: what it is"),
                    ),
                ),
                WantedTab(
                    "Channels", (Placed((0, 0, 24, 6), card=channel), Placed((0, 6, 24, 6), card=by_day))
                ),
            ),
            **more,
        }
    )


CONNECTION = Connection(
    host="127.0.0.1", port=5432, database="warehouse", user="shopx_reader", password=PASSWORD
)
PEOPLE = (Person(email="ada@shop.example", role="manager", name="Ada King Lovelace"),)
WANTED = Wanted(
    site=load_site(),
    connection=CONNECTION,
    dashboards=(
        board(),
        board("stock", name="Stock", tabs=(WantedTab("Only", (Placed((0, 0, 8, 4), card=card("only")),)),)),
    ),
    people=PEOPLE,
    sync_limit_s=3,
)


@dataclass
class Installation:
    """A stand-in and the settings that lead to it."""

    metabase: Metabase
    settings: Settings

    def plan(self, wanted: Wanted = WANTED) -> list[str]:
        return [str(change) for change in plan(self.settings, wanted)]

    def apply(self, wanted: Wanted = WANTED) -> list[Change]:
        return apply(self.settings, wanted)

    def dashboard(self, name: str = "Sales overview") -> dict[str, Any]:
        [found] = [d for d in self.metabase.dashboards.values() if d["name"] == name and not d["archived"]]
        return found

    def card(self, name: str) -> dict[str, Any]:
        [found] = [c for c in self.metabase.cards.values() if c["name"] == name and not c["archived"]]
        return found

    def state(self) -> Any:
        """What it holds, without ids and moments: equal for two servers with the same history of meaning."""
        m = self.metabase
        names = {c["id"]: c["entity_id"] for c in m.cards.values()}
        return json.loads(
            json.dumps(
                {
                    "settings": m.settings,
                    "databases": [d["name"] for d in m.databases.values()],
                    "groups": sorted(m.groups.values()),
                    "rights": sorted(
                        [m.groups[g], r["view-data"], r["create-queries"]]
                        for (g, _), r in m.data_rights.items()
                    ),
                    "places": sorted(
                        [m.groups[g], p == "root", r] for (g, p), r in m.collection_rights.items()
                    ),
                    "collections": sorted([c["name"], c["description"]] for c in m.collections.values()),
                    "cards": sorted(
                        [c["entity_id"], c["name"], c["display"], c["dataset_query"]["native"]["query"]]
                        for c in m.cards.values()
                        if not c["archived"]
                    ),
                    "dashboards": sorted(
                        [
                            d["name"],
                            [t["name"] for t in d["tabs"]],
                            sorted(
                                [
                                    names.get(p["card_id"], ""),
                                    p["row"],
                                    p["col"],
                                    len(p["parameter_mappings"]),
                                ]
                                for p in d["dashcards"]
                            ),
                            d["parameters"],
                        ]
                        for d in m.dashboards.values()
                        if not d["archived"]
                    ),
                    "users": sorted(
                        [
                            u["email"],
                            sorted(
                                m.groups[x["group_id"]]
                                for x in m.memberships.values()
                                if x["user_id"] == u["id"]
                            ),
                        ]
                        for u in m.users.values()
                    ),
                }
            )
        )


@contextmanager
def installed(release: int = 64, **more: Any) -> Iterator[Installation]:
    """A stand-in nobody has set up, and a SHOPX_HOME of its own."""
    state = Metabase(
        release=release,
        tables=TABLES,
        can_connect=lambda details: details.get("password") == PASSWORD,
        contract=more.pop("contract", None),
        **more,
    )
    with tempfile.TemporaryDirectory(prefix="sx-mb-") as home, serving(state) as url:
        yield Installation(
            state,
            Settings(
                home=Path(home),
                warehouse_url=None,
                metabase_url=url,
                metabase_user="admin@shop.example",
                metabase_password=SecretStr("admin-secret-77ac"),
            ),
        )


def changed(wanted: Wanted = WANTED, **more: Any) -> Wanted:
    return replace(wanted, **more)


def words(changes: list[str]) -> set[str]:
    """The first words of each change, to compare without its details."""
    return {re.split(r":", change)[0] for change in changes}
