"""Keeping a proposed contract: what it is compared with before, and the one file it becomes.

Put writing here. Never what stands in the contract (drafting.py).
"""

from __future__ import annotations

import tempfile
from decimal import Decimal, InvalidOperation
from pathlib import Path

from ingestion.contract import load_contracts, read_contract
from ingestion.proposing.checking import Check
from ingestion.proposing.proposal import Proposal
from ingestion.reading import numbers
from warehouse.errors import ShopxError


def save(proposal: Proposal, target: Path, *, replace_existing: bool = False) -> Path:
    """Write the proposed contract to `target` (a file named like the feed), whole or not at all.

    Raises ShopxError where it exists, for the name of a built-in feed, and where the text is no contract.
    """
    if target.stem != proposal.feed or target.suffix != ".yaml":
        raise ShopxError(
            f"a contract of the feed {proposal.feed} must be saved as {proposal.feed}.yaml.", exit_code=2
        )
    if (known := load_contracts().get(proposal.feed)) is not None and known.builtin:
        raise ShopxError(f"{proposal.feed} is the name of a built-in feed; --name another one.", exit_code=2)
    if target.exists() and not replace_existing:
        raise ShopxError(f"{target} exists; --name another feed, or --replace it.", exit_code=2)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as room:
        made = Path(room) / target.name
        made.write_text(proposal.yaml, encoding="utf-8")
        read_contract(made)
        made.replace(target)
    return target


def agrees(expect: str, check: Check) -> bool:
    """Whether the money of a check is the control total, as people write it: 11940.20 or 11,940.20.

    Raises ShopxError for text that is no amount.
    """
    plain = expect.strip().replace(" ", "").replace(",", "")
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        raise ShopxError(f'--expect "{expect}" is no amount; write it like 11940.20.', exit_code=2) from None
    currency = next(iter(check.net_cents), "")
    cents = amount * 10 ** numbers.minor_digits(currency)
    return len(check.net_cents) <= 1 and cents == sum(check.net_cents.values())
