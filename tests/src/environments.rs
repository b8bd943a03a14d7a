//! Environments for clients that are not Rust: made once below the target directory, from pinned versions, and made again when
//! what is pinned changes. What cannot be made is a failure: a test that needs a client must not pass without it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with the clients' scripts and what pins them.
#[must_use]
pub fn scripts() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/clients"))
}

/// Makes the virtual environment of `clients/requirements.txt` below `target` and returns its interpreter.
#[must_use]
pub fn python(target: &Path) -> PathBuf {
    let requirements = scripts().join("requirements.txt");
    // The name and the marker are those of cli/tests/openai_client.rs: both use one environment.
    let venv = target.join("openai-client");
    once(&venv, &[&requirements], || {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv));
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
        run(pip.arg(&requirements));
    });
    venv.join("bin/python")
}

/// The `PATH` on which the programs of that environment come first: Node is one of them, so no other needs to be installed.
#[must_use]
pub fn search_path(target: &Path) -> OsString {
    let programs = python(target).parent().expect("it lies in a folder").to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(programs).chain(std::env::split_paths(&others));
    std::env::join_paths(all).expect("they came from such a list")
}

/// Installs `clients/package-lock.json` below `target` and returns the folder that has the `node_modules`, with the scripts: Node
/// looks for modules beside the script.
#[must_use]
pub fn node(target: &Path) -> PathBuf {
    let folder = target.join("node-clients");
    let pinned = [scripts().join("package.json"), scripts().join("package-lock.json")];
    once(&folder, &[&pinned[0], &pinned[1]], || {
        fs::create_dir_all(&folder).expect("below the target directory one may write");
        for file in &pinned {
            fs::copy(file, folder.join(file.file_name().expect("it has a name"))).expect("it was just read");
        }
        let mut npm = Command::new(python(target).with_file_name("npm"));
        npm.args(["ci", "--no-fund", "--no-audit", "--silent"]).env("PATH", search_path(target));
        run(npm.current_dir(&folder));
    });
    for entry in fs::read_dir(scripts()).expect("the scripts are in the repository") {
        let path = entry.expect("an entry of a folder that was listed").path();
        if path.extension().is_some_and(|ending| ending == "mjs") {
            fs::copy(&path, folder.join(path.file_name().expect("it has a name"))).expect("it was listed");
        }
    }
    folder
}

/// Makes `folder` by `make` unless it was made from the same `pinned` files. Tests of one target directory take turns.
pub fn once(folder: &Path, pinned: &[&Path], make: impl FnOnce()) {
    let turns = folder.with_extension("lock");
    fs::create_dir_all(folder.parent().expect("it lies in a target directory")).expect("one may write there");
    let turn = File::create(turns).expect("below the target directory one may write");
    turn.lock().expect("a file of ours can be locked");
    let marker = folder.join("installed");
    let read =
        |path: &&Path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let wanted: String = pinned.iter().map(read).collect();
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return;
    }
    drop(fs::remove_dir_all(folder));
    make();
    fs::write(marker, wanted).expect("the environment was just made");
}

/// Runs a command to its end, prints what it said, and returns that.
///
/// # Panics
///
/// If it cannot be run or fails.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    println!("{out}");
    out.into_owned()
}
