# BoltQ as one image: `boltq` with its commands, and `boltq-worker`. Without a word more it runs the
# API, a worker and an embedded Valkey in /data; with REDIS_ADDR it uses that server.
#
#   docker build -t boltq .
#   docker run -p 127.0.0.1:8080:8080 -e BOLTQ_API_OPEN=yes -v boltq-data:/data --stop-timeout 45 boltq
#
# An app of your own goes on top:
#
#   FROM boltq
#   COPY requirements.txt .
#   USER root
#   RUN pip install --no-cache-dir -r requirements.txt
#   USER 10001:10001
#   COPY app.py .
#   CMD ["up", "app:app"]

FROM python:3.12-slim AS build
WORKDIR /src
# What BoltQ needs is a layer of its own: it is made anew only when pyproject.toml changes.
COPY pyproject.toml ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > needs.txt \
 && pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action ignore \
      --no-warn-script-location --prefix /needs -r needs.txt
COPY README.md LICENSE ./
COPY lua lua
COPY boltq boltq
RUN pip wheel --quiet --no-cache-dir --disable-pip-version-check --no-deps --wheel-dir /wheel . \
 && pip install --quiet --no-cache-dir --disable-pip-version-check --root-user-action ignore \
      --no-warn-script-location --no-deps --prefix /boltq /wheel/*.whl

FROM python:3.12-slim
LABEL org.opencontainers.image.title="BoltQ" org.opencontainers.image.licenses="MIT"
# By its number, so that a cluster can tell that it is not root.
RUN useradd --no-log-init --uid 10001 --home-dir /data --shell /usr/sbin/nologin boltq \
 && install --directory --owner boltq --group boltq --mode 700 /data
COPY --from=build /needs /usr/local
COPY --from=build /boltq /usr/local
WORKDIR /app
# Whom 0.0.0.0 lets in is decided where the port is published: -p 127.0.0.1:8080:8080. Who has done
# so says BOLTQ_API_OPEN=yes, or sets BOLTQ_API_KEYS; else the API does not start.
ENV API_HOST=0.0.0.0 API_PORT=8080 BOLTQ_DATA_DIR=/data BOLTQ_LOG=json PYTHONUNBUFFERED=1
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-c", "\
import os, http.client as http\n\
api = http.HTTPConnection('127.0.0.1', int(os.environ['API_PORT']), timeout=4)\n\
api.request('GET', '/healthz')\n\
exit(api.getresponse().status != 200)"]
ENTRYPOINT ["boltq"]
CMD ["up"]
