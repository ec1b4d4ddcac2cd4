# One recipe for all images: `docker build --target service --build-arg SERVICE=access .`, `docker build --target tools .`
# (deploy/README.md). Pin the base for good by its digest: --build-arg PYTHON=python:3.11-slim-bookworm@sha256:…
ARG PYTHON=python:3.11-slim-bookworm

# What all of them run with. Where packages come from is the builder's to say: by a pip.conf in .build/, which git does not know.
FROM ${PYTHON} AS packages
COPY deploy/image/requirements.lock .build* /build/
ENV PIP_CONFIG_FILE=/build/pip.conf
RUN python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python --disable-pip-version-check --no-cache-dir install --quiet --no-deps --no-compile \
       --only-binary :all: --require-hashes --requirement /build/requirements.lock \
    && cd /venv/lib/python3*/site-packages \
    && rm -rf phonenumbers/geodata phonenumbers/carrierdata phonenumbers/tzdata lxml/includes sqlalchemy/testing alembic/testing \
    && find . -name '*.c' -o -name '*.h' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' | xargs rm -f \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash .

FROM ${PYTHON} AS ground
RUN groupadd --gid 10001 lifang \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin lifang \
    && install -d -o 10001 -g 10001 -m 0750 /run/secrets/lifang /var/lib/lifang /var/lib/lifang/seals
COPY --from=packages /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONPATH=/app \
    LIFANG_HOST=0.0.0.0 LIFANG_PORT=8080 LIFANG_OPERATIONS_PORT=8081 LIFANG_SECRETS=/run/secrets/lifang
WORKDIR /app

# Migrations, the keeper, operations, and what makes databases, users and topics: all that is run beside the services.
FROM packages AS tools-code
COPY deploy/image/healthy.py /app/
COPY libs /app/libs
COPY services /app/services
COPY simulator /app/simulator
COPY cli /app/cli
RUN python -m compileall -q --invalidation-mode unchecked-hash /app \
    && install -d -o 10001 -g 10001 -m 0750 /secrets /secrets/vault /secrets/provision /secrets/postgres /secrets/kafka /secrets/keeper \
       /secrets/desk /secrets/grafana && cd /app/services && for name in *; do install -d -o 10001 -g 10001 -m 0750 /secrets/$name; done

FROM ground AS tools
COPY --from=tools-code /app /app
COPY --from=tools-code /secrets /secrets
ARG VERSION=dev
LABEL org.opencontainers.image.title="lifang/tools" org.opencontainers.image.version="${VERSION}"
USER 10001:10001
ENTRYPOINT ["python", "-m"]
CMD ["cli"]

FROM packages AS service-code
ARG SERVICE
RUN test -n "${SERVICE}" || { echo "which service? --build-arg SERVICE=access" >&2; exit 1; }
COPY deploy/image/healthy.py deploy/image/start.py /app/
COPY libs /app/libs
COPY services/${SERVICE} /app/services/${SERVICE}
RUN python -m compileall -q --invalidation-mode unchecked-hash /app

FROM ground AS service
ARG SERVICE
ARG VERSION=dev
LABEL org.opencontainers.image.title="lifang/${SERVICE}" org.opencontainers.image.version="${VERSION}"
ENV SERVICE=${SERVICE}
COPY --from=service-code /app /app
USER 10001:10001
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["python", "/app/healthy.py", "/livez"]
ENTRYPOINT ["python", "/app/start.py"]
CMD ["all"]
