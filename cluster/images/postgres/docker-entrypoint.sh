#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, scp.dataops contributors

set -euo pipefail

fail() {
    echo "postgres: $*" >&2
    exit 1
}

# The value of variable $1, or the content of the file that $1_FILE names.
secret() {
    local file_variable="$1_FILE"
    if [ -n "${!file_variable:-}" ]; then
        cat "${!file_variable}"
    else
        printf '%s' "${!1:-}"
    fi
}

start_local() { pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start >/dev/null; }
stop_local() { pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null; }

run_scripts() {
    local script
    for script in /docker-entrypoint-initdb.d/*; do
        case "$script" in
        *.sh) bash "$script" ;;
        *.sql) psql -v ON_ERROR_STOP=1 -U "$user" -d "$database" -f "$script" ;;
        esac
    done
}

initialise() {
    user=$(secret POSTGRES_USER)
    user=${user:-postgres}
    database=$(secret POSTGRES_DB)
    database=${database:-$user}
    password=$(secret POSTGRES_PASSWORD)
    local method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "$password" ] && [ "$method" != trust ]; then
        fail "POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE is needed to initialise an empty database"
    fi
    # shellcheck disable=SC2086  # several options in one variable are meant to be split
    initdb -D "$PGDATA" -U "$user" --pwfile=<(printf '%s\n' "${password:-unused}") --encoding=UTF8 \
        --auth-host="$method" --auth-local=trust ${POSTGRES_INITDB_ARGS:-} >/dev/null
    echo "host all all all $method" >>"$PGDATA/pg_hba.conf"
    start_local
    if [ "$database" != postgres ]; then
        createdb -U "$user" "$database"
    fi
    run_scripts
    stop_local
}

[ "${1:-}" = "${1#-}" ] || set -- postgres "$@"
if [ "${1:-}" = postgres ]; then
    mkdir -p "$PGDATA" || fail "$PGDATA cannot be made: is the volume writable for uid $(id -u)?"
    [ -s "$PGDATA/PG_VERSION" ] || initialise
    set -- "$@" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
fi
exec "$@"
