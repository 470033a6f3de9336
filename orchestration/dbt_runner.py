"""Runs dbt inside this process, and keeps its manifest fresh.

Put here: how dbt is called. Never here: Dagster, or what a model means.
In this process because a dbt start costs seconds, dagster-dbt's own command adds one to ask for its version,
and a killed parent would leave its dbt running.
"""

import hashlib
import os
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
# dbt reads its profile even to parse; parsing connects to nothing, so these stand in where no server runs
_UNCONNECTED = {
    "SHOPX_PG_HOST": "127.0.0.1",
    "SHOPX_PG_PORT": "5432",
    "SHOPX_PG_DATABASE": "shopx",
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

    Its artifacts go to `target`, else to where those of this SHOPX_HOME are.
    Raises ShopxError when dbt could not start at all (a parse or profile error), with dbt's own sentence.
    """
    from dbt.cli.main import dbtRunner

    runner = dbtRunner(callbacks=[on_event] if on_event else [])
    with exported(environment), _interruptible():
        outcome = runner.invoke(
            [
                *("--quiet", "--log-level", "none", "--no-use-colors"),
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
            message=result.message,
        )
        for result in getattr(outcome.result, "results", [])
        if hasattr(result, "node")
    ]
    return bool(outcome.success), results


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
    """Return what dbt must find in the environment to read the project, where no server runs."""
    return {name: value for name, value in _UNCONNECTED.items() if name not in os.environ}


def ensure_manifest(settings: Settings, *, say: Callable[[str], None] | None = None) -> Path:
    """Return the manifest of the dbt project as it stands, parsing it only when a file has changed."""
    target = target_path(settings)
    manifest, stamp = target / "manifest.json", target / "manifest.of"
    wanted = made_of(settings)
    if not (manifest.exists() and stamp.exists() and stamp.read_text() == wanted):
        if say:
            say("reading the dbt project (once; again only when it changes)")
        target.mkdir(parents=True, exist_ok=True)
        run_dbt("parse", settings=settings, environment=unconnected())
        stamp.write_text(wanted)
    return manifest
