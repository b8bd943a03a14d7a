//! The command line.

use std::process::ExitCode;

use breakwater::{args::Arguments, failure::Exit, output};

fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(error) => {
            return ExitCode::from(output::usage(&error).code());
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
