# The commands that stay stable. Everything is installed by tools/bootstrap; nothing here needs a set-up by hand.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

BIN := .venv/bin
LAB := $(BIN)/groundwork-lab
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help up down test lint unit unit-3.13 packets molecule bench

help: ## What can be made
	@grep -hE '^[a-z0-9.-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

up: ## From a fresh checkout to a served site on the lab
	@tools/bootstrap run
	$(LAB) up
	$(LAB) exec -- ansible-playbook -i inventories/local site.yml
	tools/look-around

down: ## The lab and all its state gone
	@if [[ ! -x $(LAB) && -d /var/lib/groundwork-lab ]]; then tools/bootstrap run; fi
	if [[ -x $(LAB) ]]; then $(LAB) down; fi
	# Its servers' key and host keys are of no use to anybody else; another lab that is up may be of this checkout.
	if [[ ! -d /var/lib/groundwork-lab ]]; then rm -rf .environments/local; fi

test: lint unit unit-3.13 packets molecule ## Everything that must pass

lint: ## ruff, mypy, ansible-lint, shellcheck, ansible-test sanity
	@tools/bootstrap dev
	ruff check lab plugins tests benchmarks
	ruff format --check lab plugins tests benchmarks
	mypy lab/groundwork_lab
	MYPYPATH=.collections:lab mypy -p ansible_collections.groundwork.aws.plugins
	shellcheck tools/* .ci/run
	ansible-lint
	tools/sanity 3.11 .venv

unit: ## The unit tests
	@tools/bootstrap dev
	pytest -n auto --dist loadfile tests/unit

unit-3.13: ## Unit tests and sanity with Python 3.13 and ansible 14
	@tools/with-python-3.13

packets: ## Real packets through the lab's parts: routers, gateways, filters, hosts, balancers
	@tools/bootstrap dev
	pytest -m lab tests/unit/lab tests/lab

molecule: ## The whole product on the lab, end to end
	@tools/bootstrap dev
	cd extensions && molecule test --all

bench: ## The comparisons with the peers, as tables below benchmarks/results/
	@tools/bootstrap dev
	python benchmarks/run.py
