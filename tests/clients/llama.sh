#!/usr/bin/env bash
# A real model server as a provider: llama.cpp's llama-server, built from the source in the llama-cpp-python package, with a model
# of random weights (nothing is downloaded but packages). Texts and calls of tools, whole and streamed, by clients of chat, responses
# and messages, each to the server's doors of all three, through `breakwater dev`. Opt-in: the build takes 12 minutes of two cores,
# once, below target/llama or in BREAKWATER_LLAMA. Needs `cargo build`, and the clients that `cargo test -p breakwater-tests --test
# clients` installs (or in PYTHON one that has both).
#   tests/clients/llama.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target="${CARGO_TARGET_DIR:-$PWD/target}"
llama="${BREAKWATER_LLAMA:-$target/llama}"
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
"$llama/venv/bin/python" tests/clients/tiny_gguf.py "$llama/tiny.gguf"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
wait_for() { for _ in $(seq 1 600); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done; echo "waited a minute for: $*"; exit 1; }

# The first writes texts. The second calls tools: its template lets the grammar demand a call, but knows no plain text of a
# random model.
serve() { # port, template
    "$source/BUILD/bin/llama-server" -m "$llama/tiny.gguf" --host 127.0.0.1 --port "$1" -c 16384 -np 2 --alias tiny-random --jinja \
        "${@:2}" --no-webui --no-warmup >"$home/llama-$1.log" 2>&1 &
    pids+=($!)
}
texts=$(free_port)
serve "$texts" --chat-template chatml
wait_for curl -sf "http://127.0.0.1:$texts/health"
calls=$(free_port)
serve "$calls" --chat-template-file "$source/models/templates/meetkai-functionary-medium-v3.2.jinja"
wait_for curl -sf "http://127.0.0.1:$calls/health"

"$target/debug/breakwater" dev --data-dir "$home/data" --proxy-listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 \
    --ready-file "$home/ready.json" >"$home/out" 2>"$home/err" &
pids+=($!)
wait_for test -s "$home/ready.json"
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$home/ready.json" "$1"; }
export BREAKWATER_SERVER BREAKWATER_TOKEN
BREAKWATER_SERVER=$(field admin_url) BREAKWATER_TOKEN=$(field admin_token)
way() { # alias, port, format, type, path below the server
    cat <<YAML
kind: Provider
name: $1-$3
spec: {type: $4, base_url: "http://127.0.0.1:$2$5", credentials: [{name: main, api_key: none}]}
---
kind: Route
name: $1-$3
spec: {aliases: [$1-$3], endpoint: {provider: $1-$3, model: tiny-random}}
---
YAML
}
ways() { # alias, port
    way "$1" "$2" chat openai_compatible /v1
    way "$1" "$2" responses openai /v1
    way "$1" "$2" messages anthropic ""
}
{
    ways text "$texts"
    ways calls "$calls"
    printf 'kind: Tenant\nname: llama\nspec: {routes: [%s]}\n' \
        "text-chat, text-responses, text-messages, calls-chat, calls-responses, calls-messages"
} >"$home/llama.yaml"
"$target/debug/breakwater" apply -f "$home/llama.yaml"
key=$("$target/debug/breakwater" keys create --tenant llama -o json | python3 -c 'import json,sys; print(json.load(sys.stdin)["api_key"])')

"${PYTHON:-$target/tmp/openai-client/bin/python}" tests/clients/llama.py "$(field proxy_url)" "$key"
