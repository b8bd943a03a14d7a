//! A proxy under test with everything around it.

mod client;
mod control_plane;
mod upstream;

use std::sync::Arc;
use std::time::Duration;

use breakwater_common::time::UnixMillis;
use breakwater_data_plane::{App, Config};
use breakwater_runtime::ManualClock;

pub use client::{Answer, Caller, chat};
pub use control_plane::{ControlPlane, KEY, OTHER_KEY};
pub use upstream::{Act, STOP, Upstream, chunk};

/// Longest that a test waits for something that should happen at once.
pub const SOON: Duration = Duration::from_secs(10);

/// A proxy with its control plane.
pub struct Rig {
    pub app: App,
    pub control: ControlPlane,
    pub clock: Arc<ManualClock>,
    pub caller: Caller,
}

impl Rig {
    /// Starts a proxy that runs this configuration.
    pub async fn start(yaml: &str) -> Self {
        Self::start_with(yaml, |_| {}).await
    }

    /// Starts a proxy with another configuration of its own.
    pub async fn start_with(yaml: &str, change: impl FnOnce(&mut Config)) -> Self {
        let control = ControlPlane::start().await;
        control.publish(yaml);
        let mut config = Config::development(control.url(), "bwt-proxy");
        config.proxy_id = "proxy-1".into();
        change(&mut config);
        let clock = ManualClock::at(UnixMillis(1_700_000_000_000));
        let app = App::start_with(config, clock.clone()).await.unwrap();
        soon("the proxy is ready", app.ready()).await;
        let caller = Caller::new(app.addr(), KEY);
        Self { app, control, clock, caller }
    }

    /// Reads the metrics.
    pub async fn metrics(&self) -> String {
        self.caller.get("/metrics").await.text()
    }

    /// Waits until a line of the metrics is there.
    pub async fn counted(&self, line: &str) {
        eventually(line, || async { self.metrics().await.lines().any(|have| have == line) }).await;
    }
}

/// Waits for something that should happen at once.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.unwrap_or_else(|_| panic!("{what}: not within {SOON:?}"))
}

/// Asks again and again whether a condition holds, with a deadline.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    soon(what, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// A configuration: two providers in OpenAI's format, a route over both, one over the first alone, a tenant for each.
pub fn two_providers(first: &Upstream, second: &Upstream) -> String {
    format!(
        r#"
kind: Provider
name: first
spec:
  type: openai
  base_url: {first}/v1
  credentials: [{{name: main, api_key: sk-first}}]
  circuit_breaker: {{threshold: 2, open_ttl: 60s}}
  timeouts: {{connect: 1s, first_token: 2s, idle: 300ms}}
  models: [{{name: gpt-4o}}]
---
kind: Provider
name: second
spec:
  type: openai_compatible
  base_url: {second}/v1
  credentials: [{{name: main, api_key: sk-second}}]
  circuit_breaker: {{threshold: 2, open_ttl: 60s}}
  timeouts: {{connect: 1s, first_token: 2s, idle: 300ms}}
  models: [{{name: kumo-large}}]
---
kind: Route
name: chat
spec:
  aliases: [chat]
  endpoint: {{provider: first, model: gpt-4o}}
  fallback_endpoints: [{{provider: second, model: kumo-large}}]
---
kind: Route
name: alone
spec:
  aliases: [alone]
  endpoint: {{provider: first, model: gpt-4o}}
---
kind: Route
name: hidden
spec:
  aliases: [hidden]
  endpoint: {{provider: first, model: gpt-4o}}
---
kind: Tenant
name: acme
spec: {{display_name: Acme, routes: [chat, alone]}}
---
kind: Tenant
name: other
spec: {{display_name: Other, routes: [hidden]}}
"#
    )
}
