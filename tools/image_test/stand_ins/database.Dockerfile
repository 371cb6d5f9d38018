# Debian's PostgreSQL in the place of the postgres image, where no image can be pulled: the same
# user, variables, data folder and socket folder, as far as docker-compose.yml relies on them.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
RUN mkdir -p /etc/postgresql-common \
    && echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
        -o Dpkg::Options::=--force-unsafe-io postgresql \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data \
    && install -d -o postgres -g postgres -m 3777 /var/run/postgresql
COPY database-entrypoint.sh /usr/local/bin/
ENTRYPOINT ["sh", "/usr/local/bin/database-entrypoint.sh"]
