# One image for every role. Kernels are compiled at build, so that a read-only root can run them.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN apt-get update && apt-get install --no-install-recommends -y make && rm -rf /var/lib/apt/lists/*
COPY requirements.lock requirements-ccxt.lock Makefile ./
RUN make .venv/.runtime
COPY engine engine
COPY bot bot
COPY migrations migrations
COPY contracts/artifacts contracts/artifacts
# The cache must fit the machine that runs it, not the one that built it.
ENV NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES="" NUMBA_CACHE_DIR=/app/.numba
RUN make .venv/.kernels

FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install --no-install-recommends -y make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin syndicate \
    && mkdir /data && chown syndicate /data
WORKDIR /app
COPY --from=build /app /app
ENV NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES="" NUMBA_CACHE_DIR=/app/.numba \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib \
    SYNDICATE_DATA_DIR=/data
USER syndicate
VOLUME /data
STOPSIGNAL SIGTERM
# Without make, which turns every exit code into 2.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
  CMD [".venv/bin/python", "-m", "engine", "health"]
CMD [".venv/bin/python", "-m", "engine", "run"]
