"""Proposing a contract for a file nobody has described: look, match, ask, check, write. Writes no rows.

proposal = propose(path, answers={"currency": "EUR"}, today=…)
proposal.open_questions            # what the file cannot prove; empty: the contract is whole
proposal.check, proposal.yaml      # what it would give, and the contract as text
"""

from ingestion.proposing.checking import Check, RefusedGroup, check_file
from ingestion.proposing.looking import Look, look
from ingestion.proposing.proposal import Proposal, propose
from ingestion.proposing.questions import Question
from ingestion.proposing.saving import agrees, save

__all__ = [
    "Check",
    "Look",
    "Proposal",
    "Question",
    "RefusedGroup",
    "agrees",
    "check_file",
    "look",
    "propose",
    "save",
]
