//! Small readers and writers of messages by field name.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::manifest::check_message;
use breakwater_common::time::UnixMillis;
use breakwater_proto::DESCRIPTORS;
use prost::Message;
use prost_reflect::{DynamicMessage, Value};
use prost_types::Timestamp;
use tonic::{Request, Status};

use super::status::{plain, refused};
use crate::caller::Caller;

/// Returns the caller that the port proved; refuses a request that came around it.
pub(super) fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or_else(|| plain(ErrorKind::Unauthenticated, "no token was proven for this request"))
}

/// Checks a request message by the rules of its fields.
pub(super) fn checked(name: &str, message: &impl Message) -> Result<(), Status> {
    let Some(descriptor) = DESCRIPTORS.get_message_by_name(&format!("breakwater.v1.{name}")) else {
        return Err(Status::internal("a message has no descriptor"));
    };
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic
        .merge(message.encode_to_vec().as_slice())
        .map_err(|_| Status::internal("a message does not decode by its descriptor"))?;
    match check_message(&dynamic) {
        violations if violations.is_empty() => Ok(()),
        violations => Err(refused(ErrorKind::InvalidArgument, &violations)),
    }
}

/// Returns a time of the API.
pub(crate) fn timestamp(time: UnixMillis) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(time.0 / 1_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(time.0 % 1_000 * 1_000_000).unwrap_or(0),
    }
}

/// Returns a time of the domain; what is before 1970 is 1970.
pub(crate) fn unix_millis(time: &Timestamp) -> UnixMillis {
    let seconds = u64::try_from(time.seconds).unwrap_or(0);
    let millis = u64::try_from(time.nanos / 1_000_000).unwrap_or(0);
    UnixMillis(seconds.saturating_mul(1_000).saturating_add(millis))
}

/// Returns a text field; empty if it is not set or not there.
pub(super) fn text(message: &DynamicMessage, field: &str) -> String {
    let value = message.get_field_by_name(field);
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Returns a truth field; false if it is not set or not there.
pub(super) fn flag(message: &DynamicMessage, field: &str) -> bool {
    message.get_field_by_name(field).and_then(|value| value.as_bool()).unwrap_or(false)
}

/// Returns a number field, if it is set.
pub(super) fn number(message: &DynamicMessage, field: &str) -> Option<u64> {
    if !message.has_field_by_name(field) {
        return None;
    }
    let value = message.get_field_by_name(field)?;
    value.as_u64().or_else(|| value.as_u32().map(u64::from))
}

/// Returns a message field, if it is set.
pub(super) fn nested(message: &DynamicMessage, field: &str) -> Option<DynamicMessage> {
    if !message.has_field_by_name(field) {
        return None;
    }
    message.get_field_by_name(field).and_then(|value| value.as_message().cloned())
}

/// Sets a field that the descriptor has. A name that it has not is a mistake here, and says so.
pub(super) fn set(message: &mut DynamicMessage, field: &str, value: Value) -> Result<(), Status> {
    message.try_set_field_by_name(field, value).map_err(|_| Status::internal(format!("no field {field}")))
}

/// Returns the path of a field, by number, that the descriptor does not have, if there is one. What would be dropped in
/// silence is refused, over gRPC as over JSON.
pub(super) fn unknown_field(message: &DynamicMessage, path: &str) -> Option<String> {
    if let Some(unknown) = message.unknown_fields().next() {
        return Some(format!("{path}#{}", unknown.number()));
    }
    message.fields().find_map(|(field, value)| {
        let path = format!("{path}{}", field.name());
        match value {
            Value::Message(inner) => unknown_field(inner, &format!("{path}.")),
            Value::List(list) => list
                .iter()
                .enumerate()
                .find_map(|(index, value)| unknown_field(value.as_message()?, &format!("{path}[{index}]."))),
            _ => None,
        }
    })
}
