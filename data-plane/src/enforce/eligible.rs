//! Whether a candidate may be asked, by the same room that admission asked: what was true when the route was applied need not
//! be true of this call. Callers never learn of it; `why` does.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use breakwater_common::resource::eligible::Needs;
use breakwater_common::resource::{ProviderType, Tenant};
use breakwater_common::ruleset::{Candidate, CompiledRoute};
use breakwater_dialect::needs;
use breakwater_dialect::pass::ClientRequest;

use crate::call::Call;
use crate::tokens;

/// Judges the candidates of one call.
pub(super) struct Eligibility {
    route: Arc<CompiledRoute>,
    tenant: Arc<Tenant>,
    request: Arc<ClientRequest>,
    /// Found out when the first fallback is considered that it could matter to.
    needs: OnceCell<Needs>,
}

impl Eligibility {
    /// Starts with a call.
    pub(super) fn of(call: &Call) -> Self {
        Self {
            route: Arc::clone(&call.route),
            tenant: Arc::clone(&call.tenant),
            request: Arc::clone(&call.request),
            needs: OnceCell::new(),
        }
    }

    /// Returns why a candidate is not even asked, for `why`; none: it may be asked. Of several reasons the first, so that
    /// metrics have as many labels as there are reasons.
    pub(super) fn against(&self, candidate: &Candidate) -> Option<Cow<'static, str>> {
        let provider = &candidate.upstream.provider;
        if candidate.disabled {
            return Some(Cow::Borrowed("disabled"));
        }
        if provider.credentials.is_empty() && provider.provider_type != ProviderType::Ollama {
            return Some(Cow::Borrowed("no_credential"));
        }
        let place = candidate.place();
        let mut reasons = place.standing(&self.route.terms(&self.tenant.allowed));
        if reasons.is_empty() && place.depends_on_needs() {
            reasons = place.unfit(self.needs());
        }
        reasons.first().map(|reason| reason.word())
    }

    fn needs(&self) -> &Needs {
        self.needs.get_or_init(|| {
            let Needs { capabilities, tokens: answer } = needs::of(&self.request);
            Needs { capabilities, tokens: tokens::of_request(&self.request).saturating_add(answer) }
        })
    }
}
