//! Bodies: bounded reading, guarded streaming, and the outcome reported once.
