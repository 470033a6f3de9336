"""Every failure is loud: one open alert per cause, closed with the cause."""

from pathlib import Path
from typing import Any

from expectations.arrival import run_arrival_gate
from ingestion.deciding import release, withdraw
from ingestion.inbox import clear_landed, note_refused
from ingestion.landing import land
from warehouse.database import Warehouse

GOOD = "order_id,order_date,product,quantity,unit_price,currency\nA1,2026-03-21 10:00,Tea,1,4.50,GBP\n"
EITHER_WAY = "order_id,order_date,product,quantity,unit_price,currency\nB1,02/03/2026,Tea,1,4.50,GBP\n"


def alerts(warehouse: Warehouse, *, closed: bool = False) -> list[tuple[Any, ...]]:
    with warehouse.connect("owner") as conn:
        return conn.execute(
            "select kind, subject, message from ops.alerts where (resolved_at is null) <> %s"
            " order by alert_id",
            [closed],
        ).fetchall()


def given(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def test_a_delivery_held_by_reading_raises_one_alert_until_it_is_decided(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    file = given(tmp_path, "till.csv", EITHER_WAY)
    for _ in range(2):
        [landed] = land(warehouse, [file]).landed[:1]
    load_id = landed.duplicate_of or landed.load_id
    [(kind, subject, message)] = alerts(warehouse)
    assert (kind, subject) == ("held", f"load {load_id} (till.csv)")
    assert f"shopx release {load_id} --as day-first" in message
    release(warehouse, load_id, as_="day-first", by="ann", why="asked the till's maker")
    assert alerts(warehouse) == []
    assert len(alerts(warehouse, closed=True)) == 1


def test_a_delivery_held_by_the_gate_raises_one_alert_until_it_is_withdrawn(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    [landed] = land(warehouse, [given(tmp_path, "a.csv", GOOD.replace("4.50", "free"))]).landed
    run_arrival_gate(warehouse, [landed.load_id])
    run_arrival_gate(warehouse, [landed.load_id])
    [(kind, _, message)] = alerts(warehouse)
    assert kind == "held" and f"shopx rejects {landed.load_id}" in message
    withdraw(warehouse, landed.load_id, by="ann", why="nothing in it")
    assert alerts(warehouse) == []


def test_an_overlap_raises_an_alert(warehouse: Warehouse, tmp_path: Path) -> None:
    def lines(name: str, orders: str) -> Path:
        head, row = GOOD.splitlines()
        return given(
            tmp_path, name, "\n".join([head, *(row.replace("A1", order) for order in orders)]) + "\n"
        )

    land(warehouse, [lines("all.csv", "ABC")])
    [row] = [r for r in land(warehouse, [lines("same_day.csv", "XYZ")]).landed if r.status == "held"]
    assert [(kind, subject) for kind, subject, _ in alerts(warehouse)] == [
        ("held", f"load {row.load_id} (same_day.csv)")
    ]


def test_a_refused_file_of_the_inbox_raises_one_alert_until_it_is_mended_or_removed(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    inbox = Path(warehouse.settings.inbox)

    def drop(name: str, text: str) -> None:
        result = land(warehouse, [given(inbox, name, text)])
        clear_landed(inbox, result)
        with warehouse.connect("loader") as conn:
            note_refused(conn, inbox, result)

    drop("colours.csv", "colour,weight\nred,3\n")
    drop("empty.csv", "")
    assert [(kind, subject) for kind, subject, _ in alerts(warehouse)] == [
        ("refused", "colours.csv"),
        ("refused", "empty.csv"),
    ]
    assert all("shopx run" in message and "inbox/refused" in message for *_, message in alerts(warehouse))
    drop("colours.csv", GOOD)
    assert [subject for _, subject, _ in alerts(warehouse)] == ["empty.csv"]
    (inbox / "refused" / "empty.csv").unlink()
    drop("later.csv", GOOD.replace("21", "22").replace("A1", "A2"))
    assert alerts(warehouse) == []


def test_a_file_refused_to_the_person_who_gave_it_raises_no_alert(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    result = land(warehouse, [given(tmp_path, "colours.csv", "colour,weight\nred,3\n")])
    with warehouse.connect("loader") as conn:
        note_refused(conn, Path(warehouse.settings.inbox), result)
    assert alerts(warehouse) == []


def test_a_delivery_whose_bytes_are_lost_raises_an_alert_until_the_file_comes_again(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    file = given(tmp_path, "a.csv", EITHER_WAY)
    [landed] = land(warehouse, [file]).landed
    for path in Path(warehouse.settings.archive).rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.unlink()
    release(warehouse, landed.load_id, as_="day-first", by="ann", why="sure")
    land(warehouse, [])
    [(kind, subject, message)] = alerts(warehouse)
    assert (kind, subject) == ("failed", "a.csv") and "shopx run" in message
    file.write_text(GOOD)
    land(warehouse, [file])
    assert alerts(warehouse) == []
