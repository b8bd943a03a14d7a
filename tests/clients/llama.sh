#!/usr/bin/env bash
# A real model server as a provider: llama.cpp's llama-server, built from the source in the llama-cpp-python package, with a model
# of random weights (nothing is downloaded but packages). Chat, streamed and not, in OpenAI's, Anthropic's and Gemini's format
# through `breakwater dev`. Opt-in: the build takes 12 minutes of two cores, once, below target/llama. Needs `cargo build`.
#   tests/clients/llama.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target="${CARGO_TARGET_DIR:-$PWD/target}"
llama="$target/llama"
home=$(mktemp -d)
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$home"' EXIT
version=0.3.36
source="$llama/llama_cpp_python-$version/vendor/llama.cpp"

mkdir -p "$llama"
if [ ! -x "$source/BUILD/bin/llama-server" ]; then
    python3 -m venv "$llama/venv"
    "$llama/venv/bin/pip" install --quiet --disable-pip-version-check gguf==0.19.0 cmake ninja numpy==2.4.6
    # Not `:all:`: that would build cmake too.
    "$llama/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-binary llama-cpp-python \
        "llama-cpp-python==$version" --dest "$llama"
    tar xzf "$llama/llama_cpp_python-$version.tar.gz" -C "$llama"
    export PATH="$llama/venv/bin:$PATH"
    cmake -S "$source" -B "$source/BUILD" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=OFF -DBUILD_SHARED_LIBS=OFF \
        -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_BUILD_SERVER=ON
    ninja -C "$source/BUILD" -j2 llama-server
fi
[ -s "$llama/tiny.gguf" ] || "$llama/venv/bin/python" tests/clients/tiny_gguf.py "$llama/tiny.gguf"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_for() { for _ in $(seq 1 600); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done; echo "waited a minute for: $*"; exit 1; }

port=$(free_port)
"$source/BUILD/bin/llama-server" -m "$llama/tiny.gguf" --host 127.0.0.1 --port "$port" -c 16384 -np 2 --alias tiny-random --jinja \
    --chat-template-file "$source/models/templates/meetkai-functionary-medium-v3.2.jinja" --no-webui --no-warmup >"$home/llama.log" 2>&1 &
pids+=($!)
wait_for curl -sf "http://127.0.0.1:$port/health"

"$target/debug/breakwater" dev --data-dir "$home/data" --proxy-listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
    --ready-file "$home/ready.json" >"$home/out" 2>"$home/err" &
pids+=($!)
wait_for test -s "$home/ready.json"
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$home/ready.json" "$1"; }
export BREAKWATER_SERVER BREAKWATER_TOKEN
BREAKWATER_SERVER=$(field admin_url) BREAKWATER_TOKEN=$(field admin_token)
cat >"$home/llama.yaml" <<YAML
kind: Provider
name: llama
spec:
  type: openai_compatible
  base_url: http://127.0.0.1:$port/v1
  credentials: [{name: main, api_key: none}]
---
kind: Provider
name: llama-messages
spec:
  type: anthropic
  base_url: http://127.0.0.1:$port
  credentials: [{name: main, api_key: none}]
---
kind: Route
name: to-chat
spec: {aliases: [to-chat], endpoint: {provider: llama, model: tiny-random}}
---
kind: Route
name: to-messages
spec: {aliases: [to-messages], endpoint: {provider: llama-messages, model: tiny-random}}
---
kind: Tenant
name: llama
spec: {routes: [to-chat, to-messages]}
YAML
"$target/debug/breakwater" apply -f "$home/llama.yaml"
key=$("$target/debug/breakwater" keys create --tenant llama -o json | python3 -c 'import json,sys; print(json.load(sys.stdin)["api_key"])')

# Random weights say nothing sensible: what counts is that each client's own parser reads the answer, with tokens counted.
"${PYTHON:-$target/tmp/openai-client/bin/python}" tests/clients/llama.py "$(field proxy_url)" "$key"
