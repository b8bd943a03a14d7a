//! Who calls.

use super::Allowed;

/// Who calls, and what they may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tenant {
    /// For people.
    pub display_name: String,
    /// Names of routes that the tenant may call; empty means none.
    pub routes: Vec<String>,
    /// Who may see the tenant's prompts.
    pub allowed: Allowed,
}
