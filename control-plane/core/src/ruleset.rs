//! What a proxy needs of the state.
