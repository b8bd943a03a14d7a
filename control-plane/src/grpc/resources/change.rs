//! Create, Update and Delete.

use std::sync::Arc;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::resource::Kind;
use breakwater_common::violation::Violation;
use breakwater_control_core::{Action, Change, ChangeKind, Command, Receipt, Refusal, ResourceWrite, State};
use breakwater_proto::v1::DeleteResourceResponse;
use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage};
use tonic::Status;

use super::super::message::{flag, nested, number, text};
use super::super::status::{from_admin, plain, refused};
use super::admission::{Draft, admit};
use super::read::not_found;
use super::repeated::Asked;
use super::view::Stamps;
use super::{Resources, mask, view};
use crate::admin::AdminError;

impl Resources {
    pub(super) async fn create(
        &self,
        kind: Kind,
        asked: &Asked,
        request: &DynamicMessage,
    ) -> Result<DynamicMessage, Status> {
        let state = self.admin.read(&asked.principal, Action::WriteResources).map_err(from_admin)?;
        let draft = draft_of(kind, request)?;
        if let Some(first) = asked.first_answer(&state) {
            return self.repeated(&draft, "", first);
        }
        // With a request id the state decides, so that its refusal is remembered like an answer.
        if !asked.is_repeatable() && state.resource(kind, &draft.name).is_some() {
            let message = format!("there is a {} named {:?} already", kind.as_str(), draft.name);
            return Err(plain(ErrorKind::AlreadyExists, &message));
        }
        self.write(state, draft, Some(0), asked).await
    }

    pub(super) async fn update(
        &self,
        kind: Kind,
        asked: &Asked,
        request: &DynamicMessage,
    ) -> Result<DynamicMessage, Status> {
        let state = self.admin.read(&asked.principal, Action::WriteResources).map_err(from_admin)?;
        let mut draft = draft_of(kind, request)?;
        let field_mask = text(request, "update_mask");
        if let Some(first) = asked.first_answer(&state) {
            return self.repeated(&draft, &field_mask, first);
        }
        let stored = state.resource(kind, &draft.name).cloned();
        let mut expected = number(request, "expected_revision");
        match stored {
            None if !flag(request, "allow_missing") => return Err(not_found(kind, &draft.name)),
            Some(stored) if !field_mask.is_empty() => {
                let before = view::hidden(kind, &stored.spec);
                draft.spec = mask::overlay(kind, &field_mask, &before, &draft.spec)
                    .map_err(|violations| refused(ErrorKind::InvalidArgument, &violations))?;
                // What was read is what is changed: another write in between is told, not overwritten.
                expected = expected.or(Some(stored.revision));
            }
            _ => {}
        }
        self.write(state, draft, expected, asked).await
    }

    pub(super) async fn delete(
        &self,
        kind: Kind,
        asked: &Asked,
        request: &DynamicMessage,
    ) -> Result<DeleteResourceResponse, Status> {
        let state = self.admin.read(&asked.principal, Action::WriteResources).map_err(from_admin)?;
        let name = text(request, "name");
        let receipt = match asked.first_answer(&state) {
            Some(first) => first.map_err(AdminError::Refused),
            None if !asked.is_repeatable() && state.resource(kind, &name).is_none() => {
                return Err(not_found(kind, &name));
            }
            None => {
                let expected_revision = number(request, "expected_revision");
                let write = ResourceWrite { kind, name, spec: None, expected_revision };
                let command = Command::ChangeResources { writes: vec![write], prune: false };
                self.submit(state, asked.ask(command)).await
            }
        };
        let receipt = receipt.map_err(single)?;
        Ok(DeleteResourceResponse {
            revision: receipt.revision,
            ledger_index: receipt.ledger_index.unwrap_or_default(),
        })
    }

    async fn write(
        &self,
        state: Arc<State>,
        draft: Draft,
        expected_revision: Option<u64>,
        asked: &Asked,
    ) -> Result<DynamicMessage, Status> {
        let sealed = admit(&self.sealer, &state, std::slice::from_ref(&draft))
            .map_err(|violations| refused(ErrorKind::InvalidArgument, &violations))?;
        let spec = sealed.into_iter().next().unwrap_or_default();
        let write = ResourceWrite {
            kind: draft.kind,
            name: draft.name.clone(),
            spec: Some(spec.clone()),
            expected_revision,
        };
        let command = Command::ChangeResources { writes: vec![write], prune: false };
        let receipt = self.submit(state, asked.ask(command)).await.map_err(single)?;
        self.written(&draft, &spec, &receipt, asked.validate_only)
    }

    /// Shows the first answer to a request that comes again. If the resource changed since, that is the resource as this
    /// request wrote it; of a masked update, whose other fields nobody keeps, those that it wrote.
    fn repeated(
        &self,
        draft: &Draft,
        field_mask: &str,
        first: Result<Receipt, Refusal>,
    ) -> Result<DynamicMessage, Status> {
        let receipt = first.map_err(|refusal| single(AdminError::Refused(refusal)))?;
        let spec = match field_mask {
            "" => draft.spec.clone(),
            mask => mask::overlay(draft.kind, mask, &[], &draft.spec)
                .map_err(|violations| refused(ErrorKind::InvalidArgument, &violations))?,
        };
        self.written(draft, &spec, &receipt, false)
    }

    /// Shows what the write left. If the resource changed again since, the answer is still that of this write.
    fn written(
        &self,
        draft: &Draft,
        spec: &[u8],
        receipt: &Receipt,
        validate_only: bool,
    ) -> Result<DynamicMessage, Status> {
        let state = self.admin.state();
        let now = state.resource(draft.kind, &draft.name);
        let unchanged = matches!(receipt.changes.as_slice(), [Change { change: ChangeKind::Unchanged, .. }]);
        match now {
            Some(now) if !validate_only && (unchanged || now.revision == receipt.revision) => {
                view::committed(now)
            }
            _ => {
                let revision =
                    if validate_only { now.map_or(0, |now| now.revision) } else { receipt.revision };
                view::message(draft.kind, &draft.name, spec, Stamps { revision, ..Stamps::default() })
            }
        }
    }
}

fn draft_of(kind: Kind, request: &DynamicMessage) -> Result<Draft, Status> {
    let field = request
        .descriptor()
        .fields()
        .find(|field| field.kind().as_message().is_some_and(|message| message.name() == kind.as_str()));
    let name = field.map(|field| field.name().to_owned()).unwrap_or_default();
    let violation = |path: &str, message: String| {
        Err(refused(ErrorKind::InvalidArgument, &[Violation::at(path, message)]))
    };
    let Some(resource) = nested(request, &name) else { return violation(&name, "is required".to_owned()) };
    let said = text(&resource, "kind");
    if !said.is_empty() && said != kind.as_str() {
        return violation(
            "kind",
            format!("is {said:?} in the body, but this method is for {:?}", kind.as_str()),
        );
    }
    let spec = nested(&resource, "spec").map(|spec| spec.encode_to_vec()).unwrap_or_default();
    Ok(Draft { kind, name: text(&resource, "name"), spec, document: None })
}

/// A write of one resource: which of the writes was meant is no question.
fn single(error: AdminError) -> Status {
    from_admin(match error {
        AdminError::Refused(mut refusal) => {
            for violation in &mut refusal.violations {
                violation.document = None;
            }
            AdminError::Refused(refusal)
        }
        other => other,
    })
}
