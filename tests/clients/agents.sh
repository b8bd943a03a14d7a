#!/usr/bin/env bash
# Claude Code and Codex through the proxy, each to providers of messages, responses and chat completions: each runs a command (and
# Codex a tool of a namespace) that a scripted provider asks for, and says what came out. Opt-in: it installs 600 MB of agents
# from npm below target/agents, or uses those in BREAKWATER_AGENTS. Needs Node 20, Python 3 and `cargo build`.
#   tests/clients/agents.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target="${CARGO_TARGET_DIR:-$PWD/target}"
agents="${BREAKWATER_AGENTS:-$target/agents}"
home=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$home"' EXIT

mkdir -p "$agents" "$home/work"
[ -x "$agents/node_modules/.bin/codex" ] && [ -x "$agents/node_modules/.bin/claude" ] ||
    npm install --prefix "$agents" --no-fund --no-audit --silent @anthropic-ai/claude-code@2.1.197 @openai/codex@0.169.0

wait_for() { for _ in $(seq 1 600); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done; echo "waited a minute for: $*"; exit 1; }
python3 tests/clients/agents_provider.py "$home/port" >"$home/provider.out" 2>&1 &
pids+=($!)
wait_for test -s "$home/port"
port=$(cat "$home/port")

"$target/debug/breakwater" dev --data-dir "$home/data" --proxy-listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
    --ready-file "$home/ready.json" >"$home/out" 2>"$home/err" &
pids+=($!)
wait_for test -s "$home/ready.json"
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$home/ready.json" "$1"; }
export BREAKWATER_SERVER BREAKWATER_TOKEN
BREAKWATER_SERVER=$(field admin_url) BREAKWATER_TOKEN=$(field admin_token)
proxy=$(field proxy_url)

manifest() { # format, type, path below the provider
    cat <<YAML
kind: Provider
name: agents-$1
spec: {type: $2, base_url: "http://127.0.0.1:$port$3", credentials: [{name: main, api_key: none}]}
---
kind: Route
name: to-$1
spec: {aliases: [to-$1], endpoint: {provider: agents-$1, model: scripted}}
---
YAML
}
{
    manifest messages anthropic ""
    manifest responses openai /v1
    manifest chat openai_compatible /v1
    printf 'kind: Tenant\nname: agents\nspec: {routes: [to-messages, to-responses, to-chat]}\n'
} >"$home/agents.yaml"
"$target/debug/breakwater" apply -f "$home/agents.yaml"
key=$("$target/debug/breakwater" keys create --tenant agents -o json | python3 -c 'import json,sys; print(json.load(sys.stdin)["api_key"])')
wait_for curl -sf -H "authorization: Bearer $key" "$proxy/v1/models"

failed() { # what, its output
    echo "$1:"
    tail -c 4000 "$2"
    tail -n 5 "$home/provider.out"
    exit 1
}
ran() { # agent, model, a file with its last words
    grep -q breakwater-was-here "$3" || failed "$1 on $2 did not run the command" "$3"
    # The tool of a namespace looked for an agent that nobody started: Codex knew its own tool by what came back.
    [ "$1" != codex ] || grep -q "agent with id .* not found" "$3" || failed "codex on $2 did not run its tool" "$3"
    echo "ok $1 on $2: $(tr '\n' ' ' <"$3" | head -c 300)"
}

claude() { # model
    HOME="$home" ANTHROPIC_BASE_URL="$proxy" ANTHROPIC_API_KEY="$key" ANTHROPIC_MODEL="$1" \
        ANTHROPIC_SMALL_FAST_MODEL="$1" ANTHROPIC_DEFAULT_HAIKU_MODEL="$1" CLAUDE_CODE_MAX_RETRIES=0 \
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_TELEMETRY=1 DISABLE_AUTOUPDATER=1 \
        timeout 120 "$agents/node_modules/.bin/claude" -p "run the command" --model "$1" --output-format json \
        --allowedTools "Bash(echo:*)" </dev/null >"$home/claude.json" 2>"$home/claude.err" ||
        failed "claude-code on $1 failed" "$home/claude.json"
    python3 - "$home/claude.json" >"$home/claude.txt" <<'PY' || failed "claude-code on $1 said" "$home/claude.json"
import json, sys
said = json.load(open(sys.argv[1]))
assert said["is_error"] is False and said["usage"]["output_tokens"] > 0, said
print(said["result"])
PY
    ran claude-code "$1" "$home/claude.txt"
}

codex() { # model
    mkdir -p "$home/codex"
    cat >"$home/codex/config.toml" <<TOML
model = "$1"
model_provider = "bw"
[model_providers.bw]
name = "breakwater"
base_url = "$proxy/v1"
env_key = "BW_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
TOML
    rm -f "$home/codex.txt"
    CODEX_HOME="$home/codex" BW_KEY="$key" timeout 120 "$agents/node_modules/.bin/codex" exec --skip-git-repo-check \
        --sandbox read-only --output-last-message "$home/codex.txt" "run the command" </dev/null >"$home/codex.out" 2>&1 ||
        failed "codex on $1 failed" "$home/codex.out"
    [ -s "$home/codex.txt" ] || failed "codex on $1 got no answer" "$home/codex.out"
    ran codex "$1" "$home/codex.txt"
}

cd "$home/work"
for format in messages responses chat; do
    claude "to-$format"
    codex "to-$format"
done
