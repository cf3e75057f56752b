# stand-in for docker.io/library/postgres:16-alpine
# Debian's PostgreSQL is version 15. Only POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB are read.
FROM debian:bookworm
RUN apt-get install -qq -y --no-install-recommends postgresql \
 && rm -rf /var/lib/apt/lists /var/cache/apt \
 && printf '%s\n' \
  '#!/bin/sh' \
  'set -eu' \
  'user=${POSTGRES_USER:-postgres}' \
  'database=${POSTGRES_DB:-$user}' \
  'if [ ! -s "$PGDATA/PG_VERSION" ]; then' \
  '  : "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}"' \
  '  (umask 077; printf %s "$POSTGRES_PASSWORD" > /tmp/password)' \
  '  initdb --username="$user" --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust --encoding=UTF8 >/dev/null' \
  '  rm /tmp/password' \
  '  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"' \
  '  [ "$database" = postgres ] || echo "CREATE DATABASE \"$database\"" | postgres --single -D "$PGDATA" postgres >/dev/null' \
  'fi' \
  'exec "$@" -c listen_addresses="*"' \
  > /usr/local/bin/docker-entrypoint.sh \
 && chmod 755 /usr/local/bin/docker-entrypoint.sh \
 && mkdir -p /data && chown postgres:postgres /data
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/data
USER postgres
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
