//! The tests that need no program of their own, in one: a program takes seconds to link, and what waits in one test leaves
//! its core to another. A module has what one file is about; `cargo test --test integration html::` runs those of one.

#[cfg(all(feature = "cli", unix))]
mod action;
#[cfg(feature = "cli")]
mod aws_cli;
#[cfg(feature = "cli")]
mod binary;
#[cfg(all(feature = "cli", unix))]
mod browser;
#[cfg(feature = "cli")]
mod caller;
#[cfg(feature = "cli")]
mod cli;
mod coverage;
#[cfg(all(feature = "run", feature = "mock"))]
mod crippled;
mod dependencies;
#[cfg(feature = "cli")]
mod files;
#[cfg(feature = "cli")]
mod first_steps;
#[cfg(all(feature = "net", feature = "mock"))]
mod framing;
#[cfg(all(feature = "cli", unix))]
mod guide;
#[cfg(all(feature = "cli", unix))]
mod html;
#[cfg(feature = "cli")]
mod installed;
mod judge;
#[cfg(all(feature = "net", feature = "mock"))]
mod lawful;
#[cfg(feature = "cli")]
mod links;
mod model;
#[cfg(feature = "cli")]
mod poison;
#[cfg(feature = "cli")]
mod record;
#[cfg(feature = "cli")]
mod reports;
#[cfg(feature = "cli")]
mod reproduction;
mod scenarios;
#[cfg(feature = "cli")]
mod schemas;
#[cfg(all(unix, feature = "net", feature = "mock"))]
mod scripts;
#[cfg(feature = "mock")]
mod search;
#[cfg(feature = "cli")]
mod search_cli;
#[cfg(all(feature = "net", feature = "mock"))]
mod sending;
#[cfg(unix)]
mod shell;
#[cfg(all(feature = "run", feature = "mock"))]
mod shrinking;
#[cfg(feature = "cli")]
mod signing;
#[cfg(feature = "cli")]
mod stubs;
#[cfg(all(feature = "run", feature = "mock", feature = "terminal"))]
mod testing;
#[cfg(feature = "cli")]
mod tls;
#[cfg(all(feature = "run", feature = "mock"))]
mod verdict;
#[cfg(all(feature = "cli", unix))]
mod workshop;

/// Checks rows of a table at once: each waits for its server most of the time.
#[cfg(all(feature = "net", feature = "mock"))]
fn at_once<T: Send>(rows: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    let check = &check;
    std::thread::scope(|scope| {
        let running: Vec<_> = rows.into_iter().map(|row| scope.spawn(move || check(row))).collect();
        for row in running {
            row.join().unwrap_or_else(|why| std::panic::resume_unwind(why));
        }
    });
}
