//! Signed tree heads: C2SP `tlog-checkpoint` in a C2SP `signed-note` with Ed25519, which OpenSSL and Go's `note` verify.
//!
//! Sources: <https://c2sp.org/tlog-checkpoint>, <https://c2sp.org/signed-note>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};

use super::tree::Hash;

/// Type of an Ed25519 key in key ids and verifier keys (C2SP signed-note).
const ALGORITHM_ED25519: u8 = 0x01;
/// Begins each signature line: an em dash and a space (C2SP signed-note).
const SIGNATURE_MARK: &str = "\u{2014} ";

/// A tree head: what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: `<cluster>/audit`. Also the name of its key.
    pub origin: String,
    /// Records in the tree.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash,
}

/// The public part of a log's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    /// Its name: the origin of the log.
    pub name: String,
    /// Ed25519 public key.
    pub public: [u8; 32],
}

/// A note that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is not a signed note, or its text is not a checkpoint.
    #[error("the checkpoint is not a C2SP signed note: {0}")]
    Malformed(&'static str),
    /// Nobody signed it with that key.
    #[error("the checkpoint is not signed by {name}: check that the key is the log's")]
    NotSigned {
        /// The key's name.
        name: String,
    },
    /// The signature is not that of this text.
    #[error("the signature by {name} does not hold: the checkpoint was changed")]
    Forged {
        /// The key's name.
        name: String,
    },
    /// The note is of another log.
    #[error("the checkpoint is of {found}, not of {expected}")]
    Origin {
        /// Its origin.
        found: String,
        /// The key's name.
        expected: String,
    },
    /// The text is not a verifier key.
    #[error("the public key is not in C2SP form (name+id+key): {0}")]
    Key(&'static str),
}

/// Returns the text of a checkpoint, which is what is signed: origin, size and root, each on a line.
#[must_use]
pub fn sign_text(origin: &str, size: u64, root: &Hash) -> String {
    format!("{origin}\n{size}\n{}\n", STANDARD.encode(root))
}

impl Checkpoint {
    /// Returns the text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        sign_text(&self.origin, self.size, &self.root)
    }

    /// Signs it: text, empty line, signature line. The key's name is the origin. Ed25519 needs no randomness, so that the
    /// same head always gives the same note.
    #[must_use]
    pub fn sign(&self, key: &Ed25519KeyPair) -> String {
        let text = self.text();
        let verifier = VerifierKey::of(&self.origin, key);
        let body = [verifier.id().as_slice(), key.sign(text.as_bytes()).as_ref()].concat();
        format!("{text}\n{SIGNATURE_MARK}{} {}\n", self.origin, STANDARD.encode(body))
    }

    /// Reads a note whose signature by that key holds. Signatures of others are passed over.
    ///
    /// # Errors
    ///
    /// If the note is not well made, not signed by that key, changed after it was signed, or of another log.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let name = || key.name.clone();
        let (text, signatures) = split(note)?;
        let ours =
            signatures.into_iter().find(|(signer, body)| *signer == key.name && body.starts_with(&key.id()));
        let (_, body) = ours.ok_or_else(|| CheckpointError::NotSigned { name: name() })?;
        let (_, signature) = body.split_at_checked(4).unwrap_or_default();
        UnparsedPublicKey::new(&ED25519, key.public)
            .verify(text.as_bytes(), signature)
            .map_err(|_| CheckpointError::Forged { name: name() })?;
        let checkpoint = Self::parse_text(text)?;
        if checkpoint.origin == key.name {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Origin { found: checkpoint.origin, expected: name() })
        }
    }

    fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let malformed = |what| move || CheckpointError::Malformed(what);
        let mut lines = text.lines();
        let origin = lines.next().filter(|origin| !origin.is_empty());
        let size =
            lines.next().and_then(|size| size.parse::<u64>().ok().filter(|value| value.to_string() == size));
        let root = lines.next().and_then(|root| STANDARD.decode(root).ok()?.try_into().ok());
        Ok(Self {
            origin: origin.ok_or_else(malformed("its first line is empty"))?.to_owned(),
            size: size.ok_or_else(malformed("its second line is not a size"))?,
            root: root.ok_or_else(malformed("its third line is not a root hash"))?,
        })
    }
}

/// Name of the signer, and key id with signature.
type Signature<'a> = (&'a str, Vec<u8>);

/// Splits a note into its text and its signatures.
fn split(note: &str) -> Result<(&str, Vec<Signature<'_>>), CheckpointError> {
    let malformed = |what| move || CheckpointError::Malformed(what);
    let middle = note.rfind("\n\n").ok_or_else(malformed("there is no empty line before the signatures"))?;
    let (text, rest) = note.split_at_checked(middle + 1).unwrap_or_default();
    let mut signatures = Vec::new();
    let lines = rest.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
    for line in lines.ok_or_else(malformed("its last line does not end"))?.split('\n') {
        let parts = line.strip_prefix(SIGNATURE_MARK).and_then(|line| line.split_once(' '));
        let (name, body) = parts.ok_or_else(malformed("a signature line is not well made"))?;
        signatures.push((name, STANDARD.decode(body).map_err(|_| malformed("a signature is not base64")())?));
    }
    Ok((text, signatures))
}

impl VerifierKey {
    /// Returns the public part of a key pair.
    #[must_use]
    pub fn of(name: &str, key: &Ed25519KeyPair) -> Self {
        let mut public = [0; 32];
        for (to, from) in public.iter_mut().zip(key.public_key().as_ref()) {
            *to = *from;
        }
        Self { name: name.to_owned(), public }
    }

    /// Returns the key's id: the first 4 bytes of SHA-256 of name, line feed, type and key (C2SP signed-note).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let digest = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', ALGORITHM_ED25519])
            .chain_update(self.public)
            .finalize();
        digest.first_chunk::<4>().copied().unwrap_or_default()
    }

    /// Writes it in C2SP form: `name+id+key`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let body = [&[ALGORITHM_ED25519], self.public.as_slice()].concat();
        format!("{}+{:08x}+{}", self.name, u32::from_be_bytes(self.id()), STANDARD.encode(body))
    }

    /// Reads it from C2SP form.
    ///
    /// # Errors
    ///
    /// If the text is not well made, its key is not Ed25519, or its id is not that of its key.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        // The key's base64 may hold a "+"; the name may not.
        let mut parts = text.trim_end().splitn(3, '+');
        let (Some(name), Some(id), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(CheckpointError::Key("it has not three parts"));
        };
        let body = STANDARD.decode(body).map_err(|_| CheckpointError::Key("the key is not base64"))?;
        let public = match body.split_first() {
            Some((&ALGORITHM_ED25519, public)) => public.try_into().ok(),
            _ => None,
        };
        let public = public.ok_or(CheckpointError::Key("the key is not Ed25519"))?;
        let key = Self { name: name.to_owned(), public };
        if name.is_empty() || format!("{:08x}", u32::from_be_bytes(key.id())) != id {
            return Err(CheckpointError::Key("the id is not that of the key"));
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and the note of C2SP's and Go's examples (golang.org/x/mod/sumdb/note, package documentation).
    const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\u{2014} PeterNeumann \
        x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn pair() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
    }

    fn sample() -> Checkpoint {
        Checkpoint { origin: "c1/audit".to_owned(), size: 12, root: [5; 32] }
    }

    #[test]
    fn the_example_of_go_holds_as_a_note() {
        let key = VerifierKey::parse(GO_KEY).unwrap();
        assert_eq!(key.to_text(), GO_KEY);
        // Its signature holds; its text is no checkpoint.
        assert_eq!(
            Checkpoint::open(GO_NOTE, &key),
            Err(CheckpointError::Malformed("its second line is not a size"))
        );
        let forged = GO_NOTE.replacen("answer", "enigma", 1);
        assert!(matches!(Checkpoint::open(&forged, &key), Err(CheckpointError::Forged { .. })));
    }

    #[test]
    fn a_signed_checkpoint_opens_with_its_key_alone() {
        let (checkpoint, key) = (sample(), VerifierKey::of("c1/audit", &pair()));
        let note = checkpoint.sign(&pair());
        assert_eq!(note, checkpoint.sign(&pair()));
        assert!(
            note.starts_with(
                "c1/audit\n12\nBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=\n\n\u{2014} c1/audit "
            )
        );
        assert_eq!(Checkpoint::open(&note, &key), Ok(checkpoint));
        assert_eq!(VerifierKey::parse(&key.to_text()), Ok(key.clone()));
        let other = VerifierKey { public: [1; 32], ..key };
        assert!(matches!(Checkpoint::open(&note, &other), Err(CheckpointError::NotSigned { .. })));
    }

    #[test]
    fn any_changed_byte_of_a_note_is_found() {
        let key = VerifierKey::of("c1/audit", &pair());
        let note = sample().sign(&pair());
        for place in 0..note.len() {
            let mut bytes = note.clone().into_bytes();
            bytes[place] ^= 1;
            let Ok(forged) = String::from_utf8(bytes) else { continue };
            assert!(Checkpoint::open(&forged, &key).is_err(), "byte {place}");
        }
        for end in 0..note.len() {
            let Some(cut) = note.get(..end) else { continue };
            assert!(Checkpoint::open(cut, &key).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn signatures_of_others_are_passed_over() {
        let key = VerifierKey::of("c1/audit", &pair());
        let with_witness = format!("{}\u{2014} witness AAAAAAAA\n", sample().sign(&pair()));
        assert_eq!(Checkpoint::open(&with_witness, &key), Ok(sample()));
    }

    #[test]
    fn a_note_of_another_log_signed_under_our_name_is_refused() {
        let text = sign_text("c2/audit", 1, &[0; 32]);
        let key = VerifierKey::of("c1/audit", &pair());
        let body = [key.id().as_slice(), pair().sign(text.as_bytes()).as_ref()].concat();
        let note = format!("{text}\n\u{2014} c1/audit {}\n", STANDARD.encode(body));
        assert!(matches!(Checkpoint::open(&note, &key), Err(CheckpointError::Origin { .. })));
    }

    #[test]
    fn bad_keys_are_refused() {
        let good = VerifierKey::of("c1/audit", &pair()).to_text();
        for bad in ["", "a+b", &good.replacen("c1", "c2", 1), &good.replace("+A", "+B"), "+00000000+AQ=="] {
            assert!(matches!(VerifierKey::parse(bad), Err(CheckpointError::Key(_))), "{bad}");
        }
    }
}
