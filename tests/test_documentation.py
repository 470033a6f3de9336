"""The documentation is tested: links lead somewhere, commands exist, nothing private stands in the tree."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")])


def tracked_files() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


def documented_commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for command in re.findall(r"(?:^|[`\s])\./shopx ([a-z]+)", page.read_text(), flags=re.MULTILINE):
            found.append((str(page.relative_to(ROOT)), command))
    return sorted(set(found))


def test_every_documented_command_exists() -> None:
    from orchestration.cli.main import cli  # noqa: PLC0415

    known = {*cli.commands, "test"}
    assert documented_commands(), "the README names no command"
    assert [(page, command) for page, command in documented_commands() if command not in known] == []


def test_every_command_is_documented() -> None:
    from orchestration.cli.main import cli  # noqa: PLC0415

    documented = {command for _, command in documented_commands()}
    assert sorted(set(cli.commands) - documented) == []


def test_every_mart_is_listed_in_the_order_of_the_alphabet() -> None:
    listed = re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "docs/marts.md").read_text(), flags=re.MULTILINE)
    assert listed == sorted(path.stem for path in ROOT.glob("dbt_project/models/marts/*.sql"))


def test_every_decision_is_numbered_once_and_opens_with_its_decision() -> None:
    pages = [p for p in ROOT.glob("docs/decisions/*.md") if p.name != "README.md"]
    numbers = [p.name[:4] for p in pages]
    assert len(numbers) == len(set(numbers))
    assert [p.name for p in pages if "**Decided.**" not in p.read_text()] == []


def test_no_tracked_file_names_a_package_registry_or_a_lock_with_addresses() -> None:
    hosts = re.compile("|".join(["pypi" + r"\.org", "pythonhosted" + r"\.org", "registry" + r"\.npmjs"]))
    named = [
        str(f.relative_to(ROOT))
        for f in tracked_files()
        if f.suffix not in {".png", ".xlsx", ".parquet"} and hosts.search(f.read_text(errors="ignore"))
    ]
    assert named == []
    assert not (ROOT / "uv.lock").exists()


def test_every_pin_has_a_hash() -> None:
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements.lock").read_text().strip())
    assert [b.split()[0] for b in blocks if "--hash=sha256:" not in b] == []


def test_every_limit_of_the_gate_is_documented_with_its_default() -> None:
    import yaml  # noqa: PLC0415

    from ingestion.gate_limits import GateLimits  # noqa: PLC0415

    text = (ROOT / "docs/gates.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```yaml\n(.*?)```", text, re.S)
    assert GateLimits.model_validate(yaml.safe_load(block)["gate"]) == GateLimits()
    assert set(yaml.safe_load(block)["gate"]) == set(GateLimits.model_fields)


def test_every_check_of_the_gate_is_documented() -> None:
    from orchestration.defs.deliveries import GATE_CHECKS  # noqa: PLC0415

    text = (ROOT / "docs/gates.md").read_text(encoding="utf-8")
    assert [reason for reason in GATE_CHECKS if f"`{reason}`" not in text] == []
