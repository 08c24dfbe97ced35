#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors

set -euo pipefail

case "${1:-}" in
-* | *.conf) set -- redis-server "$@" ;;
esac
# Like the official image: a container is reached from outside by nature, so refusing other hosts makes no sense.
if [ "${1:-}" = redis-server ] && [[ " $* " != *" --protected-mode "* ]]; then
    set -- "$@" --protected-mode no
fi
exec "$@"
