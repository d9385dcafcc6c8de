//! `ecrspec completions` and `ecrspec man`: made of the command line itself.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Code, Failure, print};

#[derive(Args, Debug)]
pub(super) struct CompletionsArguments {
    /// The shell
    shell: Shell,
}

pub(super) fn completions(arguments: &CompletionsArguments) -> Code {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "ecrspec", &mut text);
    print(&String::from_utf8_lossy(&text));
    Ok(0)
}

/// The command, and then each of its subcommands.
pub(super) fn man() -> Code {
    let mut command = super::Arguments::command();
    command.build();
    let mut text = Vec::new();
    let mut render = |page: clap::Command| clap_mangen::Man::new(page).render(&mut text);
    render(command.clone()).map_err(Failure::harness)?;
    for subcommand in command.get_subcommands().filter(|one| !one.is_hide_set() && one.get_name() != "help") {
        render(subcommand.clone().disable_help_subcommand(true)).map_err(Failure::harness)?;
    }
    print(&String::from_utf8_lossy(&text));
    Ok(0)
}
