"""What is done aside cannot take the server with it."""

import os
import time
from functools import partial

import anyio
import pytest

from dashboards.aside import Died, aside


def test_the_result_comes_back_from_a_process_that_has_a_main_module() -> None:
    asked = partial(eval, "'__main__' in __import__('sys').modules")  # what pickles and is there
    assert anyio.run(partial(aside, asked, limit_s=30))


def test_a_process_that_dies_is_told_from_one_that_answers() -> None:
    with pytest.raises(Died):
        anyio.run(partial(aside, partial(os._exit, 9), limit_s=30))


def test_work_without_end_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        anyio.run(partial(aside, partial(time.sleep, 600), limit_s=1))
