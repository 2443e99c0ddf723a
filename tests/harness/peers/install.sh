#!/usr/bin/env bash
# Installs what the independent peers of the tests need, below target/: `ws`, undici and playwright-core from
# npm, `websockets` from PyPI. Where node or python is missing it says so and goes on: the tests that
# need them then skip themselves by name, or fail with CI=true. Where it may and can it also has the
# system install Chromium, an HTTP and a SOCKS proxy; the harness has a small proxy of each kind of
# its own.
set -euo pipefail
cd "$(dirname "$0")"
peers="$(cd ../../.. && pwd)/target/peers"

# installed STAMP FILE...: whether STAMP was left by these very files.
installed() { [ -f "$1" ] && cat "${@:2}" | cmp --silent - "$1"; }

if ! command -v npm >/dev/null; then
  echo "peers: npm not found, the tests against node ws cannot run"
elif ! installed "$peers/node/installed" package.json package-lock.json; then
  mkdir -p "$peers/node"
  cp package.json package-lock.json "$peers/node/"
  npm ci --prefix "$peers/node" --no-audit --no-fund --loglevel=error
  cat package.json package-lock.json >"$peers/node/installed"
fi

if ! command -v chromium >/dev/null; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 ||
      { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }
  else
    echo "peers: chromium not found, the test of the page cannot run"
  fi
fi

if ! command -v python3 >/dev/null; then
  echo "peers: python3 not found, the tests against python websockets cannot run"
elif ! installed "$peers/python/installed" requirements.txt; then
  python3 -m venv --clear "$peers/python"
  "$peers/python/bin/pip" install --quiet --disable-pip-version-check -r requirements.txt
  cat requirements.txt >"$peers/python/installed"
fi

if ! command -v tinyproxy >/dev/null || ! command -v microsocks >/dev/null; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "peers: tinyproxy or microsocks not found, proxies of others are not tried"
  else
    { apt-get update && apt-get install --yes --no-install-recommends tinyproxy-bin microsocks; } \
      </dev/null >/dev/null 2>&1 || echo "peers: the system could not install tinyproxy and microsocks"
  fi
fi
