#!/bin/sh
# The guest book: all entries, or with ?NAME one more, whose number is only told once it is committed.
export PGHOST="$DB_HOST" PGUSER=postgres PGPASSWORD="$(cat /run/secrets/db_password)" PGCONNECT_TIMEOUT=2
if [ -n "${QUERY_STRING:-}" ]; then
    sql="insert into entries (name) values (:'name') returning id"
else
    sql="select id || ' ' || name from entries order by id"
fi
if answer=$(echo "$sql" | psql -qtAX -v ON_ERROR_STOP=1 -v name="$QUERY_STRING" 2> /dev/null); then
    printf 'Status: 200\r\nContent-Type: text/plain\r\n\r\n%s\n' "$answer"
else
    printf 'Status: 503\r\nContent-Type: text/plain\r\n\r\nthe book is closed\n'
fi
