"""The order of a journey's steps: which comes after which, once what can have no effect is left out.

Left out are steps after an end, and waits that nothing follows. State machine, step task and enroller all
ask here, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.journeys.actions import Branch, End, Split, Step, Wait
from chalicelib.journeys.definition import Definition, always_ends

Way = str
"""`then` or `else` of a branch, or the name of a split's way."""


@dataclass(frozen=True)
class Plan:
    """`first` is where a contact begins; `steps` holds every step that can be reached, by id."""

    first: str | None
    steps: dict[str, Step]
    _after: dict[tuple[str, Way | None], str | None]

    def next_of(self, step_id: str, way: Way | None = None) -> str | None:
        """The step that follows; for a branch or split, on that way. None: the journey is over."""
        return self._after[step_id, way]

    def group(self, step_id: str) -> list[str]:
        """The steps that one task runs from this one on: up to a branch, split or end (included), or a wait (not)."""
        group = [step_id]
        while not isinstance(self.steps[group[-1]], Branch | Split | End):
            following = self.next_of(group[-1])
            if following is None or isinstance(self.steps[following], Wait):
                break
            group.append(following)
        return group


def plan(definition: Definition) -> Plan:
    steps: dict[str, Step] = {}
    after: dict[tuple[str, Way | None], str | None] = {}
    first = _lay(definition.steps, None, steps, after)
    in_reading_order = {place.step.id: place.step for place in definition.located() if place.step.id in steps}
    return Plan(first, in_reading_order, after)


def ways_of(step: Branch | Split) -> dict[Way, tuple[Step, ...]]:
    """What stands on each way, in the order in which they are written."""
    if isinstance(step, Branch):
        return {"then": step.then, "else": step.otherwise}
    return {way.name: way.steps for way in step.ways}


def first_step(definition: Definition) -> Step | None:
    """The step that a contact stands on right after entering."""
    laid = plan(definition)
    return laid.steps[laid.first] if laid.first else None


def _lay(
    steps: tuple[Step, ...],
    after: str | None,
    found: dict[str, Step],
    order: dict[tuple[str, Way | None], str | None],
) -> str | None:
    """Lay out these steps, which lead on to `after`; returns the first of them (or `after`)."""
    for step in reversed(_reached(steps)):
        if isinstance(step, Wait) and after is None:
            continue
        found[step.id] = step
        if isinstance(step, Branch | Split):
            for way, steps_on_it in ways_of(step).items():
                order[step.id, way] = _lay(steps_on_it, after, found, order)
        else:
            order[step.id, None] = None if isinstance(step, End) else after
        after = step.id
    return after


def _reached(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    for index, step in enumerate(steps):
        if always_ends(step):
            return steps[: index + 1]
    return steps
