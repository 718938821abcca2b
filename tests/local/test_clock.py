from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.clock import FastClock

START = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


class Machine:
    """The machine's own clock, in seconds since 1970."""

    def __init__(self, seconds: float = 1_800_000_000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds


def test_store_time_runs_at_its_speed_from_its_start(tmp_path: Path) -> None:
    machine = Machine()
    clock = FastClock(tmp_path, 3600, START, machine)
    assert clock.now() == START
    machine.seconds += 24
    assert clock.now() == START + timedelta(days=1)
    assert clock.real_seconds_until(START + timedelta(days=2)) == pytest.approx(24)
    assert clock.real_seconds_until(START) == 0


def test_it_runs_on_while_the_process_is_down_and_ignores_a_later_start(tmp_path: Path) -> None:
    machine = Machine()
    FastClock(tmp_path, 60, START, machine)
    machine.seconds += 3600  # down: no close, as after SIGKILL
    again = FastClock(tmp_path, 60, datetime(2030, 1, 1, tzinfo=UTC), machine)
    assert again.now() == START + timedelta(minutes=60 * 60)


def test_the_time_down_runs_at_the_speed_it_had(tmp_path: Path) -> None:
    machine = Machine()
    FastClock(tmp_path, 100, START, machine)
    machine.seconds += 10
    slower = FastClock(tmp_path, 1, None, machine)
    assert slower.now() == START + timedelta(seconds=1000)
    machine.seconds += 10
    assert slower.now() == START + timedelta(seconds=1010)


def test_it_goes_on_when_the_machine_is_set_back(tmp_path: Path) -> None:
    machine = Machine()
    clock = FastClock(tmp_path, 10, START, machine)
    machine.seconds += 10
    told = clock.now()
    machine.seconds -= 86_400
    assert clock.now() == told
    machine.seconds += 5
    assert clock.now() == told + timedelta(seconds=50)
    machine.seconds -= 86_400
    assert FastClock(tmp_path, 10, None, machine).now() == told + timedelta(seconds=50)


def test_without_a_start_it_is_the_machines_time(tmp_path: Path) -> None:
    assert FastClock(tmp_path, machine_time=Machine()).now() == datetime.fromtimestamp(1_800_000_000, UTC)


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(tmp_path: Path, speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        FastClock(tmp_path, speed)


def test_a_damaged_anchor_is_named(tmp_path: Path) -> None:
    (tmp_path / "clock.json").write_text("{")
    with pytest.raises(ValueError, match=r"clock\.json is damaged"):
        FastClock(tmp_path)


moves = st.lists(
    st.one_of(
        st.tuples(st.just("passes"), st.floats(0, 1e6)),
        st.tuples(st.just("set back"), st.floats(0, 1e6)),
        st.tuples(st.just("restart"), st.floats(0.001, 1e5)),
    ),
    max_size=30,
)


@settings(max_examples=50, deadline=None)
@given(moves)
def test_it_never_goes_backwards_whatever_happens(happenings: list[tuple[str, float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine()
        clock = FastClock(Path(folder), 7, START, machine)
        before = clock.now()
        for what, amount in happenings:
            if what == "passes":
                machine.seconds += amount
            elif what == "set back":
                machine.seconds -= amount
            else:
                clock = FastClock(Path(folder), amount, None, machine)
            assert clock.now() >= before
            before = clock.now()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1e5)), max_size=20))
def test_restarts_lose_no_time(passages: list[tuple[bool, float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine()
        clock = FastClock(Path(folder), 24, START, machine)
        total = 0.0
        for restart, seconds in passages:
            machine.seconds += seconds
            total += seconds
            if restart:
                clock = FastClock(Path(folder), 24, None, machine)
            drift = clock.now() - (START + timedelta(seconds=total * 24))
            assert abs(drift) < timedelta(milliseconds=1)
