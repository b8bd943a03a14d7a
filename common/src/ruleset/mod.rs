//! Rulesets.
