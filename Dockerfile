# The service without the training code. Dependencies come first and the project last, so that a
# change of the code rebuilds in seconds. Nothing is downloaded when a container runs.
#
#   docker build --build-arg TORCH_INDEX_URL=... --tag facegate:local .
#
# TORCH_INDEX_URL is an index of CPU builds of PyTorch (PyTorch's own, or a mirror of it). Left
# empty, the plain index is used, whose Linux build carries several gigabytes of CUDA libraries.

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# Apart, so that the next stage is built anew only when the list changes, not with all of the file.
FROM ${PYTHON_IMAGE} AS requirements
COPY pyproject.toml /
RUN python -c "import tomllib; print(*tomllib.load(open('/pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > /requirements.txt

FROM ${PYTHON_IMAGE} AS dependencies
ARG TORCH_INDEX_URL=""
COPY constraints.txt /
COPY --from=requirements /requirements.txt /requirements.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --only-binary :all: \
        ${TORCH_INDEX_URL:+--extra-index-url "${TORCH_INDEX_URL}"} \
        --constraint /constraints.txt -r /requirements.txt
# The project's metadata without its code: the service reads its version there.
COPY pyproject.toml README.md LICENSE /metadata/
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps /metadata

FROM ${PYTHON_IMAGE} AS service
RUN groupadd --gid 10001 facegate \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin facegate \
    && install -d -o 10001 -g 10001 /data
COPY --from=dependencies /opt/venv /opt/venv

# The code runs from this folder and is not installed: models and migrations lie beside it.
WORKDIR /srv/facegate
COPY LICENSE alembic.ini ./
COPY models ./models
COPY migrations ./migrations
COPY app ./app

# FACEGATE_API_KEY has no value here: without one the service refuses to listen on all addresses.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FACEGATE_HOST=0.0.0.0 \
    FACEGATE_PORT=8000 \
    FACEGATE_DATA_DIR=/data

# Only /data and /tmp are written to: the root can be read-only.
VOLUME ["/data"]
EXPOSE 8000
USER 10001:10001
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['FACEGATE_PORT']), timeout=8); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]
CMD ["python", "-m", "app"]
