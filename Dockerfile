FROM python:3.13-slim AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
RUN python -m venv /opt/newswire
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY migrations migrations
COPY newswire newswire
RUN pip wheel --no-deps --wheel-dir dist . \
    && /opt/newswire/bin/pip install dist/*.whl \
    && /opt/newswire/bin/pip uninstall --yes pip

FROM python:3.13-slim
# `newswire backup` and `restore` need a pg_dump as new as the server; Debian's own is older.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-common \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends postgresql-client-18 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin newswire \
    && install --directory --owner=newswire --group=newswire /data
COPY --from=build /opt/newswire /opt/newswire
ENV PATH=/opt/newswire/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# A server that others can reach has to know its names; NEWSWIRE_BASE_URL adds another one.
ENV NEWSWIRE_ALLOWED_HOSTS=localhost,127.0.0.1
# Without NEWSWIRE_DATABASE_URL the wire is the SQLite file newswire.db in the working directory.
WORKDIR /data
VOLUME /data
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["newswire", "serve", "--host", "0.0.0.0"]
