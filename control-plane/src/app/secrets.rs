//! What is read from files, or made in development, before anything starts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use breakwater_runtime::Secret;

use crate::caller::{mint_token, public_part};
use crate::config::{Config, Mode};
use crate::ledger::LogKey;
use crate::seal::{self, Sealer};
use crate::secret_files::{self, SecretFileError};

/// What is read from files before anything starts.
pub(super) struct Secrets {
    pub(super) sealer: Arc<Sealer>,
    pub(super) log_key: LogKey,
    pub(super) admin_token: Secret<String>,
    pub(super) proxy_token: Option<Secret<String>>,
}

impl Secrets {
    /// Reads all files that the configuration names.
    pub(super) fn read(config: &Config) -> anyhow::Result<Self> {
        let develops = config.mode == Mode::Development;
        let read = |path: PathBuf, make: fn() -> Result<String, SecretFileError>| {
            if develops { secret_files::read_or_make(&path, make) } else { secret_files::read(&path) }
        };
        if develops {
            make_directory(&config.data_dir)?;
        }
        let token = || mint_token().map(|minted| minted.text);
        let sealing_key = read(config.sealing_key_file(), seal::generate_key)?;
        let log_key = read(config.log_key_file(), LogKey::generate)?;
        let admin_token = read(config.admin_token_file(), token)?;
        let proxy_token = config.proxy_token_file().map(|path| read(path, token)).transpose()?;
        for (token, key) in [
            (Some(&admin_token), "secrets.admin_token_file"),
            (proxy_token.as_ref(), "secrets.proxy_token_file"),
        ] {
            let is_token = token.is_none_or(|token| public_part(token.expose()).is_some());
            anyhow::ensure!(
                is_token,
                "{key}: the file must hold a token: bwt-, 16 of 0-9 a-f, 43 of base64url"
            );
        }
        Ok(Self {
            sealer: Arc::new(Sealer::from_key_text(sealing_key.expose())?),
            log_key: LogKey::from_text(log_key.expose())?,
            admin_token,
            proxy_token,
        })
    }
}

fn make_directory(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).with_context(|| format!("cannot make the data directory {}", path.display()))
}
