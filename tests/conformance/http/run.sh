#!/usr/bin/env bash
#
# The HTTP checks twice: against the bare engine (an echo server), and against the whole program.
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 1

program=${PORTRESS_BIN:-build-test/portress}
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
server=

node --test --test-reporter=tap tests/conformance/http/*.test.mjs
bare=$?

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
PORTRESS_LISTEN=127.0.0.1:$port PORTRESS_URL=http://localhost:$port PORTRESS_DATABASE=sqlite:$work/portress.db \
  PORTRESS_KEYS_FILE=$work/portress.key PORTRESS_HTTP_HEADER_TIME=2s PORTRESS_HTTP_BODY_TIME=3s PORTRESS_LOG_LEVEL=error \
  "$program" serve 2>"$work/log" &
server=$!
for _ in $(seq 100); do
  curl -so /dev/null "http://127.0.0.1:$port/healthz" && break
  sleep 0.05
done
HTTP_TARGET=http://127.0.0.1:$port HTTP_PID=$server HTTP_HEADER_MS=2000 HTTP_BODY_MS=3000 \
  node --test --test-reporter=tap tests/conformance/http/http.test.mjs
whole=$?
cat "$work/log" >&2
exit $((bare || whole))
