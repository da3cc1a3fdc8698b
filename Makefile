# Every target does its own set-up. Start with:  make run   or   make test

# What `make test` covers; narrow it while you work: make test PKGS=./dialplan/...
PKGS ?= ./...
# The office that `make run` starts.
CONFIG ?= configs/demo.toml
# Where `make demo` writes what each end heard.
OUT ?= out

# Go itself knows what has to be built again.
.PHONY: run demo test check bench bench-lines build clean bin/crosspoint bin/linesim

run: bin/crosspoint
	@exec bin/crosspoint serve $(CONFIG)

demo: bin/crosspoint
	@bin/crosspoint demo --out $(OUT)

test:
	@PKGS='$(PKGS)' sh scripts/test.sh

# The quick part of `make test`: formatting, vet and staticcheck.
check:
	@PKGS='$(PKGS)' sh scripts/check.sh

bench:
	@PKGS='$(PKGS)' LOAD='$(LOAD)' sh scripts/bench.sh

# Lines side by side with spandsp and minimodem; the result is docs/line-report.md.
bench-lines:
	@sh scripts/bench-lines.sh

build: bin/crosspoint bin/linesim

bin/crosspoint:
	@sh scripts/need.sh go
	@mkdir -p bin
	go build -o $@ ./cmd/crosspoint

bin/linesim:
	@sh scripts/need.sh go
	@mkdir -p bin
	go build -o $@ ./cmd/linesim

clean:
	rm -rf bin out run
