"""A journey as data: trigger, re-entry, goal and a tree of steps; read from JSON or YAML and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from chalicelib.errors import BadInput, FieldMistake
from chalicelib.journeys import actions, condition_forms, triggers
from chalicelib.journeys.actions import Branch, End, LocalText, SendEmail, SendText, Split, Step, Wait
from chalicelib.journeys.condition_forms import (
    Bought,
    Condition,
    Days,
    FieldIs,
    MessageIs,
    Purchased,
    Subject,
    key_of,
    located,
)
from chalicelib.journeys.mistakes import MOST_LEVELS, mistakes_of, refuse_outsized
from chalicelib.journeys.triggers import Trigger
from chalicelib.messages.content_model import Language, Line

MOST_STEPS = 100
DEEPEST = 10
SENDING = frozenset({"send_email", "send_sms", "send_whatsapp"})
LARGEST = 256 * 1024  # UTF-8 bytes as JSON: a version must fit a table item (400 KB) together with its head


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
    """A whole journey. `goal` met: the pass ends as goal_met, looked at before every step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[dict[Language, Line], Field(min_length=1, max_length=20)]
    description: LocalText = Field(default_factory=dict)
    trigger: Trigger
    reentry: Reentry = Reentry()
    goal: Condition | None = None
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
    """Raises `BadInput` like `parse`, and for what is no YAML or too large. Aliases are refused (they can explode)."""
    if len(text.encode()) > LARGEST:
        raise BadInput(f"a journey is at most {LARGEST // 1024} KiB")
    import yaml  # here, since the Lambdas that import this module read JSON only

    try:
        _refuse_explosive(text)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadInput(f"this is no YAML: {_where(error)}") from None
    return Definition.parse(data)


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
    for place in definition.located():
        if isinstance(place.step, Branch):
            yield f"{place.path}.if", place.step.condition, place
        elif isinstance(place.step, Wait) and place.step.until_event and place.step.until_event.event.where:
            yield f"{place.path}.until_event.event.where", place.step.until_event.event.where, place


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
        yield FieldMistake("steps", f"a journey has at most {MOST_STEPS} steps, this one has {len(places)}")
    yield from _dangling(definition, {place.step.id: place.step for place in places})


def _dangling(definition: Definition, steps: dict[str, Step]) -> Iterator[FieldMistake]:
    """Conditions on the message of a step that does not exist or sends none."""
    for path, condition, place in conditions_of(definition):
        for inner_path, inner in located(condition, path):
            if not isinstance(inner, MessageIs):
                continue
            asked = steps.get(inner.message.step)
            if asked is None or asked.type not in SENDING:
                reason = "there is no such step" if asked is None else "that step sends no message"
                yield FieldMistake(
                    f"{inner_path}.message.step", f"{_of(place)}{inner.message.step!r}: {reason} in this journey"
                )


def _of(place: Located | None) -> str:
    return f"step {place.step.id!r}: " if place else ""


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else "it cannot be read"


# What does not stop saving


@dataclass(frozen=True)
class Checked:
    """`warnings`: it runs, but perhaps not as meant. `not_yet`: parts that cannot run now; activation refuses them."""

    warnings: list[FieldMistake]
    not_yet: list[FieldMistake]


def check(definition: Definition) -> Checked:
    """What a person should know before switching the journey on. Mistakes were raised by `parse` already."""
    return Checked(
        warnings=[*_unchosen(definition), *_silent_languages(definition), *_idle_steps(definition)],
        not_yet=list(_not_yet(definition)),
    )


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
        ways = inner_steps(place.step)
        if isinstance(place.step, Branch) and not any(steps for _, steps in ways):
            yield FieldMistake(place.path, f"{_of(place)}both ways of the branch are empty")
        for name, steps in ways:
            yield from _after_the_end(steps, f"{place.path}.{name}")
    yield from _after_the_end(definition.steps, "steps")
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


def _after_the_end(steps: tuple[Step, ...], path: str) -> Iterator[FieldMistake]:
    over = False
    for index, step in enumerate(steps):
        if over:
            yield FieldMistake(f"{path}[{index}]", f"step {step.id!r}: is never reached, the journey ended before it")
        over = over or always_ends(step)


def always_ends(step: Step) -> bool:
    """Whether no way through this step leads on."""
    if isinstance(step, End):
        return True
    ways = inner_steps(step)
    return bool(ways) and all(any(always_ends(inner) for inner in steps) for _, steps in ways)


def _not_yet(definition: Definition) -> Iterator[FieldMistake]:
    if definition.trigger.type not in triggers.EXECUTABLE:
        yield FieldMistake("trigger.type", f"{definition.trigger.type} cannot start a journey yet")
    for place in definition.located():
        reason = actions.reason_not_yet(place.step)
        if reason:
            yield FieldMistake(place.path, f"{_of(place)}{reason}")
    for path, condition, owner in conditions_of(definition):
        for inner_path, inner in located(condition, path):
            reason = _condition_not_yet(inner)
            if reason:
                yield FieldMistake(inner_path, f"{_of(owner)}{reason}")


def _condition_not_yet(condition: Condition) -> str | None:
    key = key_of(condition)
    if key not in condition_forms.EXECUTABLE:
        return f"{key} conditions cannot be answered yet"
    if isinstance(condition, MessageIs) and condition.message.link is not None:
        return "which link was clicked cannot be answered yet"
    if isinstance(condition, Purchased) and _beyond_totals(condition.purchased):
        return "units, or several orders in a window, can only be counted for a product or category yet"
    return None


def _beyond_totals(bought: Bought) -> bool:
    if bought.kind is not None:
        return False
    counted = (bought.at_least_orders or 1) > 1 or bought.at_least_total is not None
    return bought.at_least_units is not None or (bought.windowed and counted)
