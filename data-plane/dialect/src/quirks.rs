//! What vendors that speak OpenAI's format do otherwise, as data.

use crate::ir::ToolIdShape;

/// What a vendor does otherwise than openai-openapi 2.3.0 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// The vendor, for traces and tests.
    pub vendor: &'static str,
    /// How names of tool calls must look.
    pub tool_ids: ToolIdShape,
}

/// A vendor that does all as the format says.
pub const PLAIN: Quirks = Quirks { vendor: "openai", tool_ids: ToolIdShape::OpenAi };

/// Returns the row of a provider, by its type and the host of its address.
#[must_use]
pub fn of_host(_provider: breakwater_common::resource::ProviderType, _host: &str) -> &'static Quirks {
    &PLAIN
}
