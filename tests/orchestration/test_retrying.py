"""Which failures are given a second chance, and that it is one."""

from __future__ import annotations

import dagster as dg
import psycopg
import pytest

from orchestration.instance import BATCH_JOB
from orchestration.retrying import PASSING_TAG, RETRY_TAG, may_pass, worth_a_retry
from warehouse.errors import ShopxError


def wrapped(cause: BaseException) -> BaseException:
    error = RuntimeError("step failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        psycopg.OperationalError("server closed the connection unexpectedly"),
        psycopg.errors.AdminShutdown("terminating connection"),
        wrapped(psycopg.errors.DeadlockDetected("deadlock detected")),
        ShopxError("The connection to the database was lost while publishing. Start again: ./shopx run."),
        wrapped(ConnectionResetError()),
    ],
)
def test_what_time_alone_can_mend_may_pass(error):
    assert may_pass(error)


@pytest.mark.parametrize(
    "error",
    [
        ShopxError("Not published, because the audit failed: raw and facts disagree by 1 cent"),
        wrapped(psycopg.errors.UniqueViolation("duplicate key value")),
        dg.Failure("dbt: fct_order_lines: column does not exist"),
        KeyError("feed"),
    ],
)
def test_what_stays_as_it_is_does_not(error):
    assert not may_pass(error)


def test_words_are_enough_where_dbt_tells_no_more():
    assert may_pass(
        dg.Failure("dbt"), "model dim_products: terminating connection due to administrator command"
    )
    assert not may_pass(dg.Failure("dbt"), "model dim_products: division by zero")


@dg.job(name=BATCH_JOB)
def a_batch() -> None:
    pass


def failed(instance: dg.DagsterInstance, **tags: str) -> str:
    run = instance.create_run_for_job(a_batch, tags=tags)
    instance.report_run_failed(run)
    return str(run.run_id)


def test_a_run_that_may_pass_is_given_once_and_its_retry_never():
    with dg.DagsterInstance.ephemeral() as instance:
        assert worth_a_retry(instance, job=BATCH_JOB) is None
        first = failed(instance, **{PASSING_TAG: "true"})
        assert worth_a_retry(instance, job=BATCH_JOB) == first
        assert worth_a_retry(instance, job=BATCH_JOB) is None
        failed(instance, **{PASSING_TAG: "true", RETRY_TAG: first})
        assert worth_a_retry(instance, job=BATCH_JOB) is None


def test_a_lasting_failure_and_one_that_another_run_has_followed_are_not_given():
    with dg.DagsterInstance.ephemeral() as instance:
        failed(instance, **{PASSING_TAG: "true"})
        failed(instance)
        assert worth_a_retry(instance, job=BATCH_JOB) is None


def test_the_inbox_sensor_gives_the_second_chance_and_says_of_which_run():
    from orchestration.defs.sensors import inbox_sensor  # noqa: PLC0415  seconds

    with dg.DagsterInstance.ephemeral() as instance:
        run = failed(instance, **{PASSING_TAG: "true"})
        asked = inbox_sensor(dg.build_sensor_context(instance=instance))
        assert isinstance(asked, dg.SensorResult)
        [request] = asked.run_requests or []
        assert (request.tags["shopx/by"], request.tags[RETRY_TAG]) == ("retry", run)
        again = inbox_sensor(dg.build_sensor_context(instance=instance))
        assert isinstance(again, dg.SensorResult)
        assert not again.run_requests
