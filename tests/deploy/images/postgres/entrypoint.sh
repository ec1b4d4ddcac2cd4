#!/bin/sh
# Makes the files of a new server as the public image does with the same variables; then becomes what it is told to be.
set -eu
if [ "${1:-}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    password=$([ -n "${POSTGRES_PASSWORD_FILE:-}" ] && cat "$POSTGRES_PASSWORD_FILE" || printf %s "${POSTGRES_PASSWORD:-}")
    mkdir -p "$PGDATA"
    beside=$(mktemp)
    printf '%s\n' "$password" > "$beside"
    # shellcheck disable=SC2086
    initdb --username=postgres --pwfile="$beside" -E UTF8 --locale=C.UTF-8 --no-instructions ${POSTGRES_INITDB_ARGS:-} -D "$PGDATA"
    rm "$beside"
    printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
    printf "\nlisten_addresses = '*'\nunix_socket_directories = '/var/run/postgresql'\n" >> "$PGDATA/postgresql.conf"
fi
exec "$@"
