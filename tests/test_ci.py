"""What CI runs and what a developer runs by `make` are one thing, and cannot drift apart."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in yaml.safe_load(workflow.read_text())["jobs"].values() for step in job["steps"]]


def verbs_of(target: str) -> list[str]:
    """The verbs that a verb of the Makefile runs before itself, as make resolves them."""
    line = re.search(rf"^{target}:([^#\n]*)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert line, f"the Makefile has no verb {target}"
    return line[1].split()


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda p: p.name)
def test_a_workflow_runs_verbs_of_the_makefile_and_nothing_else(workflow: Path) -> None:
    commands = [step["run"] for step in steps(workflow) if "run" in step]
    assert commands
    assert [c for c in commands if not re.fullmatch(r"make [a-z-]+( [a-z_]+=\S.*)?", c)] == []


def test_make_ci_runs_what_the_workflow_runs_in_its_order() -> None:
    in_workflow = [
        step["run"].split()[1] for step in steps(ROOT / ".github/workflows/ci.yml") if "run" in step
    ]
    assert [verb for verb in verbs_of("ci") if verb != "dbt-clean"] == in_workflow


def test_actions_are_pinned_by_commit() -> None:
    used = [step["uses"] for workflow in WORKFLOWS for step in steps(workflow) if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []


def test_the_artifact_is_where_make_puts_it() -> None:
    [path] = [
        s["with"]["path"] for s in steps(ROOT / ".github/workflows/ci.yml") if "path" in s.get("with", {})
    ]
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    home = re.search(r"^ci_home \?= (\S+)", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert home
    assert path.replace(home[1], "$(ci_home)") in shown
