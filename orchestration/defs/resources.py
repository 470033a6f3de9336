"""What the steps of a batch share while they run: one open warehouse, one driver, one build.

Put here: resources. Never here: assets, or a decision about data.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import TYPE_CHECKING

from dagster import ConfigurableResource, InitResourceContext
from pydantic import PrivateAttr

from orchestration.batch import current_batch
from orchestration.instance import PROCESS_TAG, fail_runs_without_process, process_tag
from warehouse.database import Warehouse, open_warehouse

if TYPE_CHECKING:
    from publication.driver import Build, Driver


class BatchSession(ConfigurableResource):  # type: ignore[type-arg]
    """The open warehouse of a run and, once a step asks for it, the one build that the run drives."""

    _warehouse: Warehouse = PrivateAttr()
    _stack: ExitStack = PrivateAttr()
    _driver: "Driver | None" = PrivateAttr(default=None)
    _build: "Build | None" = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Iterator["BatchSession"]:
        """Open the warehouse for the length of the run; give the driver's lock back at its end."""
        self._driver = self._build = None
        if context.instance is not None and context.run is not None:
            context.instance.add_run_tags(context.run.run_id, {PROCESS_TAG: process_tag()})
            fail_runs_without_process(context.instance)
        with ExitStack() as stack:
            self._stack = stack
            self._warehouse = stack.enter_context(open_warehouse(progress=current_batch().say))
            yield self

    @property
    def warehouse(self) -> Warehouse:
        """The open warehouse."""
        return self._warehouse

    @property
    def driver(self) -> "Driver":
        """The driver, taking its lock at first use (waits while another batch builds)."""
        from publication.driver import drive

        if self._driver is None:
            self._driver = self._stack.enter_context(drive(self._warehouse, progress=current_batch().say))
        return self._driver

    def open_build(self, *, as_of: date | None, full_refresh: bool, opened_by: str) -> "Build":
        """Open the build of this run."""
        self._build = self.driver.open_build(as_of=as_of, full_refresh=full_refresh, opened_by=opened_by)
        return self._build

    def give_up(self) -> None:
        """Close the build of this run as failed; its changes stay pending."""
        if self._driver is not None and self._build is not None:
            self._driver.fail(self._build)

    def build(self) -> "Build":
        """Return the build of this run, opening one where the run holds no step that did."""
        return self._build or self.open_build(as_of=None, full_refresh=False, opened_by="dagster")
