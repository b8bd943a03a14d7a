# syntax=docker/dockerfile:1
# Image of a proxy. From the root of the checkout:
#   docker build -f deploy/docker/data-plane.Dockerfile -t breakwater-data-plane .
# The context leaves out target/ and .git (.dockerignore).

FROM rust:1.95.0-slim-trixie AS build
# The compiler of the image is that of rust-toolchain.toml, whose components for developers are not needed here.
ENV RUSTUP_TOOLCHAIN=1.95.0 CARGO_TERM_COLOR=never
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p breakwater-data-plane && \
    cp target/release/breakwater-data-plane /breakwater-data-plane

FROM debian:trixie-slim
# The authorities that sign the certificates of providers.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /breakwater-data-plane /usr/local/bin/
# Nobody in particular; the same number in all images, so that they can share a volume.
RUN install -d -o 65532 -g 65532 -m 0700 /run/breakwater
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/breakwater-data-plane"]
