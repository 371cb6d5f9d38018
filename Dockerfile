# The service without the training code. Dependencies come first and the project last, so that a
# change of the code rebuilds in seconds. Nothing is downloaded when a container runs.
#
#   docker build --tag facegate:local .
#
# Torch reads the model in one stage, which converts it for OpenVINO; the image has the converted
# files and no torch. TORCH_INDEX_URL may name an index of CPU builds of PyTorch (PyTorch's own, or
# a mirror of it): left empty, that stage downloads the plain index's Linux build with several
# gigabytes of CUDA libraries. What is built is the same.
#
# Behind a mirror of the package index, pip's own settings are build arguments of their usual names
# (--build-arg PIP_INDEX_URL=...); where none is given pip has its defaults.

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# Apart, so that the next stages are built anew only when the lists change, not with all of the file.
FROM ${PYTHON_IMAGE} AS requirements
COPY pyproject.toml /
RUN python -c "import tomllib; print(*tomllib.load(open('/pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > /requirements.txt \
    && grep '^torch==' /requirements.txt > /converting.txt \
    && grep -v '^torch==' /requirements.txt > /serving.txt

FROM ${PYTHON_IMAGE} AS dependencies
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
ARG PIP_CERT
COPY constraints.txt /
COPY --from=requirements /serving.txt /serving.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --only-binary :all: \
        --constraint /constraints.txt -r /serving.txt
# The project's metadata without its code: the service reads its version there.
COPY pyproject.toml README.md LICENSE /metadata/
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps /metadata

FROM dependencies AS converter
ARG TORCH_INDEX_URL=""
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ARG PIP_FIND_LINKS
ARG PIP_CERT
COPY --from=requirements /converting.txt /converting.txt
RUN /opt/venv/bin/pip install --no-cache-dir --only-binary :all: \
        ${TORCH_INDEX_URL:+--extra-index-url "${TORCH_INDEX_URL}"} \
        --constraint /constraints.txt -r /converting.txt
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /srv/facegate
COPY models/embedder ./models/embedder
# Of the code only what converts, so that another change of it converts nothing anew.
COPY app/__init__.py ./app/
COPY app/domain ./app/domain
COPY app/embedding ./app/embedding
# Each model that is not in ONNX; what does not give the golden answer of its manifest fails here.
RUN set -e; mkdir /prepared; for model in models/embedder/*; do \
        if grep -q '"format": "torchscript"' "$model/manifest.json"; then \
            python -m app.embedding "$model" "/prepared/$model/prepared"; \
        fi; \
    done

# What no request needs: pip, the tests of libraries, and OpenVINO's parts for other devices than
# the CPU and other formats than its own and ONNX.
FROM dependencies AS environment
RUN /opt/venv/bin/pip uninstall --yes pip setuptools \
    && find /opt/venv/lib -type d -name tests -prune -exec rm -r {} + \
    && find /opt/venv/lib -path '*/openvino/libs/*' \
        -regex '.*/libopenvino_\(intel_[gn]pu\|auto\|hetero\|jax\|paddle\|pytorch\|tensorflow\).*' -delete

FROM ${PYTHON_IMAGE} AS service
RUN groupadd --gid 10001 facegate \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin facegate \
    && install -d -o 10001 -g 10001 /data
COPY --from=environment /opt/venv /opt/venv

# The code runs from this folder and is not installed: models and migrations lie beside it.
WORKDIR /srv/facegate
COPY LICENSE alembic.ini ./
COPY models ./models
COPY --from=converter /prepared ./
COPY migrations ./migrations
COPY app ./app
# Compiled here: on a read-only root each start would compile anew.
RUN /opt/venv/bin/python -m compileall -q app migrations

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
