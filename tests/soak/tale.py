"""What happened to one contact in two lives, beside each other: for the reader of a soak that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

Tale = Sequence[tuple[datetime, str]]
_AS_GOOD_AS_EQUAL = timedelta(minutes=5)
_NEAR = timedelta(days=1)
_MOST = 5  # contacts


def beside(who: Iterable[str], first: Mapping[str, Tale], second: Mapping[str, Tale]) -> str:
    """The times of either life, then what happened; around where they differ, for the first few of these contacts."""
    lines = []
    for one in sorted(who)[:_MOST]:
        lines += [one, *_of_one(first.get(one, ()), second.get(one, ()))]
    return "\n".join(lines)


def _of_one(first: Tale, second: Tale) -> Iterator[str]:
    here, there = dict(_counted(first)), dict(_counted(second))
    rows = [(here.get(what), there.get(what), what[0]) for what in {**here, **there}]
    rows.sort(key=lambda row: (row[0] or row[1], row[2]))
    places = [_place(row) for row in rows if _differs(row[0], row[1])]
    for row in rows:
        if any(abs(_place(row) - place) <= _NEAR for place in places):
            mark = "!" if _differs(row[0], row[1]) else " "
            yield f" {mark} {_shown(row[0])} | {_shown(row[1])} | {row[2]}"


def _counted(tale: Tale) -> Iterator[tuple[tuple[str, int], datetime]]:
    """What happens again is another thing; what is told again is not."""
    seen: Counter[str] = Counter()
    for at, what in sorted(tale):
        if not (what.startswith("is told ") and seen[what]):
            yield (what, seen[what]), at
        seen[what] += 1


def _differs(first: datetime | None, second: datetime | None) -> bool:
    return first is None or second is None or abs(first - second) > _AS_GOOD_AS_EQUAL


def _place(row: tuple[datetime | None, datetime | None, str]) -> datetime:
    place = row[0] or row[1]
    assert place is not None
    return place


def _shown(at: datetime | None) -> str:
    return f"{at:%m-%d %H:%M:%S}" if at else "-".center(14)
