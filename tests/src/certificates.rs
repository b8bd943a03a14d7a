//! Certificates for plays: an authority of the test's own, and a server's certificate and key in files.

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;

/// The files of an authority and of a server at 127.0.0.1, whose certificate it signed.
#[derive(Debug)]
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Makes both.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key = KeyPair::generate().expect("the system has randomness");
        let mut params = named("an authority", vec![]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = params.self_signed(&key).expect("parameters of ours");
        fs::write(folder.path().join("ca.pem"), own.pem()).expect("a temporary folder is writable");
        let authority = Issuer::new(params, key);
        let key = KeyPair::generate().expect("the system has randomness");
        let signed = named("a server", vec!["127.0.0.1".to_owned()]).signed_by(&key, &authority);
        let made = Self { folder };
        fs::write(made.cert_file(), signed.expect("parameters of ours").pem())
            .expect("a temporary folder is writable");
        fs::write(made.key_file(), key.serialize_pem()).expect("a temporary folder is writable");
        made
    }

    /// The authority's own certificate.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// The server's certificate.
    #[must_use]
    pub fn cert_file(&self) -> PathBuf {
        self.file("cert.pem")
    }

    /// The server's key.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.file("key.pem")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

fn named(name: &str, hosts: Vec<String>) -> CertificateParams {
    let mut params = CertificateParams::new(hosts).expect("names of ours");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
