# Sealine as an image: one application, started as a worker, a console or any other command of `sealine`.
# Everything installed comes from requirements.runtime.lock, by hash.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock requirements.runtime.lock ./
# setuptools builds the project and is not part of what runs; its version and hashes are the development lock's.
RUN python -m venv /opt/sealine \
    && sed -n '/^setuptools==/,/[^\\]$/p' requirements.lock > build.lock \
    && /opt/sealine/bin/pip install --no-deps --require-hashes -r requirements.runtime.lock \
    && /opt/sealine/bin/pip install --no-deps --require-hashes -r build.lock
COPY pyproject.toml README.md LICENSE ./
COPY seal_imaging seal_imaging
COPY stages stages
COPY storage storage
COPY pipeline pipeline
RUN /opt/sealine/bin/pip install --no-deps --no-build-isolation . \
    && /opt/sealine/bin/pip uninstall --yes setuptools

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="sealine" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="AGPL-3.0-or-later"
# What is run beside Python: LibreOffice for office files, with Chinese fonts; what unpacks rars.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        fontconfig fonts-noto-cjk unar \
        libreoffice-calc-nogui libreoffice-impress-nogui libreoffice-writer-nogui \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --system --gid 10001 sealine \
    && useradd --system --uid 10001 --gid sealine --home-dir /var/lib/sealine --shell /usr/sbin/nologin sealine \
    && install --directory --owner=sealine --group=sealine --mode=0700 /var/lib/sealine
COPY --from=build /opt/sealine /opt/sealine
ENV PATH=/opt/sealine/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SEALINE_HOME=/var/lib/sealine
USER 10001:10001
WORKDIR /var/lib/sealine
VOLUME /var/lib/sealine
# A worker has no port to ask; its health is that its process lives. The console's check is in docker-compose.yml.
HEALTHCHECK NONE
ENTRYPOINT ["sealine"]
CMD ["--help"]
