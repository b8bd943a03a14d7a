//! The ledger: what was changed and done, by whom, in a form that cannot be changed afterwards without being found out.
//!
//! Each [`Record`] is one leaf: JSON in RFC 8785 form, hashed as it stands and never written anew. The leaves are those of
//! an RFC 6962 tree, whose root is signed in checkpoints, so that one record can be proven in a few hashes. Each leaf also
//! holds the hash of the leaf before it, so that with `sha256sum` alone the whole is a chain. One truth, two ways to ask:
//! [`verify_chain`] checks every link of the chain **and** the tree.
//!
//! What is not here: storage, and the key's keeping. Whoever rewrites the whole ledger from some record on and also holds
//! the signing key is found only by those who kept an older checkpoint: keep one elsewhere.

mod checkpoint;
mod head;
mod proof;
mod record;
mod tree;
mod verify;

pub use checkpoint::{Checkpoint, CheckpointError, VerifierKey, sign_text};
pub use head::Head;
pub use proof::{inclusion_proof, verify_inclusion};
pub use record::{Actor, Outcome, Record, RecordError, VERSION};
pub use tree::{Hash, empty_root, hex, leaf_hash, node_hash, unhex};
pub use verify::{Tampering, Verifier, What, verify_against, verify_chain};
