# One image for every process: `web` (the default), `worker`, `serve`, `migrate`. See deploy/compose/compose.yaml.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential cmake \
 && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/b2b-recs
ENV PATH=/opt/b2b-recs/bin:$PATH
WORKDIR /build
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE .gitignore ./
COPY src ./src
RUN pip install --no-deps --no-build-isolation . \
 && pip uninstall --yes pip

FROM python:3.11-slim
# OpenMP, which the compiled algorithms are linked with.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 b2b-recs \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin b2b-recs \
 && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/b2b-recs /opt/b2b-recs
COPY deploy/container/healthy.py /opt/b2b-recs/healthy.py
ENV PATH=/opt/b2b-recs/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    B2B_RECS_HOME=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000 8001
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "/opt/b2b-recs/healthy.py"]
ENTRYPOINT ["b2b-recs"]
CMD ["web", "--host", "0.0.0.0"]
