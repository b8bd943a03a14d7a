# verify never writes; fix rewrites. CI runs .ci/run, which is verify plus the two README commands on a clean checkout.
.PHONY: verify fix test e2e matrix bench fuzz scheduled images

verify:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo deny check bans licenses sources
	cargo test --workspace --locked

fix:
	cargo fmt --all
	cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged

test:
	cargo test --workspace --locked

e2e:
	cargo test --locked -p breakwater-tests -- --nocapture

# What passes between which formats, counted from recorded traffic. UPDATE_MATRIX=1 writes it to docs/formats.md.
matrix:
	cargo test --locked -p breakwater-dialect --test oracle -- --nocapture

# What docs/figures.md says: the proxy and the control plane, then what the formats and the breakers cost.
bench:
	cargo build --release --locked -p breakwater-data-plane
	cargo run --locked -p breakwater-tests --bin figures
	cargo bench --locked -p breakwater-dialect --bench formats
	cargo bench --locked -p breakwater-data-plane --bench breakers

# Each fuzz target for a minute (CONTRIBUTING.md).
fuzz:
	.ci/fuzz

# What a machine runs every night, beside .ci/run for each change (CONTRIBUTING.md).
scheduled:
	.ci/scheduled

# Needs a docker engine with BuildKit.
images:
	docker build -f deploy/docker/control-plane.Dockerfile -t breakwater-control-plane \
	    --build-arg GIT_SHA=$$(git rev-parse HEAD) --build-arg BUILT_AT=$$(date -u +%FT%TZ) .
	docker build -f deploy/docker/data-plane.Dockerfile -t breakwater-data-plane .
	docker build -f deploy/docker/cli.Dockerfile -t breakwater .
