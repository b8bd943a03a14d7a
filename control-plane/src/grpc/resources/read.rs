//! Get and List.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::resource::Kind;
use breakwater_control_core::Action;
use prost_reflect::{DynamicMessage, MessageDescriptor, Value};
use tonic::Status;

use super::super::message::{number, set, text};
use super::super::status::{from_admin, plain, refused};
use super::{Resources, view};
use crate::caller::Caller;

impl Resources {
    pub(super) fn get(
        &self,
        kind: Kind,
        caller: &Caller,
        request: &DynamicMessage,
    ) -> Result<DynamicMessage, Status> {
        let state = self.admin.read(&caller.principal, Action::ReadResources).map_err(from_admin)?;
        let name = text(request, "name");
        let resource = state.resource(kind, &name).ok_or_else(|| not_found(kind, &name))?;
        view::committed(resource)
    }

    pub(super) fn list(
        &self,
        kind: Kind,
        output: &MessageDescriptor,
        caller: &Caller,
        request: &DynamicMessage,
    ) -> Result<DynamicMessage, Status> {
        let state = self.admin.read(&caller.principal, Action::ReadResources).map_err(from_admin)?;
        let size = u32::try_from(number(request, "page_size").unwrap_or(0)).unwrap_or(u32::MAX);
        let page = state
            .page(kind, size, &text(request, "page_token"))
            .map_err(|violation| refused(ErrorKind::InvalidArgument, &[violation]))?;
        let resources = page.resources.iter().map(|resource| view::committed(resource).map(Value::Message));
        let resources = resources.collect::<Result<Vec<_>, _>>()?;
        let mut answer = DynamicMessage::new(output.clone());
        let field = output.fields().find(|field| field.is_list()).map(|field| field.name().to_owned());
        set(&mut answer, &field.unwrap_or_default(), Value::List(resources))?;
        set(&mut answer, "next_page_token", Value::String(page.next_page_token))?;
        Ok(answer)
    }
}

/// Says that there is nothing of a name.
pub(super) fn not_found(kind: Kind, name: &str) -> Status {
    let name: String = name.chars().take(128).collect();
    plain(ErrorKind::NotFound, &format!("there is no {} named {name:?}", kind.as_str()))
}
