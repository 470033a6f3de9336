"""`shopx up` and `shopx down`: nothing is left behind, whatever ended the session."""

import json
import os
import socket
import urllib.error
import urllib.request
from typing import Any

from orchestration.instance import is_alive, process_tag
from orchestration.services import Running, note_of, read_note, stop_session
from warehouse.database import Warehouse


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  a loopback address made here
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


def test_up_serves_the_ui_to_its_token_only_and_down_leaves_no_process(
    shopx: Any, warehouse: Warehouse
) -> None:
    port = free_port()
    shopx.environment["SHOPX_DAGSTER_PORT"] = str(port)
    session = shopx.start("up")
    try:
        said = []
        for line in session.stderr:
            said.append(line)
            if "Dagster: http" in line:
                break
        running = read_note(warehouse.settings)
        assert running is not None and running.alive, "".join(said)
        assert status_of(f"http://127.0.0.1:{port}/") == 401
        assert status_of(f"http://127.0.0.1:{port}/server_info") == 200
        assert status_of(running.dashboards) in (200, 503)  # with figures to come, or a database that starts
        assert note_of(warehouse.settings).stat().st_mode & 0o077 == 0
        assert "Already up" in shopx("up").stdout
    finally:
        shopx("down")
    session.stderr.close()
    assert session.wait(timeout=60) == 0
    assert [name for name, tag in running.children.items() if is_alive(tag)] == []
    assert read_note(warehouse.settings) is None
    assert "Nothing is up" in shopx("down").stdout


def test_a_note_of_a_process_that_is_gone_is_cleared_and_no_other_process_is_touched(
    warehouse: Warehouse,
) -> None:
    reused = f"{os.getpid()}:1.00"  # our own pid with the start time of another process
    note = Running(owner=reused, children={"webserver": reused}, url="")
    note_of(warehouse.settings).write_text(json.dumps(note.__dict__))
    assert not note.alive
    assert stop_session(warehouse.settings)
    assert read_note(warehouse.settings) is None


def test_a_process_is_known_by_pid_and_start_time() -> None:
    assert is_alive(process_tag())
    assert not is_alive(f"{os.getpid()}:0.00")
    assert not is_alive("nonsense")
