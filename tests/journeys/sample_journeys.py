"""Journeys made for tests: four to read, and any number at random (of the executable subset)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from chalicelib.journeys.definition import Definition

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:agala-journey-steps"
CONTENT = {"he": {"subject": "שלום", "blocks": [{"type": "text", "text": "תודה"}]}}
BOUGHT_AGAIN = {"purchased": {"product": "trigger", "since": "entry"}}


def journey(*steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"name": {"en": "A test"}, "trigger": {"type": "order_paid"}, "steps": list(steps), **changes}


def mail(step_id: str, **changes: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "send_email", "content": CONTENT, **changes}


def pause(step_id: str, **length: int) -> dict[str, Any]:
    return {"id": step_id, "type": "wait", "for": length or {"days": 3}}


def lifetime(step_id: str) -> dict[str, Any]:
    return {"id": step_id, "type": "wait", "lifetime": {"minus_days": 5, "default_days": 30}}


def until_date(step_id: str) -> dict[str, Any]:
    return {"id": step_id, "type": "wait", "until_date": {"field": "birthday", "yearly": True}}


def until_time(step_id: str) -> dict[str, Any]:
    return {"id": step_id, "type": "wait", "until_time": {"weekdays": ["sunday"], "at": "10:00", "zone": "contact"}}


def until_event(step_id: str, name: str = "answered") -> dict[str, Any]:
    event = {"type": "api_event", "name": name}
    return {"id": step_id, "type": "wait", "until_event": {"event": event, "at_most": {"days": 7}}}


def branch(step_id: str, then: list[Any], otherwise: list[Any], condition: Any = BOUGHT_AGAIN) -> dict[str, Any]:
    return {"id": step_id, "type": "branch", "if": condition, "then": then, "else": otherwise}


def split(step_id: str, *, weights: dict[str, int] | None = None, **ways: list[Any]) -> dict[str, Any]:
    """Ways by name, of these weights (1 where none is named)."""
    made = [{"name": name, "weight": (weights or {}).get(name, 1), "steps": steps} for name, steps in ways.items()]
    return {"id": step_id, "type": "split", "ways": made}


def end(step_id: str) -> dict[str, Any]:
    return {"id": step_id, "type": "end"}


def tag(step_id: str) -> dict[str, Any]:
    return {"id": step_id, "type": "add_tag", "tag": "seen"}


SAMPLES: dict[str, dict[str, Any]] = {
    "thank-you": journey(
        mail("thanks", title={"he": "תודה", "en": "Thanks"}),
        pause("three-days", days=3),
        mail("get-the-most", title={"he": "איך ליהנות יותר", "en": "Get the most of it"}),
        name={"he": "תודה על קנייה ראשונה", "en": "Thank you for a first order"},
    ),
    "restock": journey(
        {"id": "on-the-list", "type": "add_to_list", "list": "bought"},
        lifetime("used-up"),
        branch("bought-again", [end("stocked-up")], [mail("restock"), pause("five-days", days=5)]),
        mail("last-word"),
        name={"he": "זמן לחדש מלאי", "en": "Time to restock"},
    ),
    "winding": journey(
        lifetime("at-first"),
        branch(
            "opened",
            [pause("a-day", days=1), lifetime("again")],
            [tag("quiet"), branch("twice", [], [mail("nudge"), end("enough")])],
        ),
        mail("both-ways"),
        pause("for-nothing", days=9),
        name={"en": "Winds about"},
    ),
    "asks": journey(
        split(
            "test",
            weights={"asked": 9, "control": 1},
            asked=[
                mail("question"),
                until_event("answer"),
                mail("thanks"),
                until_event("more", "came"),
                until_time("sunday"),
            ],
            control=[end("nothing")],
        ),
        mail("offer"),
        name={"en": "Asks nine in ten"},
    ),
}

_COMPUTED = {"lifetime": lifetime, "until_date": until_date, "until_time": until_time, "until_event": until_event}
_PARTING = ("branch", "split", "end")
_ACTIONS = ("mail", "tag", "pause", *_COMPUTED, *_PARTING)


def _ends(step: dict[str, Any]) -> bool:
    """Whether no way leads on: what follows would never be reached, which is a mistake."""
    if step["type"] == "branch":
        return all(any(_ends(inner) for inner in step[way]) for way in ("then", "else"))
    if step["type"] == "split":
        return all(any(_ends(inner) for inner in way["steps"]) for way in step["ways"])
    return bool(step["type"] == "end")


@st.composite
def journeys(draw: st.DrawFn, most: int = 14) -> Definition:
    """Trees of up to `most` steps, nested up to four deep; ends and idle waits anywhere."""
    left = [draw(st.integers(1, most))]

    def steps(depth: int) -> list[dict[str, Any]]:
        made = []
        for _ in range(draw(st.integers(0 if depth else 1, 5))):
            if left[0] == 0:
                break
            left[0] -= 1
            step_id = f"s{left[0]}"
            kind = draw(st.sampled_from(_ACTIONS if depth < 4 else _ACTIONS[: -len(_PARTING)]))
            if kind == "branch":
                made.append(branch(step_id, steps(depth + 1), steps(depth + 1)))
            elif kind == "split":
                made.append(split(step_id, **{way: steps(depth + 1) for way in "abc"[: draw(st.integers(2, 3))]}))
            elif kind == "pause":
                made.append(pause(step_id, seconds=draw(st.integers(1, 400_000))))
            else:
                made.append({"mail": mail, "tag": tag, "end": end, **_COMPUTED}[kind](step_id))
            if made and _ends(made[-1]):
                break
        return made

    return Definition.parse(journey(*steps(0)))
