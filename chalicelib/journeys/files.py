"""Journeys as a folder of YAML files: written out, compared with what is live, applied. One file is one journey.

In the folder `templates` below are the store's own email templates, {name, content}: the words that journeys of the
same folder may name. They are applied first.

A file's name without `.yaml` is the journey's id, its text the definition (a template of the gallery is read as it is:
its `definition`). Applying saves drafts, and activates them if that is asked for; a journey without a file stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import unified_diff
from typing import Any, Literal

from chalicelib.clock import Clock
from chalicelib.commerce.store import Store
from chalicelib.errors import BadInput, FieldMistake
from chalicelib.journeys.definition import Definition, read_yaml, warnings_of
from chalicelib.journeys.journey import Journey, JourneyStatus
from chalicelib.journeys.lifecycle import Lifecycle
from chalicelib.journeys.ports import JourneyRecords
from chalicelib.journeys.texts import text_mistakes
from chalicelib.messages.template import MessageTemplate, MessageTemplates, Words, dumped, read_words, save_template

State = Literal["new", "changed", "same", "mistaken", "archived", "only_live"]
_NAME = re.compile(r"((?:templates/)?[a-z0-9][a-z0-9-]{0,39})\.ya?ml")
_TEMPLATES = "templates/"
_MOST = 200


@dataclass(frozen=True)
class FileState:
    """`diff` is unified, from what is live (else the draft) to the file; `mistakes` are what stops it, by field;
    `only_live`: a journey that has no file, which stays as it is.
    """

    id: str
    state: State
    diff: str = ""
    mistakes: Sequence[FieldMistake] = ()
    warnings: Sequence[FieldMistake] = ()
    definition: dict[str, Any] | None = field(default=None, repr=False)


class JourneyFiles:
    def __init__(
        self, journeys: JourneyRecords, lifecycle: Lifecycle, templates: MessageTemplates, clock: Clock
    ) -> None:
        self._journeys, self._lifecycle = journeys, lifecycle
        self._templates, self._clock = templates, clock

    def written(self, store: Store) -> dict[str, str]:
        """Every journey that is not archived, by file name: as it is live, else its draft."""
        standing = ((journey, self._standing(journey)) for journey in self._alive(store))
        files = {f"{journey.id}.yaml": to_yaml(found) for journey, found in standing if found is not None}
        own = self._templates.of_store(store.id)
        return files | {f"{_TEMPLATES}{one.id}.yaml": to_yaml(_in_template(one)) for one in own}

    def compared(self, store: Store, files: Mapping[str, str]) -> list[FileState]:
        """By id. Raises `BadInput` for names that can be no journey's."""
        ids = _ids(files)
        known = {journey.id: journey for journey in self._journeys.of_store(store.id)}
        own = {f"{_TEMPLATES}{one.id}": one for one in self._templates.of_store(store.id)}
        found = [_template_state(one, files[name], own.get(one)) for one, name in ids.items() if _is_template(one)]
        words = {
            one.id.removeprefix(_TEMPLATES): read_words(one.definition["content"]) for one in found if one.definition
        }
        found += [
            self._state(store, one, files[name], known.get(one), words)
            for one, name in ids.items()
            if not _is_template(one)
        ]
        here = [*(journey.id for journey in self._alive(store)), *own]
        found += [FileState(one, "only_live") for one in here if one not in ids]
        return sorted(found, key=lambda one: (not _is_template(one.id), one.id))

    def applied(self, store: Store, files: Mapping[str, str], activate: bool) -> list[FileState]:
        """What was new or changed is saved, and activated if asked; then how each had been before.

        Raises `BadInput` and changes nothing if any file has a mistake, or is an archived journey's.
        """
        states = self.compared(store, files)
        mistakes = [
            FieldMistake(f"{one.id}.yaml: {mistake.field}", mistake.message)
            for one in states
            for mistake in one.mistakes
        ]
        mistakes += [
            FieldMistake(f"{one.id}.yaml", "this journey is archived; give the file another name")
            for one in states
            if one.state == "archived"
        ]
        if mistakes:
            raise BadInput("the files have mistakes; nothing was changed", mistakes)
        for one in states:
            if one.state in ("new", "changed"):
                self._apply(store, one, activate)
        return states

    def _apply(self, store: Store, one: FileState, activate: bool) -> None:
        if _is_template(one.id) and one.definition:
            told, name = one.definition, one.id.removeprefix(_TEMPLATES)
            words = read_words(told["content"])
            save_template(self._templates, store.id, name, told["name"], words, self._clock.now())
            return
        self._lifecycle.save_draft(store, one.id, one.definition)
        if activate:
            self._lifecycle.activate(store, one.id)

    def _alive(self, store: Store) -> list[Journey]:
        return [one for one in self._journeys.of_store(store.id) if one.status is not JourneyStatus.ARCHIVED]

    def _standing(self, journey: Journey) -> dict[str, Any] | None:
        """What is live; of one that never was, its draft. Its names in their own order: a record keeps none."""
        if journey.live_version is not None:
            version = self._journeys.version(journey.store_id, journey.id, journey.live_version)
            found = version.definition if version else None
        else:
            whole = self._journeys.get(journey.store_id, journey.id)
            found = whole.draft if whole else None
        return Definition.kept(found).dump() if found is not None else None

    def _state(
        self, store: Store, journey_id: str, text: str, journey: Journey | None, words: Mapping[str, Words]
    ) -> FileState:
        if journey is not None and journey.status is JourneyStatus.ARCHIVED:
            return FileState(journey_id, "archived")
        try:
            definition = self._lifecycle.read(store, in_file(text), words)
        except BadInput as wrong:
            return FileState(journey_id, "mistaken", mistakes=wrong.mistakes or [FieldMistake("", wrong.detail)])
        if mistakes := list(text_mistakes(definition)):
            return FileState(journey_id, "mistaken", mistakes=mistakes)
        data = definition.dump()
        before = self._standing(journey) if journey else None
        warnings = warnings_of(definition)
        if before is None:
            return FileState(journey_id, "new", _diff(journey_id, None, data), warnings=warnings, definition=data)
        diff = _diff(journey_id, before, data)
        return FileState(journey_id, "changed" if diff else "same", diff, warnings=warnings, definition=data)


def _is_template(name: str) -> bool:
    return name.startswith(_TEMPLATES)


def _in_template(template: MessageTemplate) -> dict[str, Any]:
    return {"name": dict(sorted(template.name.items())), "content": dict(sorted(dumped(template.content).items()))}


def _template_state(name: str, text: str, present: MessageTemplate | None) -> FileState:
    try:
        data = read_yaml(text)
        told = data.get("name") if isinstance(data, dict) else None
        if not isinstance(told, dict) or not all(isinstance(one, str) and one for one in told.values()):
            raise BadInput("no name", [FieldMistake("name", 'expected an object by language, such as {"en": …}')])
        words = read_words(data.get("content"))
    except BadInput as wrong:
        return FileState(name, "mistaken", mistakes=wrong.mistakes or [FieldMistake("", wrong.detail)])
    data = {
        "name": {str(language): one for language, one in sorted(told.items())},
        "content": dict(sorted(dumped(words).items())),
    }
    if present is None:
        return FileState(name, "new", _diff(name, None, data), definition=data)
    diff = _diff(name, _in_template(present), data)
    return FileState(name, "changed" if diff else "same", diff, definition=data)


def in_file(text: str) -> Any:
    """A definition's data, as it stands in the file. Raises `BadInput` for what is no YAML."""
    data = read_yaml(text)
    wrapped = isinstance(data, dict) and isinstance(data.get("definition"), dict) and "steps" not in data
    return data["definition"] if wrapped else data


def to_yaml(definition: Mapping[str, Any]) -> str:
    """A definition's JSON data as YAML that a person reads and a diff shows well."""
    import yaml  # here, since the Lambdas that import this module's neighbours read JSON only

    class Readable(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Readable.add_representer(str, text)
    return str(yaml.dump(dict(definition), Dumper=Readable, allow_unicode=True, sort_keys=False, width=110))


def _ids(files: Mapping[str, str]) -> dict[str, str]:
    """The file of each journey id."""
    if len(files) > _MOST:
        raise BadInput(f"at most {_MOST} files")
    found: dict[str, str] = {}
    mistakes = []
    for name in files:
        match = _NAME.fullmatch(name)
        if match is None:
            expected = "expected (templates/)id.yaml; an id is 1 to 40 of a-z, 0-9 and -, not beginning with -"
            mistakes.append(FieldMistake(f"files.{name[:60]}", expected))
        elif match[1] in found:
            mistakes.append(FieldMistake(f"files.{name}", f"{found[match[1]]} is the same"))
        else:
            found[match[1]] = name
    if mistakes:
        raise BadInput("these are no files of journeys or templates", mistakes)
    return found


def _diff(journey_id: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> str:
    old = to_yaml(before).splitlines(keepends=True) if before is not None else []
    name = f"{journey_id}.yaml"
    return "".join(unified_diff(old, to_yaml(after).splitlines(keepends=True), f"live/{name}", f"file/{name}"))
