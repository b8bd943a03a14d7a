//! Resources as messages of the API: secrets show "(sealed)", and what nothing acts on yet is named.

use std::convert::Infallible;

use breakwater_common::manifest::{map_secrets, not_yet_enforced, resource_descriptor, spec_descriptor};
use breakwater_common::resource::{Kind, SEALED_PLACEHOLDER};
use breakwater_common::time::UnixMillis;
use breakwater_control_core::Resource;
use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use tonic::Status;

use super::super::message::{set, timestamp};

/// What a view shows beside the spec.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stamps {
    pub(super) revision: u64,
    pub(super) create: Option<UnixMillis>,
    pub(super) update: Option<UnixMillis>,
}

/// Shows a resource as committed.
pub(super) fn committed(resource: &Resource) -> Result<DynamicMessage, Status> {
    let stamps =
        Stamps { revision: resource.revision, create: Some(resource.create), update: Some(resource.update) };
    message(resource.kind, &resource.name, &resource.spec, stamps)
}

/// Shows a spec under its name.
pub(super) fn message(kind: Kind, name: &str, spec: &[u8], stamps: Stamps) -> Result<DynamicMessage, Status> {
    let spec_message = DynamicMessage::decode(spec_descriptor(kind), hidden(kind, spec).as_slice())
        .map_err(|_| Status::internal("a stored spec does not decode"))?;
    let fields = not_yet_enforced(kind, spec).into_iter().map(Value::String).collect();
    let mut message = DynamicMessage::new(resource_descriptor(kind));
    set(&mut message, "kind", Value::String(kind.as_str().to_owned()))?;
    set(&mut message, "name", Value::String(name.to_owned()))?;
    set(&mut message, "spec", Value::Message(spec_message))?;
    set(&mut message, "revision", Value::U64(stamps.revision))?;
    set(&mut message, "not_yet_enforced", Value::List(fields))?;
    for (field, time) in [("create_time", stamps.create), ("update_time", stamps.update)] {
        if let Some(time) = time {
            let value = time_value(&message, field, time)?;
            set(&mut message, field, value)?;
        }
    }
    Ok(message)
}

/// Returns a spec with each secret replaced by "(sealed)".
pub(super) fn hidden(kind: Kind, spec: &[u8]) -> Vec<u8> {
    let hide = &mut |_: &str, _: &str| Ok::<_, Infallible>(SEALED_PLACEHOLDER.to_owned());
    match map_secrets(kind, spec, hide) {
        Ok(spec) => spec,
        Err(never) => match never {},
    }
}

fn time_value(message: &DynamicMessage, field: &str, time: UnixMillis) -> Result<Value, Status> {
    let descriptor =
        message.descriptor().get_field_by_name(field).and_then(|field| field.kind().as_message().cloned());
    let Some(descriptor) = descriptor else { return Err(Status::internal("no time field")) };
    let plain = timestamp(time);
    let mut value = DynamicMessage::new(descriptor);
    set(&mut value, "seconds", Value::I64(plain.seconds))?;
    set(&mut value, "nanos", Value::I32(plain.nanos))?;
    Ok(Value::Message(value))
}
