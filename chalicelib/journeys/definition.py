"""A journey as data: trigger, re-entry, goal and a tree of steps; read from JSON or YAML and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chalicelib.errors import BadInput, FieldMistake
from chalicelib.journeys import condition_forms
from chalicelib.journeys.actions import Branch, End, LocalText, SendEmail, SendText, Split, Step, Wait
from chalicelib.journeys.condition_forms import (
    Condition,
    Days,
    FieldIs,
    MessageIs,
    StepIs,
    Subject,
    key_of,
    located,
    step_asked,
)
from chalicelib.journeys.limits import DEEPEST, DEEPEST_CONDITION, LARGEST, MOST_STEPS
from chalicelib.journeys.mistakes import MOST_LEVELS, mistakes_of, refuse_outsized
from chalicelib.journeys.triggers import ON_SCHEDULE, Trigger
from chalicelib.messages.block_forms import Line
from chalicelib.messages.content_model import Language

SENDING = frozenset({"send_email", "send_sms", "send_whatsapp"})


class Reentry(BaseModel):
    """Who may enter again. `once`: never; `after_days`: so many days after the last entry; `once_at_a_time`: when
    no earlier pass is running; `per_order` and `per_cart`: once for each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["once", "every_time", "after_days", "once_at_a_time", "per_order", "per_cart"] = "once"
    days: Days | None = None

    @model_validator(mode="after")
    def _days_where_due(self) -> Reentry:
        if (self.mode == "after_days") != (self.days is not None):
            raise ValueError("days goes with mode after_days, and only with it")
        return self


@dataclass(frozen=True)
class Located:
    """A step, its field path (`steps[1].then[0]`), and how many branches it is inside."""

    step: Step
    path: str
    depth: int


class Definition(BaseModel):
    """A whole journey. `goal` met: the pass ends as goal_met, looked at before every step. `exits`: events of the
    contact upon which the pass ends as exited, with the event's type as its reason (`exit:list_left`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[dict[Language, Line], Field(min_length=1, max_length=20)]
    description: LocalText = Field(default_factory=dict)
    trigger: Trigger
    reentry: Reentry = Reentry()
    goal: Condition | None = None
    exits: Annotated[tuple[Trigger, ...], Field(max_length=20)] = ()
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @classmethod
    def parse(cls, data: Any) -> Definition:
        """From JSON data. Raises `BadInput` with every mistake that stops it: `field` is the place
        (`steps[1].then[0].content.he.subject`), `message` names the step by its id.
        """
        refuse_outsized(data, LARGEST)
        try:
            definition = cls.model_validate(data)
        except ValidationError as error:
            raise BadInput("the journey has mistakes", mistakes_of(error, data)) from None
        if mistakes := list(_structural_mistakes(definition)):
            raise BadInput("the journey has mistakes", mistakes)
        return definition

    @classmethod
    def kept(cls, data: Any) -> Definition:
        """One that was parsed before it was kept: rules that came since do not stop who is on the way in it."""
        return cls.model_validate(data)

    def dump(self) -> dict[str, Any]:
        """JSON data as it was given: `parse` of it is this definition."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def located(self) -> Iterator[Located]:
        """Every step in reading order, with its place."""
        return _located(self.steps, "steps", 1)

    def step(self, step_id: str) -> Step:
        """Raises KeyError for an id that is not in the journey."""
        for found in self.located():
            if found.step.id == step_id:
                return found.step
        raise KeyError(step_id)

    @property
    def languages(self) -> list[str]:
        return list(self.name)


def from_yaml(text: str) -> Definition:
    """Raises `BadInput` like `parse` and `read_yaml`."""
    return Definition.parse(read_yaml(text))


def read_yaml(text: str) -> Any:
    """Raises `BadInput` for what is no YAML or too large. Aliases are refused (they can explode)."""
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise BadInput(f"a journey is at most {LARGEST // 1024} KiB")
    import yaml  # here, since the Lambdas that import this module read JSON only

    try:
        _refuse_explosive(text)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:
        # PyYAML itself stumbles over values that are not of their tag, such as `!!bool x` and `!!timestamp x`.
        raise BadInput(f"this is no YAML: {_where(error)}") from None
    return data


def _refuse_explosive(text: str) -> None:
    """Aliases and bottomless nesting, before anything is built from them."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.events.AliasEvent):
            raise BadInput("a journey's YAML has no aliases")
        depth += isinstance(event, yaml.events.CollectionStartEvent) - isinstance(event, yaml.events.CollectionEndEvent)
        if depth > MOST_LEVELS:
            raise BadInput(f"a journey is nested at most {MOST_LEVELS} levels deep")


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a journey definition."""
    schema = Definition.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Journey"}


def inner_steps(step: Step) -> list[tuple[str, tuple[Step, ...]]]:
    """The ways that lead on inside a step, each with its field name."""
    if isinstance(step, Branch):
        return [("then", step.then), ("else", step.otherwise)]
    if isinstance(step, Split):
        return [(f"ways[{index}].steps", way.steps) for index, way in enumerate(step.ways)]
    return []


def _located(steps: tuple[Step, ...], path: str, depth: int) -> Iterator[Located]:
    for index, step in enumerate(steps):
        place = f"{path}[{index}]"
        yield Located(step, place, depth)
        for name, inner in inner_steps(step):
            yield from _located(inner, f"{place}.{name}", depth + 1)


def conditions_of(definition: Definition) -> Iterator[tuple[str, Condition, Located | None]]:
    """Every whole condition with its place and the step it belongs to (None: the journey's own)."""
    if definition.trigger.where is not None:
        yield "trigger.where", definition.trigger.where, None
    if definition.goal is not None:
        yield "goal", definition.goal, None
    for index, leaving in enumerate(definition.exits):
        if leaving.where is not None:
            yield f"exits[{index}].where", leaving.where, None
    for place in definition.located():
        if isinstance(place.step, Branch):
            yield f"{place.path}.if", place.step.condition, place
        elif isinstance(place.step, SendEmail):
            for language, content in place.step.content.items():
                for within, condition in content.conditions():
                    yield f"{place.path}.content.{language}.{within}.if", condition, place
        elif isinstance(place.step, Wait) and place.step.until_event and place.step.until_event.event.where:
            yield f"{place.path}.until_event.event.where", place.step.until_event.event.where, place


def asked_by(step: Step) -> list[Condition]:
    """What a task that does this step evaluates: a branch's condition, those of an email's focused content."""
    if isinstance(step, Branch):
        return [step.condition]
    if isinstance(step, SendEmail):
        return [condition for content in step.content.values() for _, condition in content.conditions()]
    return []


def _structural_mistakes(definition: Definition) -> Iterator[FieldMistake]:
    places = list(definition.located())
    first: dict[str, str] = {}
    for place in places:
        if first.setdefault(place.step.id, place.path) != place.path:
            yield FieldMistake(
                f"{place.path}.id", f"step {place.step.id!r}: {first[place.step.id]} has the same id already"
            )
        if place.depth > DEEPEST:
            yield FieldMistake(place.path, f"step {place.step.id!r}: steps are nested at most {DEEPEST} deep")
    if len(places) > MOST_STEPS:
        yield FieldMistake(
            "steps",
            f"a journey has at most {MOST_STEPS} steps, this one has {len(places)}; let the rest be one of its own",
        )
    yield from _misplaced_events(definition)
    yield from _unreachable(definition)
    by_id = {place.step.id: place for place in places}
    for path, condition, owner in conditions_of(definition):
        for inner_path, inner in located(condition, path):
            if inner_path.count(".", len(path)) == DEEPEST_CONDITION + 1:
                deepest = f"conditions are nested at most {DEEPEST_CONDITION} deep; put some of them into two branches"
                yield FieldMistake(path, f"{_of(owner)}{deepest}")
            if reason := _dangling(inner, path, owner, by_id):
                yield FieldMistake(f"{inner_path}.{key_of(inner)}.step", f"{_of(owner)}{reason}")


def _dangling(condition: Condition, path: str, owner: Located | None, steps: dict[str, Located]) -> str | None:
    """What is wrong with a condition that asks about a step of the journey, if anything."""
    asked = step_asked(condition)
    if asked is None:
        return None
    if path.startswith(("trigger.", "exits[")):
        return f"{asked!r}: no step of this journey has run here; ask about it in a branch or the goal"
    place = steps.get(asked)
    if place is None:
        return f"{asked!r}: there is no such step in this journey"
    if isinstance(condition, MessageIs) and place.step.type not in SENDING:
        return f"{asked!r}: that step sends no message in this journey"
    awaits = isinstance(place.step, Wait) and place.step.until_event is not None
    if isinstance(condition, StepIs) and condition.step.state in ("happened", "timed_out") and not awaits:
        return f"{asked!r}: that step does not wait for an event; ask whether it is done"
    if owner is not None and not _comes_before(place, owner, list(steps)):
        return f"{asked!r} does not come before this step, so nothing is known of it; move this step after it"
    return None


def _comes_before(asked: Located, owner: Located, order: list[str]) -> bool:
    """Whether it may have run when `owner` does: earlier in reading order, and not on another way of a branch."""
    if order.index(asked.step.id) >= order.index(owner.step.id):
        return False
    for mine, theirs in zip(owner.path.split("."), asked.path.split("."), strict=False):
        if mine != theirs:  # where they part: side by side in one list of steps, or on two ways of one step
            name = mine.partition("[")[0]
            return name == theirs.partition("[")[0] and name != "ways"
    return True


def _misplaced_events(definition: Definition) -> Iterator[FieldMistake]:
    """Events that a schedule finds cannot be waited for; that another journey was entered is told to exits only."""
    if definition.trigger.type == "journey_entered":
        yield FieldMistake("trigger.type", "journey_entered is for exits; let the other journey start this one instead")
    awaited = [
        (f"{place.path}.until_event.event", place.step.until_event.event, _of(place))
        for place in definition.located()
        if isinstance(place.step, Wait) and place.step.until_event
    ]
    leaving = [(f"exits[{index}]", one, "") for index, one in enumerate(definition.exits)]
    for path, event, owner in [*awaited, *leaving]:
        if event.type in ON_SCHEDULE:
            yield FieldMistake(
                f"{path}.type", f"{owner}{event.type} comes by the calendar, nobody tells it: use until_date"
            )
        if getattr(event, "quiet_hours", None) or getattr(event, "collect_hours", None):
            yield FieldMistake(path, f"{owner}quiet_hours and collect_hours are for triggers; leave them out here")
    for path, event, owner in awaited:
        if event.type == "journey_entered":
            yield FieldMistake(f"{path}.type", f"{owner}journey_entered is for exits; wait for another event")


def _of(place: Located | None) -> str:
    return f"step {place.step.id!r}: " if place else ""


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "it cannot be read"


# What does not stop saving


def warnings_of(definition: Definition) -> list[FieldMistake]:
    """What a person should know before switching the journey on: it runs, but perhaps not as meant."""
    return [*_unchosen(definition), *_silent_languages(definition), *_idle_steps(definition)]


def _unchosen(definition: Definition) -> Iterator[FieldMistake]:
    for path, condition, place in conditions_of(definition):
        for inner_path, inner in located(condition, path):
            field = _unchosen_field(inner)
            if field:
                yield FieldMistake(f"{inner_path}.{field}", f"{_of(place)}nothing is chosen yet, so it matches nothing")


def _unchosen_field(condition: Condition) -> str | None:
    if isinstance(condition, FieldIs):
        needs_value = condition.operator not in condition_forms.VALUELESS
        return "value" if needs_value and condition.value in (None, "", ()) else None
    subject = getattr(condition, key_of(condition), None)
    return f"{key_of(condition)}.{subject.kind}" if isinstance(subject, Subject) and subject.unchosen else None


def _silent_languages(definition: Definition) -> Iterator[FieldMistake]:
    for place in definition.located():
        if isinstance(place.step, SendEmail):
            name, told = "content", set(place.step.content)
        elif isinstance(place.step, SendText):
            name, told = "text", set(place.step.text)
        else:
            continue
        for language in definition.languages:
            if language not in told:
                yield FieldMistake(
                    f"{place.path}.{name}.{language}", f"{_of(place)}has no {name} in language {language!r}"
                )


def _idle_steps(definition: Definition) -> Iterator[FieldMistake]:
    for place in definition.located():
        if isinstance(place.step, Branch) and not any(steps for _, steps in inner_steps(place.step)):
            yield FieldMistake(place.path, f"{_of(place)}both ways of the branch are empty")
    yield from _idle_wait(definition.steps, "steps")


def _idle_wait(steps: tuple[Step, ...], path: str) -> Iterator[FieldMistake]:
    """A wait that nothing follows is left out. (Branches that end the journey are looked into.)"""
    if not steps:
        return
    place, step = f"{path}[{len(steps) - 1}]", steps[-1]
    if isinstance(step, Wait):
        yield FieldMistake(place, f"step {step.id!r}: nothing follows this wait, so it is left out")
    for name, inner in inner_steps(step):
        yield from _idle_wait(inner, f"{place}.{name}")


def _unreachable(definition: Definition) -> Iterator[FieldMistake]:
    for place in definition.located():
        for name, steps in inner_steps(place.step):
            yield from _after_the_end(steps, f"{place.path}.{name}")
    yield from _after_the_end(definition.steps, "steps")


def _after_the_end(steps: tuple[Step, ...], path: str) -> Iterator[FieldMistake]:
    over = False
    for index, step in enumerate(steps):
        if over:
            yield FieldMistake(
                f"{path}[{index}]",
                f"step {step.id!r}: is never reached, every way ended before it; take it or the end away",
            )
        over = over or always_ends(step)


def always_ends(step: Step) -> bool:
    """Whether no way through this step leads on."""
    if isinstance(step, End):
        return True
    ways = inner_steps(step)
    return bool(ways) and all(any(always_ends(inner) for inner in steps) for _, steps in ways)
