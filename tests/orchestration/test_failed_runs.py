"""What is said of a run that fails."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from orchestration.running import _what_failed


def failed(resource: object) -> list[str]:
    @dg.op(required_resource_keys={"session"})
    def step() -> None:
        raise RuntimeError("the step itself")

    @dg.job(resource_defs={"session": resource})  # type: ignore[dict-item]
    def run() -> None:
        step()

    return _what_failed(run.execute_in_process(raise_on_error=False))


def test_a_run_that_fails_before_its_first_step_says_why() -> None:
    @dg.resource
    def broken() -> Iterator[None]:
        try:
            raise OSError("No space left on device")
        except OSError as error:
            raise RuntimeError("no session") from error

    (said,) = failed(broken)
    assert said.startswith("the run failed outside its steps: ")
    assert "No space left on device" in said


def test_a_failed_step_is_named() -> None:
    (said,) = failed(dg.ResourceDefinition.hardcoded_resource(None))
    assert said.startswith("step: ")
    assert "the step itself" in said
