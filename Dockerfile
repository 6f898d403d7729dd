# b2b-recs for production: `up` runs pages (8000), endpoint (8001) and worker in one container.
# Give it DATABASE_URL, B2B_RECS_SECRET_KEY and B2B_RECS_ALLOWED_HOSTS (see .env.example) and keep /var/lib/b2b-recs.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/b2b-recs
ENV PATH=/opt/b2b-recs/bin:$PATH
WORKDIR /build
COPY requirements.txt ./
RUN pip install --require-hashes --only-binary :all: -r requirements.txt
COPY LICENSE README.md pyproject.toml ./
COPY src src
RUN pip install --no-deps --no-build-isolation .

FROM python:3.11-slim
# the matrix factorization's threads
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/b2b-recs --shell /usr/sbin/nologin b2b-recs \
    && install --directory --owner b2b-recs --group b2b-recs --mode 0700 /var/lib/b2b-recs
COPY --from=build /opt/b2b-recs /opt/b2b-recs
COPY sample_data /opt/b2b-recs/lib/python3.11/site-packages/b2b_recs/sample_data
ENV PATH=/opt/b2b-recs/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    B2B_RECS_HOME=/var/lib/b2b-recs
USER 10001
VOLUME /var/lib/b2b-recs
EXPOSE 8000 8001
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import http.client; c = http.client.HTTPConnection('127.0.0.1', 8000, timeout=5); c.request('GET', '/health'); raise SystemExit(c.getresponse().status >= 500)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["b2b-recs"]
CMD ["up", "--host", "0.0.0.0"]
