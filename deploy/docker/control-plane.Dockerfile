# syntax=docker/dockerfile:1
# Image of the control plane. From the root of the checkout:
#   docker build -f deploy/docker/control-plane.Dockerfile -t breakwater-control-plane .
# The context leaves out target/ and .git (.dockerignore).

FROM rust:1.95.0-slim-trixie AS build
# The compiler of the image is that of rust-toolchain.toml, whose components for developers are not needed here.
ENV RUSTUP_TOOLCHAIN=1.95.0 CARGO_TERM_COLOR=never
WORKDIR /src
COPY . .
# What `breakwater version` shows of the server:
#   --build-arg GIT_SHA=$(git rev-parse HEAD) --build-arg BUILT_AT=$(date -u +%FT%TZ)
ARG GIT_SHA=unknown
ARG BUILT_AT=unknown
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    BREAKWATER_GIT_SHA=$GIT_SHA BREAKWATER_BUILT_AT=$BUILT_AT \
    cargo build --release --locked -p breakwater-control-plane && \
    cp target/release/breakwater-control-plane /breakwater-control-plane

FROM debian:trixie-slim
COPY --from=build /breakwater-control-plane /usr/local/bin/
# Nobody in particular; the same number in all images, so that they can share a volume.
RUN install -d -o 65532 -g 65532 -m 0700 /var/lib/breakwater /run/breakwater
ENV BREAKWATER_DATA_DIR=/var/lib/breakwater
USER 65532:65532
EXPOSE 8090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/breakwater-control-plane"]
