//! One model at one provider.

/// What a route sends traffic to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Name of the provider.
    pub provider: String,
    /// The model as the vendor names it.
    pub model: String,
}
