"""Who checks the stand-in: tools of other people, which record how real servers answer.

Skipped unless asked for with --metabase-tools: both tools are fetched from their registries, into a temporary
folder, by the registries' own clients. They are run, never imported, and nothing of them is kept.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dashboards.metabase_cases import OPENAPI, Installation, installed
from tests.dashboards.metabase_contract import judge
from tests.dashboards.metabase_server import Metabase, serving

pytestmark = pytest.mark.metabase_tools

SYNC, CLI = "metabase-sync==0.3.1", "@metabase/cli@0.3.1"
# it wants the columns of a result, which a stand-in without data cannot have; a test of segments skips itself
NOT_MODELLED = {"test_model_result_metadata_preserved"}


def ran(*command: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=600, check=False, **more
    )


@pytest.fixture(scope="session")
def sync_tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with metabase-sync installed in `v` and its source, which holds its tests."""
    folder = tmp_path_factory.mktemp("sync")
    made = ran(sys.executable, "-m", "venv", folder / "v")
    pip = folder / "v" / "bin" / "pip"
    for arguments in (
        ["install", "--quiet", SYNC, "pytest"],
        ["download", "--quiet", "--no-deps", "--no-build-isolation", "--no-binary", ":all:", SYNC],
    ):
        if made.returncode == 0:
            made = ran(pip, *arguments, cwd=folder)
            if "No module named 'hatchling'" in made.stderr:
                ran(pip, "install", "--quiet", "hatchling")
                made = ran(pip, *arguments, cwd=folder)
    if made.returncode:
        pytest.skip(f"{SYNC} cannot be fetched: {made.stderr.strip().splitlines()[-1:]}")
    with tarfile.open(next(folder.glob("metabase_sync-*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def mb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Metabase's own command."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("mb")
    made = ran("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", CLI, cwd=folder)
    if made.returncode:
        pytest.skip(f"{CLI} cannot be fetched: {made.stderr.strip()[-200:]}")
    return folder / "node_modules" / ".bin" / "mb"


@pytest.mark.parametrize("release", [58, 61, 62, 64])
def test_the_suite_that_metabase_sync_runs_against_real_servers(release: int, sync_tool: Path) -> None:
    state = Metabase(release=release, sample=True, shuffles=False)
    state.post_setup(
        {
            "token": state.setup_token,
            "prefs": {"site_name": "test"},
            "user": {"email": "admin@example.com", "password": "tester-password-123"},
        }
    )
    with serving(state) as url:
        done = ran(
            sync_tool / "v" / "bin" / "python",
            "-m",
            "pytest",
            "-m",
            "integration",
            "-q",
            "tests/integration",
            cwd=next(sync_tool.glob("metabase_sync-*/")),
            env={
                **os.environ,
                "METABASE_URL": url,
                "METABASE_API_KEY": state.mint("suite"),
                "METABASE_INTEGRATION_SKIP_COMPOSE": "1",
            },
        )
    failed = set(re.findall(r"^FAILED \S+::(\w+)", done.stdout, flags=re.MULTILINE))
    passed = re.search(r"(\d+) passed", done.stdout)
    assert failed <= NOT_MODELLED, done.stdout[-3000:]
    assert passed and int(passed[1]) == 34, done.stdout[-3000:]


@pytest.fixture(params=[60, 62, 64])
def applied(request: pytest.FixtureRequest) -> Iterator[tuple[Installation, dict[str, str]]]:
    """A stand-in after our apply, and the variables by which tools reach it."""
    contract = judge(OPENAPI) if OPENAPI.is_file() else None
    with installed(request.param, shuffles=False, contract=contract) as it:
        it.apply()
        url, key = str(it.settings.metabase_url), it.metabase.mint("tools")
        names = {"METABASE_URL": url, "METABASE_API_KEY": key, "MB_URL": url, "MB_API_KEY": key}
        yield it, {**os.environ, **names, "HOME": str(it.settings.home)}


def test_what_we_made_is_read_and_found_in_order_by_metabase_sync(
    applied: tuple[Installation, dict[str, str]], sync_tool: Path, tmp_path: Path
) -> None:
    it, environment = applied
    tool = sync_tool / "v" / "bin" / "metabase-sync"
    for command in ("export", "plan"):
        done = ran(tool, command, "--state-dir", tmp_path, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing to do" in done.stdout + done.stderr
    assert it.plan() == []


def test_metabases_own_command_reads_what_we_made(
    applied: tuple[Installation, dict[str, str]], mb: Path
) -> None:
    it, environment = applied
    [place] = it.metabase.collections
    card, dashboard = it.card("Card only")["id"], it.dashboard()["id"]
    ours = len(it.metabase.requests)
    for command in (
        "db list",
        "db get 1",
        "collection list",
        f"collection items {place}",
        "card list",
        f"card get {card}",
        "dashboard list",
        f"dashboard get {dashboard}",
        f"dashboard cards {dashboard}",
    ):
        done = ran(mb, *command.split(), "--json", env=environment)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        assert json.loads(done.stdout), command
    assert [r.path for r in it.metabase.requests[ours:] if r.status >= 400] == []
    assert it.plan() == []
