"""Bringing Metabase to what the files say, or saying what differs.

Put here: the order of things, and that a run ends with nothing left to do. Never here: any single thing.
Doors are closed first: All Users loses its rights before there is anything to see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dashboards.metabase import access, content
from dashboards.metabase.blank import Blank
from dashboards.metabase.changes import Change, Hand, putting
from dashboards.metabase.client import Answers
from dashboards.metabase.connecting import address, connect, is_set_up, properties, wait_until_healthy
from dashboards.metabase.database import SYNC_LIMIT_S, Connection, database, field_ids
from dashboards.metabase.reading import listed
from dashboards.metabase.site import Person, Site
from dashboards.metabase.wanted import WantedCard, WantedDashboard
from warehouse.errors import ShopxError
from warehouse.locks import held
from warehouse.settings import Settings

LOCK_LIMIT_S = 900.0


@dataclass(frozen=True)
class Wanted:
    """Everything a Metabase should hold."""

    site: Site
    connection: Connection
    dashboards: tuple[WantedDashboard, ...]
    people: tuple[Person, ...] = ()
    prune: bool = True
    sync_limit_s: float = field(default=SYNC_LIMIT_S, compare=False)

    @property
    def cards(self) -> tuple[WantedCard, ...]:
        """The cards of all dashboards, each once."""
        return tuple({card.key: card for board in self.dashboards for card in board.cards}.values())


def plan(settings: Settings, wanted: Wanted, *, say: Callable[[str], None] = lambda _: None) -> list[Change]:
    """Return what `apply` would change, writing nothing to Metabase; empty when all is as the files say.

    A Metabase that nobody has set up is planned as an empty one.
    """
    url = address(settings)
    wait_until_healthy(url, say=say)
    if not is_set_up(properties(url)):
        hand = Hand(server=Blank(), say=say)
        hand.changes.append(Change("set up", "Metabase", url, "nobody has yet"))
    else:
        hand = Hand(server=connect(settings, site_name=wanted.site.site.name), say=say)
    _all(hand, wanted)
    return hand.changes


def apply(settings: Settings, wanted: Wanted, *, say: Callable[[str], None] = lambda _: None) -> list[Change]:
    """Bring Metabase to what is wanted; returns what was changed. Doing it again changes nothing.

    It may be interrupted at any request: the next run finishes it. One at a time per SHOPX_HOME.
    Raises ShopxError when Metabase refuses something, or does not keep what it took.
    """
    url = address(settings)
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with held(
        settings.home / "metabase.lock",
        shared=False,
        limit_s=LOCK_LIMIT_S,
        waiting_for="another `shopx dashboards apply`",
        say=say,
    ):
        wait_until_healthy(url, say=say)
        first = [] if is_set_up(properties(url)) else [Change("set up", "Metabase", url)]
        client = connect(settings, site_name=wanted.site.site.name)
        hand = Hand(server=client, client=client, say=say, changes=first)
        _all(hand, wanted)
        if hand.changes:
            _nothing_is_left(client, wanted)
        return hand.changes


def _all(hand: Hand, wanted: Wanted) -> None:
    """Go through everything in the order in which one thing needs the other."""
    site = wanted.site
    _own_settings(hand, site)
    number = database(hand, site, wanted.connection)
    groups = access.groups(hand, site)
    access.query_rights(hand, site, groups, number)
    place = content.collection(hand, site)
    access.collection_rights(hand, site, groups, place)
    needed = {variable.column for card in wanted.cards for variable in card.variables}
    fields = field_ids(hand, number, needed, limit_s=wanted.sync_limit_s)
    cards = content.cards(hand, wanted.cards, database=number, place=place, field_ids=fields)
    boards = content.dashboards(hand, wanted.dashboards, place=place, card_ids=cards)
    access.people(hand, site, groups, wanted.people)
    if wanted.prune:
        content.prune(hand, place=place, cards=set(cards.values()), dashboards=boards)


def _own_settings(hand: Hand, site: Site) -> None:
    """Name the site; no telemetry, no questions to the maker. What the server's environment fixes is left."""
    wanted = {"site-name": site.site.name, "anon-tracking-enabled": False, "check-for-updates": False}
    live = {row["key"]: row for row in listed(hand.server.get("/api/setting"))}
    for key, value in wanted.items():
        row = live.get(key) or {}
        if row.get("value") != value and not row.get("is_env_setting"):
            hand.note(
                Change("update", "setting", key, str(value)),
                putting(f"/api/setting/{key}", {"value": value}),
            )


def _nothing_is_left(server: Answers, wanted: Wanted) -> None:
    check = Hand(server=server)
    _all(check, wanted)
    left: Sequence[Change] = check.changes
    if left:
        raise ShopxError(
            "Metabase took every change and yet differs: "
            + "; ".join(map(str, left[:5]))
            + ". Is somebody editing it? Otherwise `shopx dashboards doctor` looks at its version."
        )
