//! The resource language: manifests in YAML and JSON, in and out, checked by the options in the proto files.
//!
//! One reader turns text into a small tree of nodes with line marks ([`parse_yaml`], [`message_from_json`]), and walks the
//! tree against a protobuf descriptor. One checker walks the message by the `rule` and `shape` options ([`check_spec`],
//! [`check_message`]). One printer goes the other way ([`message_to_json`], [`json_to_yaml`]). REST, gRPC and the command
//! line share all three, so a rule stands once, in the proto file, beside its documentation.
//!
//! Every reader collects all violations, not the first, up to [`VIOLATIONS_MAX`](crate::limits::VIOLATIONS_MAX).
//!
//! What it does not do: rules that need more than one resource (dangling references, aliases used twice, chains): those
//! are in [`resource`](crate::resource). It opens no files and knows no environment: whoever has variables passes a
//! lookup to [`expand_variables`].

mod check;
mod check_text;
mod document;
mod json;
mod lines;
mod node;
mod path;
mod print_json;
mod print_yaml;
mod read;
mod read_scalar;
mod report;
mod rules;
mod scalar;
mod timestamp;
mod variables;
mod walk;
mod yaml;

use breakwater_proto::DESCRIPTORS;
use prost_reflect::MessageDescriptor;

pub use check::{check_message, check_spec};
pub use document::{Document, parse_yaml};
pub use json::json_from_slice;
pub use lines::Lines;
pub use print_json::{message_to_json, resource_to_json};
pub use print_yaml::json_to_yaml;
pub use read::message_from_json;
pub use variables::expand_variables;
pub use walk::{map_secrets, not_yet_enforced, references};

use crate::resource::Kind;

/// Returns the descriptor of the message that holds a kind's spec: `breakwater.v1.ProviderSpec`.
#[must_use]
pub fn spec_descriptor(kind: Kind) -> MessageDescriptor {
    descriptor(&format!("breakwater.v1.{}Spec", kind.as_str()))
}

/// Returns the descriptor of the message that holds a kind's resource: `breakwater.v1.Provider`.
#[must_use]
pub fn resource_descriptor(kind: Kind) -> MessageDescriptor {
    descriptor(&format!("breakwater.v1.{}", kind.as_str()))
}

fn descriptor(full_name: &str) -> MessageDescriptor {
    DESCRIPTORS
        .get_message_by_name(full_name)
        .unwrap_or_else(|| unreachable!("each kind has its messages in the proto files, also {full_name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_messages() {
        for kind in Kind::ALL {
            let spec = resource_descriptor(kind).get_field_by_name("spec").unwrap();
            assert_eq!(spec.kind().as_message().unwrap(), &spec_descriptor(kind));
        }
    }
}
