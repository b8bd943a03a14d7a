//! What goes up: the health report, and the answers to questions about calls. Counts, names and times; never any text of a
//! call.

use breakwater_common::breaker::{Force, State};
use breakwater_common::limits::COOLING_IN_REPORT_MAX;
use breakwater_common::time::UnixMillis;
use breakwater_proto::v1::{
    AttemptExplanation, BreakerTransition, CallExplanation, CredentialReport, DeploymentReport, GuardFinding,
    HealthReport, UpstreamReport,
};
use prost_types::Timestamp;

use super::{Handles, Identity};
use crate::breakers::{CellStanding, Cooling, NamedTransition, Standing};
use crate::trace::{AttemptNote, Facts, FindingNote};

/// Makes a report. Returns the number of the transition to begin with next time.
pub(super) fn report(handles: &Handles, identity: &Identity, from: u64) -> (HealthReport, u64) {
    let (calls, failed_calls) = handles.book.totals();
    let (transitions, next) = handles.breakers.transitions(from);
    let report = HealthReport {
        proxy_id: identity.proxy_id.clone(),
        boot_id: identity.boot_id.clone(),
        time: Some(timestamp(handles.clock.wall())),
        revision: handles.cell.revision(),
        calls,
        failed_calls,
        dropped_outcomes: handles.metrics.dropped_outcomes(),
        upstreams: handles.breakers.standings().into_iter().map(upstream).collect(),
        transitions: transitions.into_iter().map(transition).collect(),
    };
    (report, next)
}

fn upstream(standing: Standing) -> UpstreamReport {
    // Catalogues have hundreds of models, of which nothing is to be said each second.
    let is_unwell = |cell: &CellStanding| cell.state != State::Closed || cell.consecutive_failures > 0;
    let unwell = standing.models.into_iter().filter(is_unwell);
    UpstreamReport {
        provider: standing.provider,
        state: standing.state.as_str().to_owned(),
        consecutive_failures: standing.consecutive_failures,
        last_failure: standing.counts.last_failure.map(timestamp),
        open_until: standing.open_until.map(timestamp),
        attempts: standing.counts.attempts,
        failures: standing.counts.failures,
        first_byte_ms_buckets: standing.counts.first_byte.to_vec(),
        force: standing.force.map(Force::as_str).unwrap_or_default().to_owned(),
        deployments: unwell.take(COOLING_IN_REPORT_MAX).map(deployment).collect(),
        credentials: standing.cooling.into_iter().take(COOLING_IN_REPORT_MAX).map(credential).collect(),
    }
}

fn deployment(standing: CellStanding) -> DeploymentReport {
    DeploymentReport {
        model: standing.model,
        state: standing.state.as_str().to_owned(),
        consecutive_failures: standing.consecutive_failures,
        last_failure: standing.counts.last_failure.map(timestamp),
        open_until: standing.open_until.map(timestamp),
        attempts: standing.counts.attempts,
        failures: standing.counts.failures,
    }
}

fn credential(cooling: Cooling) -> CredentialReport {
    CredentialReport {
        name: cooling.credential,
        model: cooling.model,
        reason: cooling.reason.to_owned(),
        until: Some(timestamp(cooling.until)),
    }
}

fn transition(named: NamedTransition) -> BreakerTransition {
    BreakerTransition {
        provider: named.provider,
        from: named.transition.from.as_str().to_owned(),
        to: named.transition.to.as_str().to_owned(),
        reason: named.transition.reason.as_str().to_owned(),
        time: Some(timestamp(named.time)),
        generation: named.transition.generation,
        model: named.model,
        evidence: named.transition.evidence.text(),
    }
}

/// Explains a call.
pub(super) fn explain(facts: &Facts, proxy: &str) -> CallExplanation {
    CallExplanation {
        request_id: facts.request_id.clone(),
        proxy: proxy.to_owned(),
        start_time: Some(timestamp(facts.start)),
        tenant: facts.tenant.clone(),
        alias: facts.alias.clone(),
        route: facts.route.clone(),
        revision: facts.revision,
        status: u32::from(facts.status),
        code: facts.code.clone(),
        duration_ms: millis(facts.duration_ms),
        first_byte_ms: facts.first_byte_ms.map(millis),
        ending: facts.ending.as_str().to_owned(),
        findings: facts.findings.iter().map(finding).collect(),
        attempts: facts.attempts.iter().map(attempt).collect(),
        rule: facts.rule,
        stream: facts.stream,
        prompt_tokens: facts.usage.map(|usage| usage.prompt()),
        cached_tokens: facts.usage.map(|usage| usage.cache_read).unwrap_or_default(),
        output_tokens: facts.usage.map(|usage| usage.output),
        reasoning_tokens: facts.usage.map(|usage| usage.reasoning).unwrap_or_default(),
        cost_microdollars: facts.cost_microdollars(),
        usage_estimated: facts.usage_estimated,
        limit: facts.limit.map(|(subject, limit)| format!("{subject} {limit}")).unwrap_or_default(),
    }
}

fn finding(note: &FindingNote) -> GuardFinding {
    GuardFinding {
        policy: note.finding.policy.to_string(),
        guardrail: note.finding.guardrail.to_string(),
        side: note.side.to_owned(),
        verdict: note.finding.action.as_str().to_owned(),
        category: note.finding.category.to_owned(),
        count: note.finding.count,
        enforced: note.finding.enforced,
    }
}

fn attempt(note: &AttemptNote) -> AttemptExplanation {
    AttemptExplanation {
        provider: note.provider.clone(),
        model: note.model.clone(),
        result: note.result.to_owned(),
        reason: note.reason.clone(),
        status: note.status.map(u32::from),
        duration_ms: millis(note.duration_ms),
    }
}

fn millis(millis: u64) -> u32 {
    u32::try_from(millis).unwrap_or(u32::MAX)
}

fn timestamp(time: UnixMillis) -> Timestamp {
    let nanos = i32::try_from(time.0 % 1_000 * 1_000_000).unwrap_or_default();
    Timestamp { seconds: i64::try_from(time.0 / 1_000).unwrap_or(i64::MAX), nanos }
}
