import time

import pytest

from benchmarks.timing import BLOCKS, seconds_a_call


def test_a_call_takes_what_it_takes_and_blocks_fill_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    asked = []

    def run(n: int) -> None:
        nonlocal now
        asked.append(n)
        now += 0.002 * n

    monkeypatch.setattr(time, "perf_counter", lambda: now)
    times = seconds_a_call(run, 0.5)
    assert times == pytest.approx([0.002] * BLOCKS)
    assert asked[-BLOCKS:] == [50] * BLOCKS
    # The first call may compile, and counts for nothing.
    assert asked[0] == 1
