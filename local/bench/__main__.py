"""`make bench`: every measure in turn, as a table and, with JSON=1, as one JSON object on the last line."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from local.bench import (
    bill,
    calendar,
    carts,
    decisions,
    door,
    growth,
    history,
    imports,
    memory,
    messages,
    past_length,
    plugin,
    purchase,
    renders,
    shopify,
    touches,
    what_if,
)

MEASURES: dict[str, Callable[[], dict[str, Any]]] = {
    "door": door.measure,
    "imports": imports.measure,
    "purchase": purchase.measure,
    "history": purchase.measure_history,
    "carts": carts.measure,
    "plugin": plugin.measure,
    "pull": history.measure,
    "shopify": shopify.measure,
    "memory": memory.measure,
    "touches": touches.measure,
    "decisions": decisions.measure,
    "past_length": past_length.measure,
    "growth": growth.measure,
    "calendar": calendar.measure,
    "what_if": what_if.measure,
    "renders": renders.measure,
    "messages": messages.measure,
    "bill": bill.measure,
}
Row = tuple[str, str, str]  # what, how much, against what


def main() -> None:
    wanted = sys.argv[1:] or list(MEASURES)
    found: dict[str, Any] = {}
    for name in wanted:
        start = time.monotonic()
        found[name] = alone(MEASURES[name])
        for row in ROWS[name](found[name]):
            print("{:<44} {:<38} {}".format(*row))
        print(f"{'':<44} ({time.monotonic() - start:.0f} s)", flush=True)
    if os.environ.get("JSON") == "1":
        print(json.dumps(found, separators=(",", ":")))


def alone(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """In a process of its own, so that no measure meets what another has loaded."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(measure).result()


def _door(found: dict[str, Any]) -> Iterator[Row]:
    yield (
        f"webhook door, {found['body_bytes']} bytes of order",
        f"{found['door_cpu_us']} µs CPU",
        f"{found['ratio']:.2f} x a bare handler ({found['floor_cpu_us']} µs); aim 1.5",
    )


def _imports(found: dict[str, Any]) -> Iterator[Row]:
    for name, one in found.items():
        aim = "the floor: Chalice + boto3" if name == imports.FLOOR else f"{one['import_ratio']:.2f} x bare; aim 1.5"
        yield f"import of {name}", f"{one['import_ms']} ms CPU", aim
        aim = "the floor: with a client" if name == imports.FLOOR else f"{one['ready_ratio']:.2f} x bare"
        yield "  until ready for its first event", f"{one['ready_ms']} ms CPU", aim


def _units(counted: dict[str, Any]) -> str:
    return f"{counted['read_units']:g} read, {counted['write_units']:g} write units"


def _purchase(found: dict[str, Any]) -> Iterator[Row]:
    yield "purchase of a new contact", _units(found["new_contact"]), "two deliveries, one enrolment"
    yield "purchase of a known contact", _units(found["known_contact"]), ""
    yield "both deliveries once more", _units(found["repeated_deliveries"]), ""
    yield "message", _units(found["message"]), ""
    states = found["state_transitions"]
    yield "wait, then send", f"{states['per_message']} state transitions", f"floor {states['floor']}"


def _history(found: dict[str, Any]) -> Iterator[Row]:
    for which, entries in zip(("short", "long"), found["entries"], strict=True):
        for part in ("purchase", "message"):
            yield f"{part}, contact with {entries} timeline entries", _units(found[which][part]), ""
    yield "long against short history", f"{found['ratio']:.3f} x the units", "aim 1"


def _carts(found: dict[str, Any]) -> Iterator[Row]:
    yield "cart seen, nobody known", _units(found["anonymous"]), "one call of the plugin, its delivery kept"
    yield "… its shopper named, a new contact", _units(found["named"]), ""
    yield "… changed once more", _units(found["changed"]), ""
    yield "… the same call again", _units(found["repeated"]), ""
    yield "… bought", _units(found["bought"]), ""
    yield "the look that finds a cart left", _units(found["left"]), ""
    yield "a cart that moved: both looks, journey, message", _units(found["moved_left_and_written_to"]), ""
    states = found["state_transitions"]
    yield "watching an abandoned cart", f"{states['watch']} state transitions", f"floor {states['floor']}"
    yield "  that moved meanwhile", f"{states['watch_of_a_cart_that_moved']} state transitions", "3 more each time"


def _plugin(found: dict[str, Any]) -> Iterator[Row]:
    if "skipped" in found:
        yield "the plugin in an add-to-cart request", "skipped", found["skipped"]
        return
    yield (
        "the plugin in an add-to-cart request",
        f"{found['plugin_us'] / 1000:.2f} ms CPU, {found['network_calls']} network calls",
        f"{found['plugin_us'] / found['floor_us']:.2f} x its {found['statements']} bare statements; aim under 2 ms",
    )
    yield "  in a request that changes no cart", f"{found['page_view_us']} µs", ""


def _pull(found: dict[str, Any]) -> Iterator[Row]:
    few, many = found["records"]
    speed = f"{found['speed_ratio']:.2f} x with {few['orders']} ({few['orders_per_second']})"
    yield f"pull of {many['orders']} orders into the table", f"{many['orders_per_second']} orders per second", speed
    yield "  peak memory", f"{many['peak_mb']} MB", f"{found['records_memory_ratio']:.2f} x with {few['orders']}"
    few, many = found["counted"]
    against = f"{found['memory_ratio']:.2f} x with {few['orders']} ({few['peak_mb']} MB); aim 1"
    yield f"pull of {many['orders']} orders, only counted", f"{many['orders_per_second']} orders per second", ""
    yield "  peak memory", f"{many['peak_mb']} MB", against


def _shopify(found: dict[str, Any]) -> Iterator[Row]:
    few, many = found["counted"]
    speed = f"{many['orders_per_second']} orders per second"
    yield f"pull of Shopify's file of {many['objects']} objects, only counted", speed, ""
    against = f"{found['memory_ratio']:.2f} x with {few['objects']} ({few['peak_mb']} MB); aim 1"
    yield "  peak memory", f"{many['peak_mb']} MB", against


def _memory(found: dict[str, Any]) -> Iterator[Row]:
    yield (
        f"peak memory, {found['journeys_waiting']} journeys waiting",
        f"{found['waiting_mb']} MB",
        f"{found['ratio']:.2f} x with none ({found['idle_mb']} MB)",
    )


def _what_if(found: dict[str, Any]) -> Iterator[Row]:
    yield (
        f"what-if, {found['days']} days of {found['contacts']} contacts",
        f"{found['contacts_per_second']} contacts per second",
        f"{found['seconds']} s CPU; {found['against_a_bare_read']} x a bare read of the events",
    )
    yield (
        "  peak memory",
        f"{found['peak_mb']} MB",
        f"{found['memory_ratio']:.2f} x with {found['few']} contacts; aim 1",
    )
    yield "decisions of the step function", f"{found['decisions_per_second']} per second and core", "records in memory"


def _touches(found: dict[str, Any]) -> Iterator[Row]:
    for name, one in found.items():
        branches = f", {one['branches']} branches" if one["branches"] else ""
        yield (
            f"{name}: {one['touches']} touches{branches}",
            f"{one['transitions']} state transitions",
            f"{one['per_touch']:g} per touch; aim {one['aim']} in all{'' if one['holds'] else ': MISSED'}",
        )


def _decisions(found: dict[str, Any]) -> Iterator[Row]:
    yield (
        "decisions of the step function, in memory",
        f"{found['decisions_per_second']} per second and core",
        f"{found['against_its_conditions']} x a bare evaluate of its conditions ({found['us_of_its_conditions']} µs)",
    )


def _past_length(found: dict[str, Any]) -> Iterator[Row]:
    for which, entries in zip(("short", "long"), found["entries"], strict=True):
        for part, units in found[which].items():
            against = f"{found['ratios'][part]:.2f} x with {found['entries'][0]}; aim 1" if which == "long" else ""
            yield f"{part.replace('_', ' ')}, {entries} timeline entries", _units(units), against


def _growth(found: dict[str, Any]) -> Iterator[Row]:
    for number, units in found["passes"].items():
        yield f"an event, contact with {number} passes", _units(units), ""
    for number, units in found["orders"].items():
        yield f"purchase, contact with {number} orders", _units(units), ""
    for number, units in found["messages"].items():
        yield f"purchase after a click, {number} messages", _units(units), ""
    for number, bills in found["live_journeys"].items():
        first = f"{bills['first']['read_units']:g} read where a process hears of them first"
        yield f"an event, store with {number} live journeys", _units(bills["later"]), first


def _calendar(found: dict[str, Any]) -> Iterator[Row]:
    yield (
        f"a day with {found['due']} of {found['contacts']} contacts due",
        f"{found['items_read_per_due']:g} items read per contact due",
        "aim: not the whole list",
    )
    yield "  the day's work, entries included", _units(found["day"]), ""
    yield "  a look that finds nobody due", _units(found["idle_look"]), ""


def _renders(found: dict[str, Any]) -> Iterator[Row]:
    yield (
        "a cart's email, three items, Hebrew",
        f"{found['renders_per_second']} per second and core",
        f"{found['ratio']:.2f} x bare Liquid ({found['us_of_bare_liquid']} µs); aim 1.5",
    )
    yield "  compiled", f"{found['compile_ms']} ms, the first {found['first_compile_ms']} ms", "once per worker"


def _messages(found: dict[str, Any]) -> Iterator[Row]:
    for name, one in found.items():
        spent = ", ".join(f"{function} {ms:g} ms" for function, ms in one["cpu_ms"].items())
        yield name.replace("_", " "), _units(one), f"CPU: {spent}" if spent else ""


def _bill(found: dict[str, Any]) -> Iterator[Row]:
    for line in found["lines"]:
        yield line["price"], line["text"], line["why"]
    holds = "" if found["ratio"] <= found["aim"] else ": MISSED"
    besides = f"{found['ratio']:.2f} x the SES fee (${found['ses_fee']:.2f}); aim {found['aim']}{holds}"
    yield "the month besides the SES fee", f"${found['besides']:.2f}", besides


ROWS: dict[str, Callable[[dict[str, Any]], Iterator[Row]]] = {
    "door": _door,
    "imports": _imports,
    "purchase": _purchase,
    "history": _history,
    "carts": _carts,
    "plugin": _plugin,
    "pull": _pull,
    "shopify": _shopify,
    "memory": _memory,
    "touches": _touches,
    "decisions": _decisions,
    "past_length": _past_length,
    "growth": _growth,
    "calendar": _calendar,
    "what_if": _what_if,
    "renders": _renders,
    "messages": _messages,
    "bill": _bill,
}

if __name__ == "__main__":
    main()
