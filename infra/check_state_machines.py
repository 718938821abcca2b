"""Shows every ready journey, compiled, and the fixed state machines to two independent readers of the States Language.

statelint knows the specification, cfn-lint what CloudFormation and AWS accept (E3601 and its family); each finds
mistakes that emulators let pass.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from cfnlint.api import lint
from statelint.linter import Linter

from chalicelib.commerce.machines import machine
from chalicelib.journeys.compile import compile_journey, compile_resume
from chalicelib.journeys.definition import Definition
from chalicelib.journeys.gallery import gallery
from infra.package import MACHINES

STEP_FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:agala-dev-journey_step"
ROLE = "arn:aws:iam::123456789012:role/agala-state-machines"


def mistakes(machines: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is wrong with these state machines, one line per mistake, with the machine's name first."""
    found = [f"{name}: {problem}" for name, machine in machines.items() for problem in Linter.validate(dict(machine))]
    ids = {f"Machine{number}": name for number, name in enumerate(machines)}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            id_: {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {"RoleArn": ROLE, "Definition": machines[name]},
            }
            for id_, name in ids.items()
        },
    }
    for match in lint(json.dumps(template)):
        place = [str(part) for part in match.path or []]
        name = ids.get(place[1], "") if len(place) > 1 else ""
        found.append(f"{name}: {match.rule.id} at {'/'.join(place[4:])}: {match.message}")
    return found


def compiled_templates() -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, state machine): of each ready journey the machine people enter and the one that takes them up again."""
    for template in gallery():
        definition = Definition.model_validate(template.definition)
        yield template.id, compile_journey(definition, STEP_FUNCTION)
        yield f"{template.id} (resume)", compile_resume(definition, STEP_FUNCTION)


def fixed_machines() -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, state machine) of those that are files of their own."""
    for name in MACHINES.values():
        yield name, machine(name, STEP_FUNCTION)


def main() -> None:
    machines = dict([*compiled_templates(), *fixed_machines()])
    found = mistakes(machines)
    for mistake in found:
        print(mistake, file=sys.stderr)
    print(f"{len(machines)} state machines read, {len(found)} mistakes")
    if found or not machines:
        sys.exit(1)


if __name__ == "__main__":
    main()
