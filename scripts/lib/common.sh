# Sourced by every script: the few things all of them need.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/scp-dataops
export ROOT CACHE
mkdir -p "$CACHE"
cd "$ROOT"

# Caches of the tools live outside the clone, so that the clone stays as it was checked out.
export PYTHONPYCACHEPREFIX=$CACHE/pycache MYPY_CACHE_DIR=$CACHE/mypy RUFF_CACHE_DIR=$CACHE/ruff

say() { printf '%s\n' "$*" >&2; }

# step TITLE COMMAND...: run it, say what it is, how it ended and how long it took.
step() {
    local title=$1 start=$SECONDS code=0
    shift
    say "$title ..."
    "$@" || code=$?
    if [ "$code" -eq 0 ]; then
        say "$title: done in $((SECONDS - start)) s"
    else
        say "$title: failed after $((SECONDS - start)) s"
    fi
    return "$code"
}

# The tools of requirements-dev.txt come first in PATH from here on.
use_tools() {
    local venv
    venv=$(scripts/venv)
    export PATH="$venv/bin:$PATH" VIRTUAL_ENV=$venv
    export ANSIBLE_NOCOLOR=${ANSIBLE_NOCOLOR:-1} ANSIBLE_LOCALHOST_WARNING=False ANSIBLE_INVENTORY_UNPARSED_WARNING=False
}

# The built and installed collection is what gets tested and shown, never the tree.
use_artifact() {
    ANSIBLE_COLLECTIONS_PATH=$(scripts/build)
    PYTHONPATH=$ANSIBLE_COLLECTIONS_PATH${PYTHONPATH:+:$PYTHONPATH}
    COLLECTION=$ANSIBLE_COLLECTIONS_PATH/ansible_collections/scp/dataops
    export ANSIBLE_COLLECTIONS_PATH PYTHONPATH COLLECTION
}

# The cluster of KUBECONFIG when that is set; else the embedded one, built when it is not there yet.
use_cluster() {
    if [ -z "${KUBECONFIG:-}" ]; then
        step "Embedded cluster" python3 -m cluster up >&2
        KUBECONFIG=$(python3 -m cluster kubeconfig)
        export KUBECONFIG
    fi
    say "Cluster: the one of KUBECONFIG=$KUBECONFIG"
}

# An SSH server program for the test of a remote host. Only its files are wanted: nothing is started.
use_ssh_server() {
    [ -x /usr/sbin/sshd ] || step "Debian's openssh-server" install_packages openssh-server
}

# A browser for the tests of the console, and letters for what it says in Korean.
use_browser() {
    [ -x /usr/bin/chromium ] || step "Debian's Chromium" install_packages chromium fonts-noto-cjk
}

# A Prometheus for the tests of alerts and dashboard, with its tool that tests rules.
use_prometheus() {
    [ -x /usr/bin/promtool ] || step "Debian's Prometheus" install_packages prometheus
}

# What makes a client of an OpenAPI document.
use_client_generator() {
    CLIENT_GENERATOR=$(scripts/venv tests/e2e/client-generator.txt)/bin
    export CLIENT_GENERATOR
}

# install_packages PACKAGE...: Debian's, and no service of theirs is started.
install_packages() {
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
        trap 'rm -f /usr/sbin/policy-rc.d' RETURN
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" >/dev/null
}
