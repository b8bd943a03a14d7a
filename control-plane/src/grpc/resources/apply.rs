//! Apply: many resources, all or none.

use std::collections::BTreeMap;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::limits::MANIFEST_DOCUMENTS_MAX;
use breakwater_common::manifest::not_yet_enforced;
use breakwater_common::resource::Kind;
use breakwater_common::violation::Violation;
use breakwater_control_core::{Action, Command, ResourceWrite};
use breakwater_proto::v1::{ApplyResponse, ResourceChange};
use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use tonic::Status;

use super::super::message::{flag, nested, text};
use super::super::status::{from_admin, refused};
use super::Resources;
use super::admission::{Draft, admit};
use super::repeated::Asked;
use crate::admin::AdminError;

impl Resources {
    pub(super) async fn apply(
        &self,
        asked: &Asked,
        request: &DynamicMessage,
    ) -> Result<ApplyResponse, Status> {
        let state = self.admin.read(&asked.principal, Action::WriteResources).map_err(from_admin)?;
        let invalid = |violations: Vec<Violation>| refused(ErrorKind::InvalidArgument, &violations);
        let drafts = drafts_of(request).map_err(invalid)?;
        let receipt = match asked.first_answer(&state) {
            Some(first) => first.map_err(AdminError::Refused),
            None => {
                let sealed = admit(&self.sealer, &state, &drafts).map_err(invalid)?;
                let writes = drafts.iter().zip(sealed).map(|(draft, spec)| ResourceWrite {
                    kind: draft.kind,
                    name: draft.name.clone(),
                    spec: Some(spec),
                    expected_revision: None,
                });
                let (writes, prune) = (writes.collect(), flag(request, "prune"));
                self.submit(state, asked.ask(Command::ChangeResources { writes, prune })).await
            }
        };
        let receipt = receipt.map_err(from_admin)?;
        let specs: BTreeMap<(Kind, &str), &Vec<u8>> =
            drafts.iter().map(|draft| ((draft.kind, draft.name.as_str()), &draft.spec)).collect();
        let change_of = |change: &breakwater_control_core::Change| ResourceChange {
            kind: change.kind.as_str().to_owned(),
            name: change.name.clone(),
            change: change.change.as_str().to_owned(),
            not_yet_enforced: specs
                .get(&(change.kind, change.name.as_str()))
                .map(|spec| not_yet_enforced(change.kind, spec))
                .unwrap_or_default(),
        };
        Ok(ApplyResponse {
            revision: receipt.revision,
            ledger_index: receipt.ledger_index.unwrap_or_default(),
            changes: receipt.changes.iter().map(change_of).collect(),
        })
    }
}

fn drafts_of(request: &DynamicMessage) -> Result<Vec<Draft>, Vec<Violation>> {
    let manifests = request.get_field_by_name("manifests");
    let manifests = manifests.as_ref().and_then(|value| value.as_list()).unwrap_or_default();
    if manifests.is_empty() || manifests.len() > MANIFEST_DOCUMENTS_MAX {
        let message = format!("1 to {MANIFEST_DOCUMENTS_MAX} manifests are applied at once");
        return Err(vec![Violation::at("manifests", message)]);
    }
    let mut drafts: Vec<Draft> = Vec::with_capacity(manifests.len());
    let mut violations = Vec::new();
    let mut seen = BTreeMap::new();
    for (manifest, number) in manifests.iter().zip(1_u32..) {
        let Some(draft) = draft_of(manifest, number) else {
            let violation = Violation::at("", "exactly one kind of resource must be set");
            violations.push(Violation { document: Some(number), ..violation });
            continue;
        };
        if let Some(first) = seen.insert((draft.kind, draft.name.clone()), number) {
            violations.push(Violation {
                document: Some(number),
                resource: format!("{}/{}", draft.kind.as_str(), draft.name),
                ..Violation::at("name", format!("is given twice: document {first} has it too"))
            });
        }
        drafts.push(draft);
    }
    if violations.is_empty() { Ok(drafts) } else { Err(violations) }
}

fn draft_of(manifest: &Value, number: u32) -> Option<Draft> {
    let manifest = manifest.as_message()?;
    let (_, value) = manifest.fields().next()?;
    let resource = value.as_message()?;
    let kind = Kind::parse(resource.descriptor().name())?;
    let spec = nested(resource, "spec").map(|spec| spec.encode_to_vec()).unwrap_or_default();
    Some(Draft { kind, name: text(resource, "name"), spec, document: Some(number) })
}
