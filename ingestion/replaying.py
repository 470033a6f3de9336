"""Replay: whether a load can be read again, and what the load it becomes takes over from it.

Put the rules of replaying here. Never the steps of landing (landing.py), never corrections (corrections/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingestion import ledger
from warehouse.errors import ShopxError

if TYPE_CHECKING:
    import psycopg

    from ingestion.contract import Contract
    from ingestion.ledger import Load


def check_replay(conn: psycopg.Connection[Any], load: Load) -> None:
    """Raise ShopxError, saying what to do instead, unless the bytes of `load` may be read again in its
    place."""
    name = f"Load {load.load_id} ({load.delivered_name})"
    newest = ledger.newest_of(conn, load.delivery_no)
    if newest is not None and newest.load_id != load.load_id:
        raise ShopxError(
            f"{name} was replayed as load {newest.load_id} already: `./shopx replay {newest.load_id}`."
        )
    if load.status == "duplicate":
        raise ShopxError(
            f"{name} has the bytes of load {load.duplicate_of}: `./shopx replay {load.duplicate_of}`."
        )
    if load.status == "landing":
        raise ShopxError(f"{name} is still being loaded: `./shopx run` finishes it.")
    if load.status in ("withdrawn", "failed"):
        twins = ledger.twins_of(conn, load)
        if twins:
            raise ShopxError(
                f"{name} is {load.status}, and load {twins[0].load_id} has brought the same bytes since: "
                f"`./shopx replay {twins[0].load_id}`."
            )


def kept_meaning(load: Load, contract: Contract) -> str | None:
    """What its replay means for sure: what a person said, or what it counts as unless the contract says
    otherwise now. None: the rows are asked, as for any delivery."""
    if load.released_as is not None:
        return load.released_as
    return (contract.meaning or load.mode) if load.status == "approved" else None
