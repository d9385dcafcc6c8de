//! The `ecrspec` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ecrspec::cli::main()
}
