//! The two streams of a proxy. Role "proxy" alone: provider secrets are open in the first.

use std::sync::Arc;

use breakwater_common::limits::{
    ACTS_MAX, COOLING_IN_REPORT_MAX, REPORT_TEXT_BYTES_MAX, SESSION_QUEUE_MAX, UPSTREAMS_IN_REPORT_MAX,
};
use breakwater_control_core::bounds::check_act;
use breakwater_control_core::{Act, Action};
use breakwater_proto::v1::proxy_service_server::ProxyService;
use breakwater_proto::v1::report_health_request::Message as Inbound;
use breakwater_proto::v1::report_health_response::Message as Outbound;
use breakwater_proto::v1::{
    BreakerTransition, CallExplanation, CredentialReport, DeploymentReport, ExplainQuestion, HealthReport,
    ReportHealthRequest, ReportHealthResponse, UpstreamReport, WatchRulesetsRequest, WatchRulesetsResponse,
};
use breakwater_runtime::{CancellationToken, Tasks};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::message::{caller, unix_millis};
use super::status::from_admin;
use crate::admin::Admin;
use crate::fleet::{
    ActsSink, BreakerState, Credential, Deployment, Explainer, Questions, Registry, Report, Upstream,
};
use crate::publish::Publisher;

/// What the ledger calls a breaker that changed.
const BREAKER_TRANSITION: &str = "breaker.transition";

#[derive(Debug, Clone)]
pub(super) struct Proxies {
    pub(super) admin: Admin,
    pub(super) publisher: Publisher,
    pub(super) registry: Arc<Registry>,
    pub(super) explainer: Explainer<CallExplanation>,
    pub(super) acts: ActsSink<Act>,
    pub(super) tasks: Tasks,
}

#[tonic::async_trait]
impl ProxyService for Proxies {
    type WatchRulesetsStream = ReceiverStream<Result<WatchRulesetsResponse, Status>>;
    type ReportHealthStream = ReceiverStream<Result<ReportHealthResponse, Status>>;

    async fn watch_rulesets(
        &self,
        request: Request<Streaming<WatchRulesetsRequest>>,
    ) -> Result<Response<Self::WatchRulesetsStream>, Status> {
        let caller = caller(&request)?;
        self.admin.allow(&caller.principal, Action::ServeProxy).map_err(from_admin)?;
        let (sender, receiver) = mpsc::channel(SESSION_QUEUE_MAX);
        let session = self.publisher.session(caller.principal.id, sender);
        self.tasks.spawn_contained("ruleset session", session.run(request.into_inner()));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn report_health(
        &self,
        request: Request<Streaming<ReportHealthRequest>>,
    ) -> Result<Response<Self::ReportHealthStream>, Status> {
        let caller = caller(&request)?;
        self.admin.allow(&caller.principal, Action::ServeProxy).map_err(from_admin)?;
        let (sender, receiver) = mpsc::channel(SESSION_QUEUE_MAX);
        let (this, questions) = (self.clone(), self.explainer.join());
        let stream = request.into_inner();
        let (token, end) = (caller.principal.id, self.tasks.token());
        self.tasks.spawn_contained("report stream", async move {
            this.reports(stream, questions, &sender, &token, end).await;
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

impl Proxies {
    /// Takes reports and answers in, and questions out, until the proxy leaves, its token ends, or the server drains.
    async fn reports(
        &self,
        mut stream: Streaming<ReportHealthRequest>,
        mut questions: Questions<CallExplanation>,
        sender: &mpsc::Sender<Result<ReportHealthResponse, Status>>,
        token: &str,
        end: CancellationToken,
    ) {
        loop {
            // Every arm is cancel-safe.
            let heard = tokio::select! {
                () = end.cancelled() => return,
                heard = stream.next() => heard,
                asked = questions.next() => {
                    let Some((question_id, request_id)) = asked else { return };
                    let question = Outbound::Explain(ExplainQuestion { question_id, request_id });
                    // A proxy that takes no questions is not asked; whoever asked has a deadline.
                    if sender.try_send(Ok(ReportHealthResponse { message: Some(question) })).is_err() && sender.is_closed() {
                        return;
                    }
                    continue;
                }
            };
            if self.admin.state().token(token).is_none_or(|token| token.revoked) {
                drop(sender.try_send(Err(Status::unauthenticated("the token was revoked"))));
                return;
            }
            match heard {
                Some(Ok(request)) => self.hear(request),
                Some(Err(_)) | None => return,
            }
        }
    }

    fn hear(&self, request: ReportHealthRequest) {
        match request.message {
            Some(Inbound::Report(report)) => {
                // Those of models would make a record for every one of a provider's models in one outage.
                let own = report.transitions.iter().filter(|transition| transition.model.is_empty());
                for transition in own.take(ACTS_MAX) {
                    self.put(act_of(&report, transition));
                }
                self.registry.record(report_of(report));
            }
            Some(Inbound::Answer(answer)) => self.explainer.answer(answer.question_id, answer.explanation),
            None => {}
        }
    }

    /// Puts a sound act to the others; drops and counts one that would have its whole batch refused.
    fn put(&self, act: Act) {
        match check_act(&act).first() {
            None => self.acts.put(act),
            Some(violation) => {
                tracing::warn!(proxy = cut(&act.proxy), %violation, "an act of a proxy is malformed and dropped");
                self.acts.drop_one();
            }
        }
    }
}

fn report_of(report: HealthReport) -> Report {
    if report.upstreams.len() > UPSTREAMS_IN_REPORT_MAX {
        tracing::warn!(proxy = cut(&report.proxy_id), upstreams = report.upstreams.len(), "report is cut");
    }
    Report {
        proxy: cut(&report.proxy_id),
        boot_id: cut(&report.boot_id),
        revision: report.revision,
        calls: report.calls,
        failed_calls: report.failed_calls,
        upstreams: report.upstreams.iter().take(UPSTREAMS_IN_REPORT_MAX).map(upstream_of).collect(),
    }
}

fn upstream_of(upstream: &UpstreamReport) -> Upstream {
    Upstream {
        provider: cut(&upstream.provider),
        // A word that this release does not know is the careful one.
        state: BreakerState::parse(&upstream.state).unwrap_or(BreakerState::Open),
        failures: upstream.consecutive_failures,
        last_failure: upstream.last_failure.as_ref().map(unix_millis),
        open_until: upstream.open_until.as_ref().map(unix_millis),
        force: cut(&upstream.force),
        deployments: upstream.deployments.iter().take(COOLING_IN_REPORT_MAX).map(deployment_of).collect(),
        credentials: upstream.credentials.iter().take(COOLING_IN_REPORT_MAX).map(credential_of).collect(),
    }
}

fn deployment_of(deployment: &DeploymentReport) -> Deployment {
    Deployment {
        model: cut(&deployment.model),
        state: BreakerState::parse(&deployment.state).unwrap_or(BreakerState::Open),
        failures: deployment.consecutive_failures,
        last_failure: deployment.last_failure.as_ref().map(unix_millis),
        open_until: deployment.open_until.as_ref().map(unix_millis),
    }
}

fn credential_of(credential: &CredentialReport) -> Credential {
    Credential {
        name: cut(&credential.name),
        model: cut(&credential.model),
        reason: cut(&credential.reason),
        until: credential.until.as_ref().map(unix_millis),
    }
}

fn act_of(report: &HealthReport, transition: &BreakerTransition) -> Act {
    Act {
        proxy: cut(&report.proxy_id),
        boot_id: cut(&report.boot_id),
        action: BREAKER_TRANSITION.to_owned(),
        object: format!("Provider/{}", cut(&transition.provider)),
        from: cut(&transition.from),
        to: cut(&transition.to),
        reason: cut(&transition.reason),
        at: transition.time.as_ref().map(unix_millis).unwrap_or_default(),
        generation: transition.generation,
    }
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(REPORT_TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
