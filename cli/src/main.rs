//! The command line.

use std::process::ExitCode;

use breakwater::{args::Arguments, failure::Exit, output};
use clap::Parser;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are data on stdout, wrong usage is talk on stderr; clap tells them apart.
            drop(error.print());
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            return ExitCode::from(exit.code());
        }
    };
    match breakwater::run(arguments) {
        Ok(()) => ExitCode::from(Exit::Done.code()),
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(failure.exit.code())
        }
    }
}
