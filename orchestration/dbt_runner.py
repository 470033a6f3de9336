"""Runs dbt inside this process, and keeps its manifest fresh.

Put here: how dbt is called. Never here: Dagster, or what a model means.
In this process because a dbt start costs seconds, dagster-dbt's own command adds one to ask for its version,
and a killed parent would leave its dbt running.
"""

import hashlib
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.errors import ShopxError
from warehouse.settings import Settings

_SOURCES = ("*.sql", "*.yml", "*.yaml", "*.md", "*.csv")
# dbt reads its profile even to parse, which connects to nothing; where these change, it reads all again
_UNCONNECTED = {
    "SHOPX_PG_HOST": "127.0.0.1",
    "SHOPX_PG_PORT": "5432",
    "SHOPX_PG_DATABASE": "warehouse",
    "SHOPX_PG_USER_TRANSFORMER": "shopx_transformer",
    "SHOPX_PG_PASSWORD_TRANSFORMER": "",
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
}


@dataclass(frozen=True)
class NodeResult:
    """One model or test that dbt ran; status is dbt's word (success, pass, warn, fail, error, skipped)."""

    unique_id: str
    kind: str
    name: str
    status: str
    seconds: float
    failures: int | None
    message: str | None

    @property
    def good(self) -> bool:
        """Whether the node did what it should (a warning counts as done)."""
        return self.status in ("success", "pass", "warn", "no-op")


@contextmanager
def exported(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for libraries that read the environment, such as dbt, and put the old ones back."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interrupt reach dbt as KeyboardInterrupt, the one kind on which it cancels its queries."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def target_path(settings: Settings) -> Path:
    """Return where dbt writes its artifacts for this SHOPX_HOME."""
    return Path(settings.home) / "dbt" / "target"


def _arguments(settings: Settings, target: Path) -> list[str]:
    project = Path(settings.project_root) / "dbt_project"
    return [
        *("--project-dir", str(project)),
        *("--profiles-dir", str(project)),
        *("--target-path", str(target)),
        *("--log-path", str(Path(settings.home) / "logs")),
    ]


def run_dbt(
    command: str,
    *arguments: str,
    settings: Settings,
    environment: Mapping[str, str],
    on_event: Callable[[Any], None] | None = None,
    target: Path | None = None,
) -> tuple[bool, list[NodeResult]]:
    """Run one dbt command quietly. Returns whether all succeeded, and a result per node in order of finish.

    With a `target`, dbt reads the project by itself and leaves its artifacts there.
    Raises ShopxError when dbt could not start at all (a parse or profile error), with dbt's own sentence.
    """
    from dbt.cli.main import dbtRunner

    project = None if target else read_project(settings, database=environment["SHOPX_PG_DATABASE"])
    runner = dbtRunner(manifest=project, callbacks=[on_event] if on_event else [])
    with exported(environment), _interruptible():
        outcome = runner.invoke(
            [
                *("--quiet", "--log-level", "none", "--no-use-colors"),
                # manifest and run_results.json: nobody reads them, and writing takes a second
                *(() if target else ("--no-write-json",)),
                *command.split(),
                *_arguments(settings, target or target_path(settings)),
                *arguments,
            ]
        )
    if outcome.exception is not None and not isinstance(outcome.exception, Exception):
        raise outcome.exception  # an interrupt; dbt has cancelled its queries
    if outcome.exception is not None:
        raise ShopxError(
            f"dbt {command} could not run: {outcome.exception}. Details: {settings.home}/logs/dbt.log"
        )
    results = [
        NodeResult(
            unique_id=result.node.unique_id,
            kind=str(result.node.resource_type),
            name=result.node.name,
            status=str(result.status),
            seconds=float(result.execution_time),
            failures=result.failures,
            message=_without_the_row(result.message),
        )
        for result in getattr(outcome.result, "results", [])
        if hasattr(result, "node")
    ]
    return bool(outcome.success), results


def _without_the_row(message: str | None) -> str | None:
    """Return what PostgreSQL says about a row it refused, without the row: that is somebody's order."""
    return message and re.sub(r"\n *DETAIL: +Failing row contains [^\n]*", "", message)


def _fingerprint(project: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _SOURCES for path in project.rglob(pattern)):
        if not {"target", "logs", "dbt_packages"} & set(path.relative_to(project).parts):
            digest.update(f"{path.relative_to(project)}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def made_of(settings: Settings) -> str:
    """Return a fingerprint of the dbt project: another one means that a file of it has changed."""
    return _fingerprint(Path(settings.project_root) / "dbt_project")


def unconnected() -> dict[str, str]:
    """Return what dbt must find in the environment to read the project: a connection to nowhere."""
    return dict(_UNCONNECTED)


def project_path(settings: Settings) -> Path:
    """Return where what dbt has read of the project is kept for this SHOPX_HOME."""
    return Path(settings.home) / "dbt" / "project"


def ensure_manifest(settings: Settings, *, say: Callable[[str], None] | None = None) -> Path:
    """Return the manifest of the dbt project as it stands, parsing it only when a file has changed."""
    target = project_path(settings)
    manifest, stamp = target / "manifest.json", target / "manifest.of"
    wanted = made_of(settings)
    if not (manifest.exists() and stamp.exists() and stamp.read_text() == wanted):
        if say:
            say("reading the dbt project (once; again only when it changes)")
        target.mkdir(parents=True, exist_ok=True)
        _parse(settings)
        stamp.write_text(wanted)
    return manifest


# what this process has read, by the project's root: its fingerprint, and dbt's own Manifest
_kept: dict[Path, tuple[str, Any]] = {}


def _parse(settings: Settings) -> Any:
    """Let dbt read the project: 6 s of a CPU, half a second where its files are as they were last time."""
    from dbt.cli.main import dbtRunner

    with exported(_UNCONNECTED):
        outcome = dbtRunner().invoke(
            [
                *("--quiet", "--log-level", "none", "--no-use-colors", "parse"),
                *_arguments(settings, project_path(settings)),
            ]
        )
    if outcome.exception is not None:
        raise ShopxError(
            f"dbt parse could not run: {outcome.exception}. Details: {settings.home}/logs/dbt.log"
        )
    _kept[settings.project_root] = (made_of(settings), outcome.result)
    return outcome.result


def read_project(settings: Settings, *, database: str) -> Any:
    """Return the project as dbt reads it (its Manifest), once in a process as long as no file changes, with
    its tables in `database`.

    dbt writes that name into every node when it reads the project, and would read all of it again for a
    warehouse of another name.
    """
    fingerprint, manifest = _kept.get(settings.project_root, ("", None))
    if fingerprint != made_of(settings):
        manifest = _parse(settings)
    for node in [*manifest.nodes.values(), *manifest.sources.values()]:
        if node.relation_name:
            node.relation_name = node.relation_name.replace(f'"{node.database}"', f'"{database}"', 1)
        node.database = database
    return manifest
