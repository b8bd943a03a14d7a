//! Requests that come again. What a request means may hang on the state (a field mask, a kept secret, whether there is such a
//! resource), and the state has moved on since: so a repeated request is known by what was asked, before anything is made of
//! it, and gets its first answer.

use breakwater_control_core::{Command, Principal, Receipt, Refusal, State};
use prost::Message;
use prost_reflect::{DynamicMessage, MethodDescriptor};

use super::super::message::{flag, text};
use super::Resources;
use crate::admin::Ask;
use crate::caller::Caller;

/// Who asks, and what a repeated request is known by.
pub(super) struct Asked {
    pub(super) principal: Principal,
    pub(super) validate_only: bool,
    request_id: String,
    digest: [u8; 32],
}

impl Asked {
    /// Asks for a command that was made of the request.
    pub(super) fn ask(&self, command: Command) -> Ask {
        Ask {
            principal: self.principal.clone(),
            request_id: self.request_id.clone(),
            request_digest: Some(self.digest),
            validate_only: self.validate_only,
            command,
        }
    }

    /// Whether it has a request id.
    pub(super) fn is_repeatable(&self) -> bool {
        !self.request_id.is_empty()
    }

    /// Returns the first answer, if the request was answered before. A check is never answered from memory.
    pub(super) fn first_answer(&self, state: &State) -> Option<Result<Receipt, Refusal>> {
        if self.validate_only {
            return None;
        }
        state.first_answer(&self.principal.id, &self.request_id, &self.digest).cloned()
    }
}

impl Resources {
    /// Takes down what is asked. The right is not decided here.
    pub(super) fn asked(
        &self,
        method: &MethodDescriptor,
        caller: &Caller,
        request: &DynamicMessage,
    ) -> Asked {
        let mut plain = request.clone();
        plain.clear_field_by_name("request_id");
        Asked {
            principal: caller.principal.clone(),
            validate_only: flag(request, "validate_only"),
            request_id: text(request, "request_id"),
            digest: self.sealer.digest_of_request(method.full_name(), &plain.encode_to_vec()),
        }
    }
}
