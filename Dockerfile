# One image for every process: `up` (all of them, the default), or one each: `migrate`, `web`, `worker`, `serve`.
# deploy/compose/compose.yaml shows the second way. Whatever is to outlive the container is in /var/lib/b2b-recs.
# Drivers: the names of the files in requirements/; fewer with --build-arg EXTRAS="mysql oracle", none with EXTRAS="".
FROM python:3.11-slim AS build
ARG EXTRAS="bigquery excel firestore mongodb mysql oracle sftp snowflake sqlserver"
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/b2b-recs
ENV PATH=/opt/b2b-recs/bin:$PATH
WORKDIR /build
COPY requirements.txt ./
COPY requirements ./requirements
RUN set -eu; pip install --require-hashes --only-binary :all: -r requirements.txt; \
    for extra in $EXTRAS; do pip install --require-hashes --only-binary :all: -r "requirements/$extra.txt"; done
COPY pyproject.toml README.md LICENSE .gitignore ./
COPY src ./src
RUN pip install --no-deps --no-build-isolation . \
 && pip uninstall --yes pip

FROM python:3.11-slim
# OpenMP, which the compiled algorithms are linked with; the other two are for the driver of SQL Server.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 libgssapi-krb5-2 libltdl7 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 b2b-recs \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/b2b-recs --no-create-home --shell /usr/sbin/nologin b2b-recs \
 && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/b2b-recs
COPY --from=build /opt/b2b-recs /opt/b2b-recs
COPY deploy/container/healthy.py /opt/b2b-recs/healthy.py
COPY sample_data /opt/b2b-recs/lib/python3.11/site-packages/b2b_recs/sample_data
ENV PATH=/opt/b2b-recs/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    B2B_RECS_HOME=/var/lib/b2b-recs
USER 10001:10001
WORKDIR /var/lib/b2b-recs
VOLUME /var/lib/b2b-recs
EXPOSE 8000 8001
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "/opt/b2b-recs/healthy.py"]
ENTRYPOINT ["b2b-recs"]
CMD ["up", "--host", "0.0.0.0"]
