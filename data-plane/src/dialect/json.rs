//! Places in JSON text.
