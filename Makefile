# The names people type. What they do is in script/.

.PHONY: run build test check bench install clean

run:
	@script/server

build:
	@script/build

test:
	@script/test

check:
	@script/check

bench:
	@script/bench

install: build
	@meson install -C build

clean:
	rm -rf build build-test build-asan build-fuzz
