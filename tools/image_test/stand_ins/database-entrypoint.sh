# Makes the cluster and the database on the first start, then serves, as the postgres image does.
set -eu
data=/var/lib/postgresql/data
programs=$(echo /usr/lib/postgresql/*/bin)
if [ ! -s "$data/PG_VERSION" ]; then
    printf %s "$POSTGRES_PASSWORD" > /tmp/password
    "$programs/initdb" --pgdata="$data" --username="$POSTGRES_USER" --pwfile=/tmp/password \
        --encoding=UTF8 --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256
    rm /tmp/password
    echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
    "$programs/pg_ctl" --pgdata="$data" --options="-c listen_addresses=" --wait start
    createdb --username="$POSTGRES_USER" --maintenance-db=template1 "$POSTGRES_DB"
    "$programs/pg_ctl" --pgdata="$data" --wait stop
fi
exec "$programs/postgres" -D "$data" -c "listen_addresses=*"
