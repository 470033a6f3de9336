# The few verbs of daily work. `make help` lists them.
.DEFAULT_GOAL := help
bin := .venv/bin
# the throwaway warehouse of the verbs of CI; its embedded PostgreSQL wants a short path
ci_home ?= /tmp/shopx-ci
# what a slim build compares with
base ?= origin/main
# the PostgreSQL of the tests: 16 or 18
postgres ?= 18
dbt := SHOPX_HOME=$(ci_home) ./shopx dbt

.PHONY: help test lint lock format ci dbt-fixtures dbt-build dbt-slim dbt-docs dbt-clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## everything CI runs except the lints
	./shopx test --postgres $(postgres)

lint: ## ruff, mypy, import-linter, sqlfluff
	./shopx --version
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/sqlfluff lint --disable-progress-bar dbt_project/models dbt_project/tests

ci: lint test dbt-clean dbt-build dbt-slim dbt-docs ## all that CI runs, in its order

dbt-fixtures: ## a small simulated shop in the warehouse of CI
	rm -rf $(ci_home)/shop
	SHOPX_HOME=$(ci_home) ./shopx simulate $(ci_home)/shop --years 1 --lines 3000 --customers-per-year 60 --products-per-year 20 --one-file --seed 7
	SHOPX_HOME=$(ci_home) ./shopx run $(ci_home)/shop/*_*

dbt-build: dbt-fixtures ## every model, test and unit test on that shop
	$(dbt) build

dbt-slim: ## only what differs from $(base), and what is made of it, beside all else as $(base) builds it
	rm -rf $(ci_home)/base && mkdir -p $(ci_home)/base
	git archive $(base) dbt_project | tar -x -C $(ci_home)/base
	$(dbt) run --project-dir $(ci_home)/base/dbt_project --profiles-dir $(ci_home)/base/dbt_project --target-path $(ci_home)/state
	$(dbt) build --select state:modified+ --defer --state $(ci_home)/state

dbt-docs: ## the documentation of the models as one page, $(ci_home)/dbt/target/static_index.html
	$(dbt) docs generate --static

dbt-clean: ## remove the warehouse of CI
	rm -rf $(ci_home)

format: ## let the formatters have their way
	$(bin)/ruff check --fix .
	$(bin)/ruff format .
	$(bin)/sqlfluff fix --disable-progress-bar dbt_project/models dbt_project/tests

lock: ## resolve the pins again (requirements.lock)
	$(bin)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra dev --upgrade --output-file requirements.lock pyproject.toml
