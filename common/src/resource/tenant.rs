//! Who calls.

use super::Allowed;
use crate::limit::Limits;

/// Who calls, and what they may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tenant {
    /// For people.
    pub display_name: String,
    /// Names of routes that the tenant may call; empty means none.
    pub routes: Vec<String>,
    /// Who may see the tenant's prompts.
    pub allowed: Allowed,
    /// Most calls and tokens over the fleet.
    pub limits: Limits,
}
