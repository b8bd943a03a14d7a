//! The data directory of `dev`: where it is, and files in it that are whole or not there.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// The data directory.
#[derive(Debug)]
pub(super) struct Home {
    path: PathBuf,
}

impl Home {
    /// Makes the directory if it is not there, for its owner alone.
    pub(super) fn open(given: Option<&Path>) -> Result<Self, Failure> {
        let path = match given {
            Some(path) => path.to_owned(),
            None => default_path(|name| std::env::var_os(name).map(PathBuf::from))?,
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(|error| {
            Failure::failed(format!("cannot make the data directory {}: {error}", path.display()))
                .hint("choose another: --data-dir DIR")
        })?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the control plane keeps its own.
    pub(super) fn control_plane(&self) -> PathBuf {
        self.path.join("control-plane")
    }

    /// Reads a small file; none if it is not there.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, Failure> {
        let path = self.path.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::failed(format!("cannot read {}: {error}", path.display()))),
        }
    }

    /// Writes a small file, for its owner alone.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        write_whole(&self.path.join(name), &format!("{text}\n"))
    }
}

/// Writes a file that is whole as soon as it is there, for its owner alone: it holds secrets.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<(), Failure> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let draft = path.with_file_name(name);
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, path)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent)?.sync_all()
    };
    write().map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))
}

/// Removes a file of an earlier start, so that nobody takes it for this one's.
pub(super) fn remove_if_there(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::failed(format!("cannot remove {}: {error}", path.display())))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn default_path(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf, Failure> {
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    let data = data.ok_or_else(|| Failure::usage("there is no home directory; give --data-dir DIR"))?;
    Ok(data.join("breakwater/dev"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_directory_is_stable_per_user() {
        let check = |variables: &[(&str, &str)], expect: Option<&str>| {
            let lookup = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value))
            };
            assert_eq!(default_path(lookup).ok(), expect.map(PathBuf::from));
        };
        check(&[("HOME", "/home/j")], Some("/home/j/.local/share/breakwater/dev"));
        check(&[("HOME", "/home/j"), ("XDG_DATA_HOME", "/data")], Some("/data/breakwater/dev"));
        check(
            &[("HOME", "/home/j"), ("XDG_DATA_HOME", "relative")],
            Some("/home/j/.local/share/breakwater/dev"),
        );
        check(&[], None);
    }

    #[test]
    fn files_are_for_their_owner_alone_and_read_back() {
        let dir = std::env::temp_dir().join(format!("breakwater-home-{}", std::process::id()));
        let home = Home::open(Some(&dir)).unwrap();
        assert_eq!(home.read("api-key").unwrap(), None);
        home.write("api-key", "one").unwrap();
        home.write("api-key", "two").unwrap();
        assert_eq!(home.read("api-key").unwrap().as_deref(), Some("two"));
        let mode = std::fs::metadata(dir.join("api-key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        remove_if_there(&dir.join("api-key")).unwrap();
        remove_if_there(&dir.join("api-key")).unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
