# The few verbs of daily work. `make help` lists them.
.DEFAULT_GOAL := help
bin := .venv/bin

.PHONY: help test lint lock format

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## everything CI runs except the lints
	./shopx test

lint: ## ruff, mypy, import-linter, sqlfluff
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/sqlfluff lint --disable-progress-bar dbt_project/models dbt_project/tests

format: ## let the formatters have their way
	$(bin)/ruff check --fix .
	$(bin)/ruff format .
	$(bin)/sqlfluff fix --disable-progress-bar dbt_project/models dbt_project/tests

lock: ## resolve the pins again (requirements.lock)
	$(bin)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --extra dev --upgrade --output-file requirements.lock pyproject.toml
