//! The read side: pages of resources by name.
