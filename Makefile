# Every target calls the script of its name; T passes arguments on: make unit T="-k verdict"
.DEFAULT_GOAL := help
T ?=

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## / {printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo 'KUBECONFIG set: that cluster is used and none is built.  T="..." passes arguments on.'

.PHONY: demo test
demo: ## a cluster, a Manager, a Service and a DAG run, from nothing
	@scripts/demo $(T)
test: ## every gate, in order, on the embedded cluster (or that of KUBECONFIG)
	@scripts/test $(T)

.PHONY: up down status logs
up: ## build and start the embedded cluster, or find it running
	@scripts/up $(T)
down: ## stop the embedded cluster; its builds and images stay cached
	@scripts/down $(T)
status: ## what runs in the embedded cluster
	@scripts/status $(T)
logs: ## logs of the embedded cluster's parts
	@scripts/logs $(T)

.PHONY: build lint sanity unit integration molecule e2e bench
build: ## build the collection's artifact and install it into the cache
	@scripts/build $(T)
lint: ## ruff, mypy and ansible-lint; one of them: make lint T=mypy
	@scripts/lint $(T)
sanity: ## ansible-test sanity on the installed artifact; one test: make sanity T="--test pep8"
	@scripts/sanity $(T)
unit: ## unit tests, no cluster; some of them: make unit T="-k verdict"
	@scripts/unit $(T)
integration: ## the engine against a real API server
	@scripts/integration $(T)
molecule: ## the roles' life cycle: create, converge, idempotence, side effects, verify, destroy
	@scripts/molecule $(T)
e2e: ## the main job as a user does it, on the cluster
	@scripts/e2e $(T)
bench: ## the project's figures, measured side by side
	@scripts/bench $(T)
