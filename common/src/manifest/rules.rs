//! Reads the `rule` and `shape` options of the proto files, once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use breakwater_proto::DESCRIPTORS;
use breakwater_proto::v1::{FieldRule, MessageRule};
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor};

/// Options of all fields and messages that have any, by full name.
struct Rules {
    fields: BTreeMap<String, FieldRule>,
    shapes: BTreeMap<String, MessageRule>,
}

/// Decoding options anew at each look would cost more than everything else here; the descriptors never change.
static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let mut rules = Rules { fields: BTreeMap::new(), shapes: BTreeMap::new() };
    for message in DESCRIPTORS.all_messages() {
        if let Some(shape) = extension(&message.options(), "breakwater.v1.shape") {
            rules.shapes.insert(message.full_name().to_owned(), shape);
        }
        for field in message.fields() {
            if let Some(rule) = extension(&field.options(), "breakwater.v1.rule") {
                rules.fields.insert(field.full_name().to_owned(), rule);
            }
        }
    }
    rules
});

static FREE_FIELD: LazyLock<FieldRule> = LazyLock::new(FieldRule::default);
static FREE_SHAPE: LazyLock<MessageRule> = LazyLock::new(MessageRule::default);

/// Returns the rule of a field; one without demands if it has none.
pub(super) fn rule(field: &FieldDescriptor) -> &'static FieldRule {
    RULES.fields.get(field.full_name()).unwrap_or(&FREE_FIELD)
}

/// Returns the rule of a message; one without demands if it has none.
pub(super) fn shape(message: &MessageDescriptor) -> &'static MessageRule {
    RULES.shapes.get(message.full_name()).unwrap_or(&FREE_SHAPE)
}

fn extension<T: Message + Default>(options: &DynamicMessage, name: &str) -> Option<T> {
    let descriptor = DESCRIPTORS.get_extension_by_name(name)?;
    if !options.has_extension(&descriptor) {
        return None;
    }
    let value = options.get_extension(&descriptor);
    // The typed and the dynamic form come from the same proto file, so this only fails if the build is broken; the
    // tests below would see it.
    value.as_message()?.transcode_to().ok()
}

/// The well-known messages that have a form of their own in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WellKnown {
    /// `google.protobuf.Timestamp`: RFC 3339 text.
    Timestamp,
    /// `google.protobuf.Value`: a text, a number, a boolean or a list of them.
    Value,
}

impl WellKnown {
    /// Returns which one the message is.
    pub(super) fn of(message: &MessageDescriptor) -> Option<Self> {
        match message.full_name() {
            "google.protobuf.Timestamp" => Some(Self::Timestamp),
            "google.protobuf.Value" => Some(Self::Value),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use breakwater_proto::v1::Unit;

    use super::*;
    use crate::manifest::spec_descriptor;
    use crate::resource::Kind;

    #[test]
    fn options_of_the_proto_files_are_read() {
        let provider = spec_descriptor(Kind::Provider);
        assert!(shape(&provider).omit_defaults);
        let base_url = rule(&provider.get_field_by_name("base_url").unwrap());
        assert!(base_url.required && base_url.url && base_url.max_len == Some(2048));
        assert_eq!(rule(&provider.get_field_by_name("disabled").unwrap()), &FieldRule::default());
        let breaker = DESCRIPTORS.get_message_by_name("breakwater.v1.CircuitBreaker").unwrap();
        let open_ttl = rule(&breaker.get_field_by_name("open_ttl").unwrap());
        assert_eq!((open_ttl.unit(), open_ttl.min), (Unit::Duration, Some(100.0)));
    }

    #[test]
    fn every_extended_field_was_decoded() {
        let count = DESCRIPTORS
            .all_messages()
            .flat_map(|message| message.fields().collect::<Vec<_>>())
            .filter(|field| field.options().extensions().next().is_some())
            .count();
        assert!(count > 100);
        assert_eq!(RULES.fields.len(), count);
    }
}
