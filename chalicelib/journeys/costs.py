"""What a journey costs in an account of one's own: counted units, and AWS's list prices (us-east-1, November 2026).

Money is in millionths of a US dollar. Units of the table are counted as in docs/benchmarks.md; `tests/journeys/
test_costs.py` counts them again. The store's own deliveries cost the same with and without the journey: left out.
"""

from __future__ import annotations

from dataclasses import dataclass

# Request units of the table, each with the index.
ENTRY = (7.0, 2.0)
"""(read, write) of one entry: what the event is decided by, the enrolment and its entry in the listing."""
TASK = (8.0, 2.0)
"""One call of the step function: all it decides by in one request, and the enrolment as it is afterwards."""
MESSAGE = (3.0, 5.0)
"""Beside its task: claim and outcome, and of marketing its place among what was sent lately."""
CHANGE = (6.0, 7.0)
"""Beside its task: the contact, the event in the timeline, and that its cause was seen."""
HEARD = (4.0, 0.0)
"""An event of somebody on the way: whether the goal is met."""

TRANSITION = 25  # Step Functions, Standard: $0.025 per 1,000
READ_UNIT = 0.125  # DynamoDB on demand: $0.125 per million
WRITE_UNIT = 0.625  # $0.625 per million
LAMBDA_REQUEST = 0.2  # $0.20 per million
LAMBDA_GB_SECOND = 13.3334  # arm64
EMAIL = 100  # SES: $0.10 per 1,000

# The step function: 512 MB, and what one call of it takes warm (real seconds; the table's answers and SES's included).
STEP_GB = 0.5
STEP_SECONDS = 0.06


@dataclass(frozen=True)
class Cost:
    """By line, in millionths of a US dollar. SMS and WhatsApp are not in it: their price is the provider's."""

    state_transitions: int
    table: int
    functions: int
    emails: int

    @property
    def total(self) -> int:
        return self.state_transitions + self.table + self.functions + self.emails


@dataclass(frozen=True)
class Done:
    """What was done, by count."""

    transitions: int
    invocations: int
    entries: int
    messages: int
    changes: int
    heard: int
    emails: int


def units(done: Done) -> tuple[float, float]:
    """Read and write units of the table, estimated from the counted ones."""
    parts = (
        (done.entries, ENTRY),
        (done.invocations, TASK),
        (done.messages, MESSAGE),
        (done.changes, CHANGE),
        (done.heard, HEARD),
    )
    return sum(count * one[0] for count, one in parts), sum(count * one[1] for count, one in parts)


def cost(done: Done) -> Cost:
    read, write = units(done)
    functions = done.invocations * (LAMBDA_REQUEST + LAMBDA_GB_SECOND * STEP_GB * STEP_SECONDS)
    return Cost(
        state_transitions=done.transitions * TRANSITION,
        table=round(read * READ_UNIT + write * WRITE_UNIT),
        functions=round(functions),
        emails=done.emails * EMAIL,
    )
