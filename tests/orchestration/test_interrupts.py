"""An interrupt that somebody swallowed stops the run all the same, at the next step."""

import os
import signal

import pytest

from orchestration.interrupts import watched


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def swallowed() -> object:
    """Let a library's handler drop each interrupt without a word."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("swallowed")
def test_the_next_step_does_not_begin() -> None:
    said: list[str] = []
    with watched() as interrupts:
        say = interrupts.heeded(said.append)
        say("Auditing")
        press_ctrl_c()
        say("dbt: a model that is being cancelled")
        with pytest.raises(KeyboardInterrupt):
            say("Publishing")
    assert said == ["Auditing", "dbt: a model that is being cancelled"]
    assert interrupts.asked_to_stop()


@pytest.mark.usefixtures("swallowed")
def test_other_signals_and_earlier_interrupts_stop_nothing() -> None:
    press_ctrl_c()
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    with watched() as interrupts:
        os.kill(os.getpid(), signal.SIGUSR1)
        interrupts.heeded(str)("Publishing")
        assert not interrupts.asked_to_stop()
    signal.signal(signal.SIGUSR1, before)
    assert signal.set_wakeup_fd(-1) == -1
