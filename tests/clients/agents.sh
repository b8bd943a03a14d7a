#!/usr/bin/env bash
# Claude Code and Codex against `breakwater dev`: each asks its one question through the proxy, in its own format, and gets the
# simulated provider's answer. Opt-in: it installs 600 MB of agents from npm below target/agents. Needs Node 20 and `cargo build`.
#   tests/clients/agents.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target="${CARGO_TARGET_DIR:-$PWD/target}"
agents="$target/agents"
home=$(mktemp -d)
pid=""
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$home"' EXIT

mkdir -p "$agents"
npm install --prefix "$agents" --no-fund --no-audit --silent @anthropic-ai/claude-code@2.1.197 @openai/codex@0.169.0

"$target/debug/breakwater" dev --data-dir "$home/data" --proxy-listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
    --ready-file "$home/ready.json" >"$home/out" 2>"$home/err" &
pid=$!
for _ in $(seq 1 600); do
    [ -s "$home/ready.json" ] && break
    kill -0 "$pid" 2>/dev/null || { cat "$home/out" "$home/err"; exit 1; }
    sleep 0.1
done
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$home/ready.json" "$1"; }
proxy=$(field proxy_url) key=$(field api_key)

# What the dev policy would redact or block in an agent's long prompt is not the question here: the agent's format is.
echo "--- claude-code"
HOME="$home" ANTHROPIC_BASE_URL="$proxy" ANTHROPIC_API_KEY="$key" ANTHROPIC_MODEL=assistant \
    ANTHROPIC_SMALL_FAST_MODEL=assistant ANTHROPIC_DEFAULT_HAIKU_MODEL=assistant \
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_TELEMETRY=1 DISABLE_AUTOUPDATER=1 \
    timeout 120 "$agents/node_modules/.bin/claude" -p "say hi" --model assistant --output-format json </dev/null >"$home/claude.json" \
    || { echo "claude-code failed:"; cat "$home/claude.json"; exit 1; }
python3 - "$home/claude.json" <<'PY'
import json, sys
said = json.load(open(sys.argv[1]))
assert said["is_error"] is False and said["result"].strip(), said
print("claude-code:", said["result"][:200], said.get("usage", {}))
PY

echo "--- codex"
mkdir -p "$home/codex"
cat >"$home/codex/config.toml" <<TOML
model = "assistant"
model_provider = "bw"
[model_providers.bw]
name = "breakwater"
base_url = "$proxy/v1"
env_key = "BW_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
TOML
CODEX_HOME="$home/codex" BW_KEY="$key" timeout 120 "$agents/node_modules/.bin/codex" exec --skip-git-repo-check \
    --sandbox read-only --output-last-message "$home/codex.txt" "say hi" </dev/null >"$home/codex.out" 2>&1 \
    || { echo "codex failed:"; cat "$home/codex.out"; exit 1; }
[ -s "$home/codex.txt" ] || { echo "codex got no answer:"; cat "$home/codex.out"; exit 1; }
echo "codex: $(head -c 200 "$home/codex.txt")"
