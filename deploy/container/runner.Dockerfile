# A runner: carries out one copy of a platform elsewhere and ends. It knows no database and no key of the platform.
#   docker build --file deploy/container/runner.Dockerfile --tag b2b-recs-runner .
#   docker run --rm --env B2B_RECS_RUN_URL --env B2B_RECS_RUN_TOKEN --volume warehouse:/warehouse b2b-recs-runner
# Drivers beyond PostgreSQL: --build-arg EXTRAS="mysql oracle", the names of the files in requirements/.
FROM python:3.11-slim AS build
ARG EXTRAS=""
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
# OpenMP, which some of the compiled packages are linked with, and what the driver of SQL Server needs. The user is the one the platform's own image writes as.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 libgssapi-krb5-2 libltdl7 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 b2b-recs \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/b2b-recs --no-create-home --shell /usr/sbin/nologin b2b-recs \
 && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/b2b-recs /warehouse
COPY --from=build /opt/b2b-recs /opt/b2b-recs
ENV PATH=/opt/b2b-recs/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    B2B_RECS_HOME=/var/lib/b2b-recs \
    B2B_RECS_WAREHOUSE=/warehouse
USER 10001:10001
WORKDIR /var/lib/b2b-recs
VOLUME /warehouse
ENTRYPOINT ["b2b-recs", "job", "etl"]
