//! The operators' port: probes and metrics for everybody who reaches it, and nothing else.

use crate::kit::{Caller, KEY, Rig, Upstream, two_providers};

#[tokio::test]
async fn the_operators_port_answers_probes_and_metrics_and_takes_no_call() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let rig = Rig::start_with(&two_providers(&first, &second), |config| {
        config.ops.listen = Some("127.0.0.1:0".parse().unwrap());
    })
    .await;
    let operator = Caller::new(rig.app.ops_addr().unwrap(), KEY);
    for path in ["/healthz", "/readyz", "/api/health/ping", "/metrics"] {
        assert_eq!(operator.get(path).await.status, 200, "{path}");
    }
    assert_eq!(operator.chat("chat").await.error().0, 404);
    assert_eq!(operator.get("/v1/models").await.status, 404);
    assert_eq!(rig.caller.chat("chat").await.status, 200);
}
