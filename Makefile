# The commands that stay stable. Everything is installed by tools/bootstrap; nothing here needs a set-up by hand.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

BIN := .venv/bin
# The tests that start no process and no server: make check.
FAST := $(addprefix tests/unit/plugins/,$(addprefix module_utils/,engine host project/lamp test_rooms.py) filter/lamp) \
  $(addprefix tests/unit/test_,words.py stages.py without_the_lab.py) lab/tests/unit/plane
LAB := $(BIN)/groundwork-lab
# Runs the end-to-end tests that GROUNDWORK_PART names.
PART := tools/with-python 3.11 bash -euc 'cd extensions; molecule test --scenario-name part'
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help up down test python-3.13 check lint unit unit-3.13 packets molecule newest gates docs \
  long long-applications long-backups long-corrections long-databases long-debian long-environments long-exhaustive long-fuzz long-kills long-names long-operations long-releases long-sanity long-servers long-trixie long-wire bench

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

test: ## Everything that must pass: what computes beside what waits for a lab
	@tools/with-python 3.11 true
	tools/side-by-side 'python-3.13 lint unit unit-3.13' 'molecule packets newest'

python-3.13:
	@tools/with-python 3.13 true

check: ## In a few minutes, between commits: the linters without Ansible's, and the tests that are fast
	@tools/bootstrap dev
	ruff check lab plugins tests benchmarks tools/generate
	ruff format --check lab plugins tests benchmarks tools/generate
	mypy lab/src/groundwork_lab
	MYPYPATH=.collections:lab/src mypy -p ansible_collections.groundwork.aws.plugins
	MYPYPATH=tests/support:tests/e2e:.collections mypy tests/api tests/e2e tests/support
	tools/manifest --check
	tools/index --check
	tools/generate --check
	pytest -n auto --dist loadfile -m 'not lab and not exhaustive' $(FAST)

lint: ## ruff, mypy, ansible-lint, yamllint, reuse, shellcheck, and what tools write
	@tools/bootstrap dev
	ruff check lab plugins tests benchmarks tools/generate
	ruff format --check lab plugins tests benchmarks tools/generate
	mypy lab/src/groundwork_lab
	MYPYPATH=.collections:lab/src mypy -p ansible_collections.groundwork.aws.plugins
	MYPYPATH=tests/support:tests/e2e:.collections mypy tests/api tests/e2e tests/support
	shellcheck $$(grep -l "^#!.*bash" tools/*) .ci/run
	tools/manifest --check
	tools/generate --check
	tools/index --check
	tools/lab-corrections --check
	reuse lint --lines
	yamllint --strict .
	ansible-lint

# Roles run with this pair in `molecule` too; tests/unit/roles starts Ansible for each test.
unit: ## The unit tests but those of roles, and those against the lab's API (but the exhaustive ones), with Python 3.11 and ansible 12
	@tools/with-python 3.11 pytest -n auto --dist loadfile -m "not lab and not exhaustive" --ignore tests/unit/roles tests/unit tests/api lab/tests/unit

unit-3.13: ## The unit tests of the collection, and sanity, with Python 3.13 and ansible 14
	@tools/with-python 3.13 bash -euc 'pytest -n auto --dist loadfile -m "not lab and not exhaustive" tests/unit; tools/ansible-test sanity'

packets: ## Real packets through the lab's parts: routers, gateways, filters, hosts, balancers
	@tools/bootstrap dev
	pytest -m lab lab/tests tests/outside

newest: ## A short way through the product on the lab, with Python 3.13 and ansible 14
	@tools/with-python 3.13 bash -euc 'cd extensions; molecule test --scenario-name newest'

molecule: ## The product on the lab, end to end, with Python 3.11 and ansible 12
	@tools/with-python 3.11 bash -euc 'cd extensions; molecule test'

long: ## What takes too long for every change: stages that continue where an earlier run of the same commit ended
	@tools/long long-servers long-applications long-backups long-databases long-names long-operations long-releases long-environments long-trixie long-exhaustive long-corrections long-sanity long-fuzz long-kills long-wire long-debian

long-servers: ## On the lab: images, groups of servers, the replacement of servers
	@export GROUNDWORK_PART='tests/e2e --part servers'
	$(PART)

long-applications: ## On the lab: real applications, by docs/examples
	@export GROUNDWORK_PART='tests/e2e --part applications'
	tools/with-python 3.11 bash -euc 'tools/bootstrap browser; cd extensions; molecule test --scenario-name part'

long-releases: ## On the lab: releases that fail for other reasons than their own, more servers, and what separates sites
	@export GROUNDWORK_PART='tests/e2e --part releases'
	$(PART)

long-names: ## On the lab: a site on its own domain, with certificates, records and HTTPS
	@export GROUNDWORK_PART='tests/e2e --part names'
	$(PART)

long-operations: ## On the lab: pages that break, passwords, and what a person with an outage needs
	@export GROUNDWORK_PART='tests/e2e --part operations'
	$(PART)

long-backups: ## On the lab: backups, drills and restores, and what is damaged, killed or refused
	@export GROUNDWORK_PART='tests/e2e --part backups'
	$(PART)

long-databases: ## On the lab: sites whose databases are on RDS
	@export GROUNDWORK_PART='tests/e2e --part databases'
	$(PART)

long-environments: ## On the lab: several environments, operators and controllers
	@export GROUNDWORK_PART='tests/e2e --part environments'
	$(PART)

long-trixie: ## On the lab: servers with Debian 13 and PHP 8.4
	@export GROUNDWORK_GIVEN=tests/e2e/debian_13.json
	export GROUNDWORK_PART='$(addprefix tests/e2e/test_,plan_and_run.py site.py breakage.py pages.py secrets.py values.py contained.py release.py)'
	$(PART)

long-exhaustive: ## Runs that end at each of their calls, in each weather between them and AWS, and roles with Python 3.11
	@tools/with-python 3.11 bash -euc 'pytest -n auto --dist loadfile -m "exhaustive and not lab" tests/unit tests/api lab/tests/unit
	  pytest -n auto --dist loadfile tests/unit/roles'

long-corrections: ## Each correction of the lab on moto alone, where it must fail
	@tools/with-python 3.11 pytest -n auto --dist loadfile --plain-moto lab/tests/unit/aws

long-sanity: ## ansible-test sanity with Python 3.11 and ansible 12
	@tools/with-python 3.11 tools/ansible-test sanity

long-kills: ## Publications and runs that are killed at many more moments, on the lab
	@export GROUNDWORK_MANY_KILLS=yes GROUNDWORK_PART='tests/e2e/test_visitors.py tests/e2e/test_teardown.py'
	$(PART)

long-wire: ## On the lab: site.yml while AWS and the way to it fail
	@export GROUNDWORK_PART='tests/e2e --part wire'
	$(PART)

long-fuzz: ## Many more random calls to the lab's API than the unit tests make
	@tools/with-python 3.11 env GROUNDWORK_FUZZ_SEEDS=$$(seq -s, 21 28) GROUNDWORK_FUZZ_CALLS=3000 \
	  pytest -n auto lab/tests/unit/test_any_calls.py

long-debian: ## From nothing to a release, and back to nothing, on a Debian 13 with only its own Python
	@tools/in-debian 13 bash -euc 'make up
	  .venv/bin/groundwork-lab exec -- ansible-playbook -i inventories/local playbooks/release.yml
	  make down'

gates: ## What Galaxy and its reviewers check: galaxy-importer, ansible-lint, antsibull, ansible-builder, ansible-test units
	@tools/with-python 3.11 tools/gates

docs: ## The documentation as a site, in .build/docs/html, without a warning
	tools/docs

bench: ## The comparisons with the peers, as tables below benchmarks/results/
	@tools/bootstrap dev
	python benchmarks/run.py
