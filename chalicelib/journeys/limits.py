"""How large a journey may be, and how long it may last. What is beyond is refused by name, with what to do instead."""

from __future__ import annotations

from datetime import timedelta

MOST_STEPS = 100
DEEPEST = 10
"""Levels of branches and splits inside each other, the journey's own steps being the first."""

DEEPEST_CONDITION = 10
"""Levels of all, any and not inside each other."""

LARGEST = 256 * 1024
"""A definition as JSON, in UTF-8 bytes: a version must fit a table item (400 KB) together with its head."""

LARGEST_MACHINE = 1_000_000
"""A state machine as JSON, in UTF-8 bytes: 1 MB is the quota of Step Functions. No legal journey comes near it."""

LONGEST_WAIT = timedelta(days=365)
"""Of one wait for a time or for an event. A date may be any number of years away."""

LONGEST_EXECUTION = timedelta(days=350)
"""An execution of Step Functions lives at most a year (quota); what would last longer goes on in a next one."""
