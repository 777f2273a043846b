# SPDX-License-Identifier: Apache-2.0
# The front door; Meson does the work. `make` alone builds.

BUILD ?= build
PREFIX ?= /usr/local
NINJA = ninja -C $(BUILD)

.PHONY: all setup try check lint fmt bench bench-bwrap golden torture check-v2 check-vm fuzz sanitize install uninstall clean

all: $(BUILD)/build.ninja
	@$(NINJA)

$(BUILD)/build.ninja:
	@tools/setup
	@meson setup $(BUILD) --prefix $(PREFIX)

setup:
	@tools/setup

# All set-up, then the main job on real input: a hostile program free and walled in, then two honest ones.
try: setup all
	@demo/try $(BUILD)/immure

# Every test; the last line counts them.
check: setup all
	@tools/check $(BUILD)

lint: all
	@tools/lint $(BUILD)

fmt:
	@tools/lint --spaces

bench-bwrap: setup all
	@/usr/bin/python3 bench/bwrap.py --immure-bwrap $(BUILD)/immure-bwrap --calls

bench: setup all
	@/usr/bin/python3 bench/bench.py --immure $(BUILD)/immure --output bench/RESULTS.md

# Accept what plans look like now; read the difference before you commit it.
golden: all
	@tools/golden --accept $(BUILD)
	@tests/compat/golden --accept $(BUILD)/tests/record-bwrap

torture: all
	@/usr/bin/python3 -m pytest -q tests/torture --full

check-v2: all
	@tests/kernel/check-v2

check-vm: all
	@tests/kernel/check-vm

# Minutes a target: make fuzz SECONDS=600
SECONDS ?= 60
fuzz:
	@tools/fuzz build-fuzz $(SECONDS)

sanitize:
	@tools/sanitize build-asan

install: all
	@meson install -C $(BUILD) --no-rebuild

uninstall:
	@$(NINJA) uninstall

clean:
	@rm -rf $(BUILD) build-fuzz build-asan build-analyze
