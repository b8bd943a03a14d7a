//! `ThrottlingPolicy` and `TenantLimits`. A bound of 0, which admission refuses, limits nothing.

use breakwater_proto::v1;

use crate::limit::{Limits, Share};

pub(super) fn of_route(policy: Option<v1::ThrottlingPolicy>) -> Limits {
    let policy = policy.unwrap_or_default();
    let calls = above_zero(policy.max_rps).map(|rps| Share::per_second(rps, policy.burst_limit));
    Limits { calls, ..Limits::default() }
}

pub(super) fn of_tenant(limits: Option<v1::TenantLimits>) -> Limits {
    let limits = limits.unwrap_or_default();
    Limits {
        calls: above_zero(limits.max_rps).map(|rps| Share::per_second(rps, None)),
        tokens: above_zero(limits.max_tokens_per_minute).map(Share::per_minute),
        concurrent: above_zero(limits.max_concurrent),
    }
}

fn above_zero(bound: Option<u32>) -> Option<u32> {
    bound.filter(|bound| *bound > 0)
}
