"""`shopx publish`: what a person types and is told, in processes of their own."""

from __future__ import annotations

import os

import pytest

from tests.orchestration.conftest import CommandLine


@pytest.fixture
def shopx(damaged, server) -> CommandLine:
    """The command line on a copy of the shop that was published twice."""
    name = damaged.warehouse.address.database
    url = f"postgresql://postgres:{server.superuser_password}@127.0.0.1:{server.port}/{name}"
    return CommandLine(
        {**os.environ, "SHOPX_HOME": str(damaged.warehouse.settings.home), "WAREHOUSE_URL": url}
    )


def test_stepping_back_is_told_by_every_command_until_it_is_resumed(shopx, damaged):
    pause = shopx.json("publish", "--rollback", "--why", "till 3 counted twice")
    assert (pause["stepped_back_from"], pause["figures_of"], pause["publication_id"]) == (2, 1, 3)
    asked = shopx("sql", "--csv", "select publication_id from marts.publication")
    assert asked.stdout.split() == ["publication_id", "3"]
    assert "Publication is paused since" in asked.stderr
    assert "till 3 counted twice" in asked.stderr
    assert "./shopx publish --resume" in asked.stderr
    assert "was done already" in shopx("publish", "--rollback", expect=1).stderr
    assert "Publish: ./shopx run" in shopx("publish", "--resume", "--later").stdout
    assert "paused" not in shopx("sql", "select 1").stderr
    assert damaged.ask("select count(*) from ops.changes where publication_id is null") == [(1,)]


def test_one_of_the_two_has_to_be_said(shopx):
    assert "Say --rollback or --resume" in shopx("publish", expect=2).stderr
    assert "not paused" in shopx("publish", "--resume", expect=1).stderr
