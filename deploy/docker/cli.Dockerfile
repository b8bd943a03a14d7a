# syntax=docker/dockerfile:1
# Image of the command line, with `breakwater dev` and the simulated provider. From the root of the checkout:
#   docker build -f deploy/docker/cli.Dockerfile -t breakwater .
# The context leaves out target/ and .git (.dockerignore).

FROM rust:1.95.0-slim-trixie AS build
# The compiler of the image is that of rust-toolchain.toml, whose components for developers are not needed here.
ENV RUSTUP_TOOLCHAIN=1.95.0 CARGO_TERM_COLOR=never
WORKDIR /src
COPY . .
# --build-arg FEATURES=--no-default-features leaves out dev and simulate, and with them both servers.
ARG FEATURES=""
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p breakwater $FEATURES && \
    cp target/release/breakwater /breakwater

FROM debian:trixie-slim
COPY --from=build /breakwater /usr/local/bin/
# Manifests are read from the directory that is mounted here.
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/breakwater"]
