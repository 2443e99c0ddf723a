#!/usr/bin/env bash
# Runs every test there is, in one command: layout, lints, licences, Autobahn, documentation and the
# tests themselves. What it needs besides cargo it installs below target/. A step that fails does not
# stop the others; the summary of `cargo test` comes last, and the exit status is that of all steps.
#
# Speed is measured apart, by tests/perf/; here only that there are figures.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=()
step() {
  printf '\n== %s\n' "$*"
  "$@" || failed+=("$*")
}

# cargo-deny, without its database of advisories: that one is fetched from the network.
deny() {
  local root=target/peers/deny version=0.20.2
  [ -x "$root/bin/cargo-deny" ] ||
    cargo install --quiet --locked --root "$root" --version "$version" cargo-deny || return
  "$root/bin/cargo-deny" --all-features --log-level error check licenses bans sources
}

step tests/harness/peers/install.sh
step cargo fmt --check
step cargo clippy --all-targets --locked -- -D warnings
step tests/fuzz/run check
step deny
step cargo build --locked
step tests/autobahn/run quick
step tests/perf/load --short --wscope target/debug/wscope
step tests/perf/scale --short --wscope target/debug/wscope
step tests/perf/live --short --wscope target/debug/wscope
step cargo test --locked --quiet --doc

if [ "${#failed[@]}" -gt 0 ]; then
  printf '\n== these steps failed, see above; the tests follow\n'
  printf '   %s\n' "${failed[@]}"
fi
step cargo test --locked --no-fail-fast --lib --bins --tests
[ "${#failed[@]}" -eq 0 ]
