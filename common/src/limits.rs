//! Every bound in the system: name, value, unit, why. Admission and proxy read the same ones, so that what was admitted
//! cannot be refused later for its size.

/// Bytes of a manifest file or stream. A thousand routes fit in a tenth of it.
pub const MANIFEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Nodes of a manifest after aliases are expanded: a YAML bomb ends here.
pub const MANIFEST_NODES_MAX: usize = 200_000;
/// Depth of a manifest's tree. Ours need eight.
pub const MANIFEST_DEPTH_MAX: usize = 32;
/// Documents in one apply.
pub const MANIFEST_DOCUMENTS_MAX: usize = 1_024;
/// Violations reported at once; people mend the first few and try again.
pub const VIOLATIONS_MAX: usize = 100;
/// Bytes of a text field that says no other bound.
pub const TEXT_BYTES_DEFAULT_MAX: usize = 4_096;
/// Elements of a list field that says no other bound.
pub const LIST_LEN_DEFAULT_MAX: usize = 256;
/// Bytes of an encoded resource. Below sled's blob threshold with 8 MiB segments (116 KB), with room for its neighbours.
pub const RESOURCE_BYTES_MAX: usize = 60 * 1024;
/// Bytes of a name.
pub const NAME_BYTES_MAX: usize = 63;
/// Bytes of a request id.
pub const REQUEST_ID_BYTES_MAX: usize = 128;
/// Bytes of a REST or gRPC request body on the admin port: a full apply, encoded.
pub const ADMIN_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Connections the admin port serves at once; beyond it accept waits. One proxy holds one.
pub const ADMIN_CONNECTIONS_MAX: usize = 12_288;
/// Bytes of all headers of a request on the admin port.
pub const ADMIN_HEADER_BYTES_MAX: usize = 32 * 1024;
/// Headers of a request on the admin port.
pub const ADMIN_HEADERS_MAX: usize = 64;
/// Streams of one HTTP/2 connection to the admin port. A proxy needs two, a client a few.
pub const ADMIN_STREAMS_PER_CONNECTION_MAX: u32 = 64;
/// Proxies that one node remembers; beyond it the longest silent one is forgotten.
pub const PROXIES_MAX: usize = 10_000;
/// Providers in one health report; further ones are left out and counted.
pub const UPSTREAMS_IN_REPORT_MAX: usize = 1_024;
/// Models of one provider, and credentials of it that are left alone, in one health report; further ones are left out.
pub const COOLING_IN_REPORT_MAX: usize = 256;
/// Messages on their way to one proxy; beyond it the session waits, and then skips to the newest ruleset.
pub const SESSION_QUEUE_MAX: usize = 8;
/// Acts of proxies on their way to the ledger; beyond it they are dropped and counted.
pub const ACTS_QUEUE_MAX: usize = 4_096;
/// Questions about calls that wait for proxies' answers at once; beyond it a question is refused.
pub const EXPLAIN_QUESTIONS_MAX: usize = 256;
/// Bytes of a text in a proxy's report (an id, a state, a reason); longer ones are cut.
pub const REPORT_TEXT_BYTES_MAX: usize = 256;
/// Bytes of a ledger leaf. Below C2SP tlog-tiles' 65,535.
pub const LEDGER_LEAF_BYTES_MAX: usize = 32 * 1024;
/// Records on a page of the ledger.
pub const LEDGER_PAGE_MAX: usize = 1_000;
/// Acts in one command.
pub const ACTS_MAX: usize = 256;
/// Attributes of a key.
pub const KEY_ATTRIBUTES_MAX: usize = 16;
/// Bytes of one attribute's name or value.
pub const KEY_ATTRIBUTE_BYTES_MAX: usize = 256;
/// Milliseconds that a route's override holds, at least and at most: a week, after which the configuration should say it. A
/// route has one, so that there are no more than routes.
pub const ROUTE_OVERRIDE_MS: (u64, u64) = (1_000, 7 * 24 * 3_600_000);
/// Milliseconds that a route's override holds if nobody says: an hour, long enough to look and short enough to forget.
pub const ROUTE_OVERRIDE_DEFAULT_MS: u64 = 3_600_000;
/// Timed calls of a window before their latency moves a route: fewer say nothing about a median.
pub const SLA_TIMED_CALLS_MIN: u64 = 10;
/// Bad calls of a window before availability moves a route: one in a quiet hour is no outage.
pub const SLA_BAD_CALLS_MIN: u64 = 10;
/// Milliseconds that the latency of a route is measured over.
pub const SLA_LATENCY_WINDOW_MS: u64 = 30_000;
/// Calls of a moved route of which one goes to the endpoint that was left, to see how it does: 5 %.
pub const SLA_PROBE_EVERY: u64 = 20;
/// Milliseconds between two such probes at least: under load 5 % would be many slow calls.
pub const SLA_PROBE_INTERVAL_MS: u64 = 200;
/// Good probes in a row before calls come back.
pub const SLA_GOOD_PROBES_MIN: u64 = 5;
/// Milliseconds that good probes must run before calls come back, at least and at most.
pub const SLA_HOLD_MS: (u64, u64) = (1_000, 60_000);
/// Milliseconds after a return within which leaving again doubles the next hold; also the longest hold.
pub const SLA_SOON_MS: u64 = 600_000;
/// Milliseconds that an answer in one piece is granted for each token of output, since nobody sees its first token.
pub const SLA_ANSWER_MS_PER_TOKEN: u64 = 30;
/// Milliseconds that an operator's change of traffic waits for the proxies' acknowledgements before it is answered.
pub const REROUTE_ANSWER_MS_MAX: u64 = 2_000;
/// Age of a remembered request id in milliseconds: a day, longer than any client retries.
pub const REQUEST_ID_AGE_MS_MAX: u64 = 24 * 3_600_000;
/// Remembered request ids.
pub const REQUEST_IDS_MAX: usize = 100_000;
/// Proposals accepted but not yet applied. Beyond it writes are refused at the door.
pub const PROPOSALS_IN_FLIGHT_MAX: usize = 512;
/// Bytes of one chunk of a ruleset on the stream. Larger messages stay in the memory of each HTTP/2 connection.
pub const RULESET_CHUNK_BYTES_MAX: usize = 32 * 1024;
/// Bytes of a whole ruleset.
pub const RULESET_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of the body of an LLM call. The largest agent requests recorded are below 1 MiB; images need more.
pub const CALL_BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Milliseconds in which the rest of a refused body is read and forgotten, so that its sender sees the refusal.
pub const CALL_DISCARD_MS_MAX: u64 = 5_000;
/// Bytes of an upstream's answer that is held whole (not streamed).
pub const REPLY_BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of one event of a stream. A picture that a model made comes in one event: two megabytes in base64, several in 4K.
pub const SSE_EVENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Bytes of all request headers.
pub const CALL_HEADER_BYTES_MAX: usize = 64 * 1024;
/// Request headers.
pub const CALL_HEADERS_MAX: usize = 100;
/// Connections a proxy serves at once; beyond it accept waits.
pub const PROXY_CONNECTIONS_MAX: usize = 16_384;
/// Tokens that one call can have: as many as a model's `context_window` may say. A provider that says more says nothing.
pub const CALL_TOKENS_MAX: u64 = 100_000_000;
/// Calls a proxy serves at once; beyond it, and before it if its own work waits, calls are shed with 503.
pub const PROXY_CALLS_MAX: u32 = 8_192;
/// Calls that a proxy serves at once however long its own work waits.
pub const GATE_CALLS_MIN: u32 = 16;
/// Milliseconds that our own work may wait for a processor. Longer for a whole window means that there are more calls than
/// the machine can serve. A hundredth of what a first token takes, and twice a busy system's slice of time.
pub const GATE_DELAY_MS: u64 = 20;
/// Milliseconds over which that wait is judged: its shortest counts.
pub const GATE_WINDOW_MS: u64 = 100;
/// Milliseconds between two measurements of that wait.
pub const GATE_PULSE_MS: u64 = 10;
/// Calls that a proxy remembers for `why`.
pub const CALL_TRACES_MAX: usize = 4_096;
/// Requests that the simulated provider keeps for tests to look at.
pub const SIMULATOR_REQUESTS_MAX: usize = 4_096;
/// Outcomes waiting for the reporter; beyond it they are dropped and counted.
pub const OUTCOMES_QUEUE_MAX: usize = 8_192;
/// Bytes that a guardrail keeps in doubt before it gives up. Host names have at most 253, so a URL decides within it; what
/// is held in practice is the word being written.
pub const STREAM_HOLD_BYTES_MAX: usize = 256;
/// Bytes of the arguments of one tool call that are held until they are judged whole.
pub const TOOL_ARGUMENTS_BYTES_MAX: usize = 1024 * 1024;
/// Text channels of one stream (choices times content, refusal, reasoning and tool calls).
pub const STREAM_CHANNELS_MAX: usize = 256;
/// Bytes of a regular expression in a condition.
pub const CONDITION_REGEX_BYTES_MAX: usize = 512;
/// Bytes that a compiled regular expression of a condition may take.
pub const CONDITION_REGEX_COMPILED_BYTES_MAX: usize = 1024 * 1024;
/// Conditions of one route that are regular expressions: together they may take 32 MiB, and no one needs more.
pub const ROUTE_REGEXES_MAX: usize = 32;
/// Names that a violation lists as those that exist.
pub const NAMES_LISTED_MAX: usize = 20;
/// Names that are compared with one that names nothing; a hint is not worth more time.
pub const NAMES_COMPARED_MAX: usize = 1_024;
/// Time in milliseconds within which a breaker's probe must give its outcome. A probe that hangs longer counts as
/// failed, so that a lost permit cannot hold a provider half-open for ever; equal to the default first-token limit.
pub const PROBE_LEASE_MS: u64 = 30_000;
/// Milliseconds of the shortest and the longest wait that a provider's `Retry-After` is believed: below it helps nobody, above
/// it a bad upstream would ban itself.
pub const COOLDOWN_MS: (u64, u64) = (1_000, 300_000);
/// Milliseconds that a refused or unpaid credential is left alone: a person must mend it.
pub const CREDENTIAL_DOWN_MS: u64 = 1_800_000;
/// Models for which one credential is remembered as over its limit; beyond it what ends soonest is forgotten.
pub const COOLED_MODELS_MAX: usize = 256;

/// Milliseconds in which a client must send a request's head, finish TLS, or use an idle connection again. Longer than
/// the pauses of ordinary clients, short enough that a slow one cannot hold a connection for long.
pub const CALL_HEAD_MS_MAX: u64 = 30_000;
/// Milliseconds of silence within a request's body.
pub const CALL_BODY_IDLE_MS_MAX: u64 = 30_000;
/// Milliseconds in which a request's body must be whole: 32 MiB at 1 Mbit/s.
pub const CALL_BODY_MS_MAX: u64 = 270_000;
/// Milliseconds in which a client must take some of an answer that is there.
pub const CALL_STALL_MS_MAX: u64 = 60_000;
/// HTTP/2 streams of one connection of a client.
pub const CALL_STREAMS_MAX: u32 = 256;
/// Bytes that HTTP/1 buffers of one connection may take; hyper's floor is 8 KiB.
pub const CALL_BUFFER_BYTES_MAX: usize = 128 * 1024;
/// Tokens of an answer that are reserved of a limit of tokens when the call does not say its longest. Most answers are
/// shorter; what is used in the end takes its place.
pub const ANSWER_TOKENS_RESERVED: u64 = 1_024;
/// Bytes of an alias in a request. Longer ones name no route.
pub const ALIAS_BYTES_MAX: usize = 256;
/// Bytes of an upstream's error body that are read to tell its kind.
pub const UPSTREAM_ERROR_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a stream that are held until its first content: only role and empty events come before it, but that content
/// may itself be the largest event.
pub const STREAM_COMMIT_BYTES_MAX: usize = 64 * 1024 + SSE_EVENT_BYTES_MAX;
/// Idle connections kept to one host of an upstream.
pub const UPSTREAM_IDLE_CONNECTIONS_MAX: usize = 64;
/// Milliseconds that an idle connection to an upstream is kept. Below the 60 s at which common load balancers close.
pub const UPSTREAM_IDLE_MS_MAX: u64 = 50_000;
/// Upstreams of one call that are tried; more of a chain are not considered.
pub const ATTEMPTS_MAX: usize = 16;
/// Breaker transitions waiting for the next report; beyond it the oldest are dropped and counted.
pub const TRANSITIONS_MAX: usize = 256;
/// Findings of guardrails remembered of one call.
pub const CALL_FINDINGS_MAX: usize = 64;
/// Resources of a ruleset on the stream.
pub const RULESET_ITEMS_MAX: usize = 100_000;
/// Route names in metrics; more are counted together.
pub const METRIC_ROUTES_MAX: usize = 256;
/// Provider names in metrics; more are counted together.
pub const METRIC_PROVIDERS_MAX: usize = 128;
/// Seconds of the longest `Retry-After` we send: the official clients obey no longer one.
pub const RETRY_AFTER_S_MAX: u64 = 60;
/// Bytes of the header that names what of a call was left out in translation.
pub const LEFT_OUT_BYTES_MAX: usize = 512;

/// Bytes of one segment of the write-ahead log, allocated whole so that a sync has no metadata to journal. A write larger
/// than a segment gets one of its own size. Twenty thousand ordinary changes fit.
pub const WAL_SEGMENT_BYTES: usize = 8 * 1024 * 1024;
/// Operations waiting for the write-ahead log's writer; beyond it the asker waits.
pub const WAL_QUEUE_MAX: usize = 1_024;
/// Bytes written with one sync of the write-ahead log, if more than one record waits.
pub const WAL_GROUP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of one write of the log that are believed on reading: above a whole apply and its envelope, below nonsense.
pub const WAL_FRAME_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Bytes of entries the log holds in memory and on disk before a snapshot is asked for, whatever their count.
pub const LOG_BYTES_BEFORE_SNAPSHOT: usize = 64 * 1024 * 1024;
/// Entries applied since the last snapshot before the next is built.
pub const LOG_ENTRIES_BEFORE_SNAPSHOT: u64 = 10_000;
/// Entries kept behind a snapshot, so that a peer that is a little late needs no snapshot.
pub const LOG_ENTRIES_KEPT: u64 = 1_000;
/// Groups of applied changes waiting for the state image's writer; beyond it apply waits.
pub const IMAGE_QUEUE_MAX: usize = 256;
/// Groups of applied changes written to the state image with one sync.
pub const IMAGE_GROUP_MAX: usize = 64;
/// Bytes of one value in the state image; a longer one is cut into parts. Eighteen of them fit a quarter of a segment of
/// 8 MiB with room to spare: beyond that sled 0.34.7 writes pages to files that it never syncs.
pub const IMAGE_VALUE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of one row of a snapshot that are believed on reading.
pub const SNAPSHOT_ROW_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Snapshots kept: the newest and, should it be damaged, the one before.
pub const SNAPSHOTS_KEPT: usize = 2;
/// Milliseconds a change may wait for its answer; then its outcome is unknown to the asker.
pub const SUBMIT_MS_MAX: u64 = 10_000;
/// Resources in the replicated state. With every change the whole set is checked, in time proportional to it.
pub const RESOURCES_MAX: usize = 10_000;
/// Bytes of all specs in the replicated state: half of a ruleset, whose other half is keys.
pub const RESOURCES_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Keys in the replicated state, ended ones included: with the resources they fit in a ruleset.
pub const KEYS_MAX: usize = 50_000;
/// Tokens in the replicated state, ended ones included: people and machines of one operator.
pub const TOKENS_MAX: usize = 2_000;
/// Tokens made with a cluster's first entry.
pub const BOOTSTRAP_TOKENS_MAX: usize = 16;
/// Origins of acts (a process of a proxy and an object) whose newest generation is remembered. Beyond it the longest
/// silent are forgotten; an act that they repeat would be recorded twice.
pub const ACT_ORIGINS_MAX: usize = 50_000;
/// Age of a remembered origin of acts in milliseconds: 30 days, far longer than a report is repeated.
pub const ACT_ORIGIN_AGE_MS_MAX: u64 = 30 * 24 * 3_600_000;
/// Bytes of an identifier that a machine made: principal, proxy, boot id, cluster.
pub const IDENTIFIER_BYTES_MAX: usize = 128;
/// Bytes of one text in a ledger record's detail. Five of them fit in a leaf, with room for the rest.
pub const LEDGER_DETAIL_TEXT_BYTES_MAX: usize = 5 * 1024;
/// Bytes of text above which guardrails judge off the async threads: at some 100 MB/s it is half a millisecond.
pub const GUARD_INLINE_BYTES_MAX: usize = 64 * 1024;
/// Pools of connections to upstreams: one for each different limit on connecting.
pub const UPSTREAM_POOLS_MAX: usize = 32;
/// Milliseconds between a control plane's heartbeats if it says none, and the longest that is believed.
pub const HEARTBEAT_MS: (u64, u64) = (5_000, 60_000);
/// Milliseconds within which a proxy comes back after a farewell that says none, and the longest that is believed.
pub const DRAIN_MS: (u64, u64) = (1_000, 60_000);
/// Milliseconds between health reports if the control plane says none, and the longest that is believed.
pub const REPORT_INTERVAL_MS: (u64, u64) = (1_000, 60_000);
/// Milliseconds in which the control plane must take a connection and greet.
pub const CONTROL_PLANE_GREETING_MS_MAX: u64 = 5_000;
/// Milliseconds of the first and of the longest wait before the control plane is called again; the wait is random below.
pub const RECONNECT_MS: (u64, u64) = (100, 30_000);
/// Milliseconds of a link's health after which the next wait starts small again.
pub const RECONNECT_RESET_MS: u64 = 60_000;
