//! Who calls.

/// Who calls, and what they may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// For people.
    pub display_name: String,
    /// Names of routes that the tenant may call; empty means none.
    pub routes: Vec<String>,
}
