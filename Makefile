# verify never writes; fix rewrites. CI runs .ci/run, which is verify plus the two README commands on a clean checkout.
.PHONY: verify fix test e2e bench

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

bench:
	cargo build --release --locked -p breakwater-data-plane
	cargo run --release --locked -p breakwater-tests --bin figures
