//! The command line: what can be asked, one file a subcommand.

mod amount;
mod cases;
mod contract;
mod credentials;
mod doctor;
mod dry_run;
mod embedded;
mod endpoint;
mod explain;
mod fuzz;
mod gate;
mod init;
mod known;
mod known_file;
mod list;
mod mock;
mod mock_tls;
mod read;
mod record;
mod replay;
mod report;
mod reports;
mod run;
mod selftest;
mod settings;
mod shells;
mod span;
mod target;
mod trust;
mod wrap;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::summary::Reason;

/// Conformance tests for servers that speak the layer-upload API of Amazon ECR.
///
/// `ecrspec run` tests the embedded mock; `ecrspec run --endpoint URL` tests a server.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Panic at once, so that tests/cli.rs can see what becomes of it
    #[cfg(debug_assertions)]
    #[arg(long, hide = true)]
    panic: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look whether an endpoint can be tested, and say what to run next
    Doctor(Box<doctor::Arguments>),
    /// Write the files of a gate: settings, known deviations, CI job; what is there stays
    Init(Box<init::Arguments>),
    /// Test a server: findings grouped by cause, verdict last
    Run(Box<run::Arguments>),
    /// Fuzz a server for --budget; report each new cause once, minimised
    Fuzz(Box<fuzz::Arguments>),
    /// Rerun a case, or everything that failed in a run, and say whether each finding is the same, gone or different
    Replay(Box<replay::Arguments>),
    /// Record what a server answers as files that can be proposed as sources, or ask it the open questions
    Record(Box<record::Arguments>),
    /// Render the report of one or more runs from their event logs
    Report(report::Arguments),
    /// Write, extend or prune the file of known deviations
    Known(Box<known::Arguments>),
    /// List cases, rules or coverage
    List(list::Arguments),
    /// Explain a rule or case: statement, sources, allowed responses
    Explain(explain::Arguments),
    /// Serve the reference implementation, optionally with a planted fault
    Mock(mock::Arguments),
    /// Test ecrspec itself: every planted fault must be found, no lawful variant may give a finding
    Selftest(selftest::Arguments),
    /// Show the documented contract
    Contract(contract::Arguments),
    /// Print completions for a shell
    Completions(shells::CompletionsArguments),
    /// Print the manual page
    Man,
}

const EXIT_CODES: &str = "\
Exit codes: 0 judged and clean; 1 findings, or warnings under --deny-warnings; 2 usage or configuration; 3 target \
unreachable, or set-up failed; 4 nothing was run; 5 only the file of known deviations is out of date; 6 inconclusive or \
unfinished; 7 internal error of ecrspec; 130 interrupted. When \
several apply: 130, 7, 2, 3, 1, 5, 6, 4.";

/// Why a command ends without having done its work.
#[derive(Debug)]
struct Failure {
    reason: Reason,
    error: anyhow::Error,
}

/// The exit code of a command that did its work.
type Code = Result<u8, Failure>;

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse(); // Ends with 2 on a usage error by itself.
    // A panic is a fault of ours, and must not look like a verdict on the target.
    match std::panic::catch_unwind(|| dispatch(&arguments)) {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(failure)) => {
            complain(&format!("{:#}", failure.error));
            ExitCode::from(failure.reason.code())
        }
        Err(_) => {
            complain("internal error of ecrspec; what was judged until then is in the event log, if one was written");
            ExitCode::from(Reason::Harness.code())
        }
    }
}

fn dispatch(arguments: &Arguments) -> Code {
    #[cfg(debug_assertions)]
    assert!(!arguments.panic, "--panic was asked for");
    match &arguments.command {
        Command::Doctor(arguments) => doctor::main(arguments),
        Command::Init(arguments) => init::main(arguments),
        Command::Run(arguments) => run::main(arguments),
        Command::Fuzz(arguments) => fuzz::main(arguments),
        Command::Replay(arguments) => replay::main(arguments),
        Command::Record(arguments) => record::main(arguments),
        Command::Report(arguments) => report::main(arguments),
        Command::Known(arguments) => known::main(arguments),
        Command::List(arguments) => list::main(arguments),
        Command::Explain(arguments) => explain::main(arguments),
        Command::Mock(arguments) => mock::main(arguments),
        Command::Selftest(arguments) => selftest::main(arguments),
        Command::Contract(arguments) => contract::main(arguments),
        Command::Completions(arguments) => shells::completions(arguments),
        Command::Man => shells::man(),
    }
}

impl Failure {
    fn usage(error: impl Into<anyhow::Error>) -> Failure {
        Failure { reason: Reason::Usage, error: error.into() }
    }

    fn harness(error: impl Into<anyhow::Error>) -> Failure {
        Failure { reason: Reason::Harness, error: error.into() }
    }
}

/// Tells on standard error. Where nobody takes it, the exit code has to do: that must not be that of a panic.
fn complain(message: &str) {
    use std::io::Write as _;
    let _ = writeln!(anstream::stderr().lock(), "ecrspec: {}", read::shown(message));
}

/// Prints to standard output.
fn try_print(text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    // What has no colours needs no reading, which long lists would be slower for.
    if !text.contains('\x1b') {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        return out.flush();
    }
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints what was asked for. A reader that went away, such as `head`, has seen enough. Not for `run`, whose exit code is
/// its verdict.
fn print(text: &str) {
    match try_print(text) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            complain(&format!("could not print: {error}"));
            std::process::exit(i32::from(Reason::Usage.code()));
        }
    }
}
