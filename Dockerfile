# The whole messenger for one machine: API Gateway and all functions in one process. docker-compose.yml gives it a
# PostgreSQL and a DynamoDB. For another architecture, or for several at once:
#
#   docker buildx build --platform linux/amd64,linux/arm64 .
#
# Needs BuildKit, for the cache mounts: downloads and compiled dependencies stay on the builder between builds.

# The channel in rust-toolchain.toml.
ARG RUST=1.95.0

FROM rust:${RUST}-slim-bookworm AS toolchain
ARG RUST
# rustup would otherwise download the components that rust-toolchain.toml asks for, which only developers need.
ENV RUSTUP_TOOLCHAIN=${RUST}
WORKDIR /src
RUN --mount=type=bind,target=/src grep --quiet --line-regexp "channel = \"${RUST}\"" rust-toolchain.toml

# The source is mounted instead of copied, since no layer needs it.
FROM toolchain AS build
# One directory for each architecture, because those built at the same time share the mount.
RUN --mount=type=bind,target=/src \
    --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/target,sharing=locked \
    export CARGO_TARGET_DIR=/target/$(uname -m) && \
    cargo build --locked --release --package windi-local && \
    install -D --target-directory=/out/usr/local/bin "$CARGO_TARGET_DIR"/release/windi-local "$CARGO_TARGET_DIR"/release/windi

FROM toolchain AS build-tests
# The suite starts the messenger by the path that it was compiled to, so both keep their places.
RUN --mount=type=bind,target=/src \
    --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/target,sharing=locked \
    export CARGO_TARGET_DIR=/target/$(uname -m) && \
    tests() { cargo test --locked --release --no-run --package windi-local --test e2e; } && \
    tests && \
    install -D --target-directory="/out$CARGO_TARGET_DIR/release" "$CARGO_TARGET_DIR"/release/windi-local "$CARGO_TARGET_DIR"/release/windi && \
    install -D "$(tests 2>&1 | sed -n 's/^ *Executable.*(\(.*\))$/\1/p')" /out/usr/local/bin/e2e

# The end-to-end suite, to be run against the PostgreSQL and the DynamoDB that the environment names:
#
#   docker compose --profile test run --rm tests
FROM debian:bookworm-slim AS tests
# Some tests kill and restart a messenger together with its private PostgreSQL.
RUN mkdir --parents /etc/postgresql-common && \
    echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf && \
    apt-get update && \
    apt-get install --yes --no-install-recommends ca-certificates postgresql && \
    rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home windi
COPY template.yaml /src/
COPY docs/protocol.md /src/docs/
COPY functions/src /src/functions/src
COPY --from=build-tests /out /
# Where Cargo runs the suite; its paths begin there.
WORKDIR /src/local
USER windi
ENTRYPOINT ["e2e"]

FROM debian:bookworm-slim AS messenger
RUN useradd --uid 10001 --home-dir /var/lib/windi --create-home windi
# The roots by which a PostgreSQL on another machine is verified.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY template.yaml /usr/local/share/windi/
COPY --from=build /out /
USER windi
WORKDIR /var/lib/windi
# The signing key, and everything else if DATABASE_URL is not set.
VOLUME /var/lib/windi
EXPOSE 3000
STOPSIGNAL SIGTERM
# Bash reads the status line itself, because the image has no HTTP client.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/3000 && printf 'GET /health HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
ENTRYPOINT ["windi-local", "--host", "0.0.0.0", "--template", "/usr/local/share/windi/template.yaml", "--data-dir", "/var/lib/windi"]
