# Every command does its own set-up: a `.venv` beside this file, made again when the pins change.
# Needs Python 3.11 or newer and make; after the first time it works without a network.

PYTHON ?= python3
MAKEFLAGS += --no-print-directory
SETUP = @$(PYTHON) infra/environment.py
IN_VENV = .venv/bin
# Linux: should make itself be killed outright, what it started goes too.
WITH_MAKE := $(shell command -v setpriv >/dev/null 2>&1 && echo setpriv --pdeathsig KILL)

.DEFAULT_GOAL := help
.PHONY: help run test prove demo journeys bench package plugin check

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## ?/make \1\t/' | expand -t 16

run: ## the whole product on this machine: http://127.0.0.1:8000; Ctrl-C stops it
	$(SETUP)
	@exec $(WITH_MAKE) $(IN_VENV)/python -m local

demo: ## recorded store days on a fast clock, told in a table (JSON=1: one JSON object as the last line)
	$(SETUP)
	@exec $(WITH_MAKE) $(IN_VENV)/python -m local.demo

journeys: ## a folder of journeys against a running Agala: DIR=folder (APPLY=1, ACTIVATE=1, EXPORT=1, STORE=id)
	$(SETUP)
	@exec $(IN_VENV)/python -m local.journeys

bench: ## the measures, each against its floor (JSON=1: one JSON object as the last line)
	$(SETUP)
	@exec $(WITH_MAKE) $(IN_VENV)/python -m local.bench

test: ## every test (PYTEST="tests/infra -k word" runs some)
	$(SETUP)
	@$(IN_VENV)/python -m tests.plugin.programs
	@exec $(WITH_MAKE) $(IN_VENV)/python -m pytest --numprocesses auto --dist worksteal $(PYTEST)

prove: ## thousands of random journeys on two interpreters, and half a year of 2,000 contacts with crashes (5 minutes)
	$(SETUP)
	@exec env PROVE=1 $(WITH_MAKE) $(IN_VENV)/python -m pytest --numprocesses auto tests/journeys/test_what_if_referee.py tests/soak

check: ## format, lint, types, layering, state machines
	$(SETUP)
	$(IN_VENV)/ruff format --check .
	$(IN_VENV)/ruff check .
	$(IN_VENV)/mypy
	$(IN_VENV)/lint-imports
	$(IN_VENV)/python -m infra.check_state_machines

package: ## the deployable: dist/package/, checked by cfn-lint
	$(SETUP)
	@exec $(WITH_MAKE) $(IN_VENV)/python -m infra.package

plugin: ## the WordPress plugin, ready to install: dist/agala.zip
	$(SETUP)
	@exec $(WITH_MAKE) $(IN_VENV)/python -m infra.plugin
