//! rustls configurations from PEM files, with ring as the provider. Certificates can be loaded again without a restart.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read or holds nothing of the kind.
    #[error("cannot read {what} from {path}: {reason}")]
    File {
        /// "certificates" or "a private key".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The reader's words.
        reason: String,
    },
    /// Certificate and key do not go together, or rustls refuses them.
    #[error("TLS refuses {path}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// rustls refuses its own defaults.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// A server's certificate and key, loaded again on demand. Clones share it.
#[derive(Clone)]
pub struct Identity {
    cert_file: PathBuf,
    key_file: PathBuf,
    current: Arc<RwLock<Arc<CertifiedKey>>>,
}

impl Identity {
    /// Reads both files. Errors: unreadable files, or a key that is not the certificate's.
    pub fn load(cert_file: &Path, key_file: &Path) -> Result<Self, TlsError> {
        let current = Arc::new(RwLock::new(Arc::new(read_identity(cert_file, key_file)?)));
        Ok(Self { cert_file: cert_file.to_owned(), key_file: key_file.to_owned(), current })
    }

    /// Reads both files again; new connections use them. On an error the old ones stay.
    pub fn reload(&self) -> Result<(), TlsError> {
        let fresh = Arc::new(read_identity(&self.cert_file, &self.key_file)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Makes a server configuration that offers these protocols in order of preference, as in `[b"h2", b"http/1.1"]`.
    pub fn server_config(&self, alpn: &[&[u8]]) -> Result<Arc<ServerConfig>, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Ok(Arc::new(config))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("cert_file", &self.cert_file).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Makes a server configuration from PEM files; see [`Identity`] for one that reloads.
pub fn server_config(
    cert_file: &Path,
    key_file: &Path,
    alpn: &[&[u8]],
) -> Result<Arc<ServerConfig>, TlsError> {
    Identity::load(cert_file, key_file)?.server_config(alpn)
}

/// Makes a client configuration that trusts exactly the certificates of a PEM file.
pub fn client_config(ca_file: &Path, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(ca_file)? {
        let refused = |source| TlsError::Refused { path: ca_file.to_owned(), source };
        roots.add(certificate).map_err(refused)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

fn read_identity(cert_file: &Path, key_file: &Path) -> Result<CertifiedKey, TlsError> {
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| TlsError::File {
        what: "a private key",
        path: key_file.to_owned(),
        reason: error.to_string(),
    })?;
    let certificates = read_certificates(cert_file)?;
    CertifiedKey::from_der(certificates, key, &ring::default_provider())
        .map_err(|source| TlsError::Refused { path: cert_file.to_owned(), source })
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let refused = |reason: String| TlsError::File { what: "certificates", path: path.to_owned(), reason };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refused(error.to_string()))?;
    if certificates.is_empty() {
        return Err(refused("the file holds none".to_owned()));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let error = Identity::load(Path::new("/nonexistent.pem"), Path::new("/nonexistent.key")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent.key"), "{error}");
    }
}
