//! What may import what: the tables of ARCHITECTURE.md.

/// Which of our crates each crate may depend on. No circle, and the planes never meet but in proto.
pub(super) const CRATE_TABLE: [(&str, &[&str]); 9] = [
    ("proto", &[]),
    ("common", &["breakwater-proto"]),
    ("common/runtime", &["breakwater-common"]),
    ("control-plane/core", &["breakwater-proto", "breakwater-common"]),
    (
        "control-plane",
        &["breakwater-proto", "breakwater-common", "breakwater-control-core", "breakwater-runtime"],
    ),
    ("data-plane/dialect", &["breakwater-common"]),
    ("data-plane", &["breakwater-proto", "breakwater-common", "breakwater-runtime", "breakwater-dialect"]),
    (
        "cli",
        &[
            "breakwater-proto",
            "breakwater-common",
            "breakwater-runtime",
            "breakwater-control-plane",
            "breakwater-data-plane",
        ],
    ),
    (
        "tests",
        &[
            "breakwater",
            "breakwater-proto",
            "breakwater-common",
            "breakwater-runtime",
            "breakwater-control-plane",
            "breakwater-data-plane",
            "breakwater-dialect",
        ],
    ),
];

/// The only dependencies of the pure crates. None of them does I/O, reads a clock or draws random numbers for us.
pub(super) const PURE_DEPENDENCIES: [&str; 18] = [
    "aho-corasick",
    "base64",
    "breakwater-common",
    "breakwater-proto",
    "bytes",
    "crc32fast",
    "imbl",
    "memchr",
    "prost",
    "prost-reflect",
    "prost-types",
    "regex",
    "ring",
    "saphyr-parser",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
];

/// Rooms of a crate: which rooms each may import. Every room is listed, and there is no circle.
pub(super) type Rooms = [(&'static str, &'static [&'static str])];

/// Inside `control-plane/src`. `app` alone may import all.
pub(super) const CONTROL_PLANE_ROOMS: &Rooms = &[
    ("config", &[]),
    ("secret_files", &[]),
    ("store", &[]),
    ("fleet", &[]),
    ("raft", &["store"]),
    ("replica", &["raft"]),
    ("caller", &["secret_files"]),
    ("seal", &["secret_files"]),
    ("ledger", &["replica", "secret_files"]),
    ("admin", &["replica", "caller"]),
    ("publish", &["replica", "seal"]),
    ("grpc", &["admin", "publish", "fleet", "ledger", "replica", "caller", "seal"]),
    ("rest", &["grpc", "caller"]),
    ("metrics", &["fleet", "grpc", "publish", "replica"]),
    ("server", &["admin", "caller", "grpc", "metrics", "rest"]),
];

/// Inside `data-plane/src`. `app` alone may import all.
pub(super) const DATA_PLANE_ROOMS: &Rooms = &[
    ("config", &[]),
    ("breakers", &[]),
    ("told", &[]),
    ("fault", &["told"]),
    ("ruleset_cell", &[]),
    ("tokens", &[]),
    ("trace", &[]),
    ("body", &[]),
    ("call", &["body", "breakers", "fault", "told", "trace"]),
    ("metrics", &["breakers", "trace"]),
    ("gate", &["metrics"]),
    ("limiters", &["trace"]),
    ("outcomes", &["metrics", "trace"]),
    ("reroutes", &["metrics"]),
    ("server", &["call", "metrics"]),
    ("upstream", &["body", "breakers", "call", "fault", "told"]),
    ("enforce", &["body", "breakers", "call", "fault", "reroutes", "told", "tokens", "trace"]),
    (
        "edge",
        &[
            "body",
            "breakers",
            "call",
            "fault",
            "gate",
            "limiters",
            "metrics",
            "outcomes",
            "ruleset_cell",
            "server",
            "told",
            "tokens",
            "trace",
        ],
    ),
    (
        "stack",
        &[
            "breakers",
            "edge",
            "enforce",
            "gate",
            "limiters",
            "metrics",
            "outcomes",
            "reroutes",
            "ruleset_cell",
            "server",
            "upstream",
        ],
    ),
    ("agent", &["breakers", "limiters", "metrics", "outcomes", "reroutes", "ruleset_cell", "trace"]),
];

/// Inside `data-plane/dialect/src`. A format's room knows the form between and no other format: only `translate` puts two
/// together.
pub(super) const DIALECT_ROOMS: &Rooms = &[
    ("json", &[]),
    ("sse", &[]),
    ("mould", &["json", "sse"]),
    ("eventstream", &[]),
    ("error", &[]),
    ("format", &[]),
    ("ir", &["format", "json"]),
    ("quirks", &["ir"]),
    ("rates", &["format"]),
    ("codec", &["format", "ir", "quirks"]),
    ("capabilities", &["codec", "format", "ir", "quirks"]),
    ("pass", &["codec", "format", "ir", "json", "mould", "sse", "eventstream"]),
    ("chat", FORMAT_ROOM),
    ("responses", FORMAT_ROOM),
    ("messages", FORMAT_ROOM),
    ("gemini", FORMAT_ROOM),
    ("converse", FORMAT_ROOM),
    ("ollama", FORMAT_ROOM),
    ("completions", FORMAT_ROOM),
    ("embeddings", &["codec", "format", "ir", "json", "pass"]),
    (
        "translate",
        &[
            "chat",
            "responses",
            "messages",
            "gemini",
            "converse",
            "ollama",
            "completions",
            "capabilities",
            "codec",
            "error",
            "format",
            "ir",
            "json",
        ],
    ),
    (
        "exchange",
        &[
            "chat",
            "embeddings",
            "responses",
            "messages",
            "gemini",
            "converse",
            "codec",
            "format",
            "ir",
            "json",
            "pass",
            "sse",
            "translate",
        ],
    ),
    ("needs", &["exchange", "format", "ir", "pass", "translate"]),
];

/// What a format's room may import.
pub(super) const FORMAT_ROOM: &[&str] =
    &["codec", "error", "eventstream", "format", "ir", "json", "mould", "pass", "quirks", "sse"];

/// Inside `common/src`: from the ground up.
pub(super) const COMMON_ROOMS: &Rooms = &[
    ("error_kind", &[]),
    ("limits", &[]),
    ("time", &[]),
    ("violation", &[]),
    ("suggest", &["limits"]),
    ("breaker", &["limits", "time"]),
    ("sla", &["limits", "time"]),
    ("ledger", &["limits"]),
    ("limit", &["limits", "time"]),
    ("resource", &["breaker", "limit", "limits", "sla", "suggest", "violation"]),
    ("guard", &["limits", "resource", "violation"]),
    ("wire", &["breaker", "limit", "limits", "resource", "sla", "time", "violation"]),
    ("manifest", &["limits", "resource", "suggest", "time", "violation"]),
    ("ruleset", &["guard", "limit", "limits", "resource", "sla", "time", "violation", "wire"]),
];

/// Files at the root of a crate that are no rooms.
pub(super) const NO_ROOMS: [&str; 3] = ["app", "lib", "main"];

/// Words that stay in their rooms: replacing any of these crates touches one folder.
pub(super) const ROOMS_OF_WORDS: [(&str, &[&str]); 3] = [
    ("openraft", &["control-plane/src/raft", "control-plane/tests"]),
    ("sled", &["control-plane/src/store", "control-plane/tests"]),
    (
        "prost",
        &[
            "proto",
            "common/src/wire",
            "common/src/manifest",
            "common/src/ruleset/tests.rs",
            "common/tests",
            "control-plane/core/src/wire",
            "control-plane/core/tests",
            "control-plane/tests",
            "control-plane/src/grpc",
            "control-plane/src/rest",
            "control-plane/src/publish",
            "control-plane/src/fleet",
            "control-plane/src/raft",
            "control-plane/src/ledger",
            "data-plane/src/agent",
            "cli/src",
            "tests",
        ],
    ),
];
