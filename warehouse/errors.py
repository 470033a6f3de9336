"""What a person is told when something cannot be done.

Put here: exceptions whose message is one sentence for the person at the keyboard.
Never here: exceptions that only one module raises and catches.
"""

from __future__ import annotations


class ShopxError(Exception):
    """A mistake or an obstacle that the person can act on; the CLI prints `message` without a traceback."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
