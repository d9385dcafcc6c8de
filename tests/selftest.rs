//! Every fault of the mock is found, by a case that has a name; no variant gives a finding, alone or with others.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use ecrspec::contract::Service;
use ecrspec::mock::{Fault, Variant};
use ecrspec::selftest;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Builder;

/// How many combinations of five variants are tried; `.ci/run` asks `ecrspec selftest` for more.
const COMBINATIONS: u64 = 8;

/// Faults that were missed somewhere, and variants that gave a finding.
static MISSED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
static ALARMING: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (index, fault) in Fault::all().enumerate() {
        // Each in one of its services, for `cargo test` to end in minutes; `.ci/run` asks for both.
        let services: Vec<Service> = fault.services().collect();
        let service = services[index % services.len()];
        trials.push(Trial::test(format!("fault::{service}::{}", fault.name), move || caught(fault, service)));
    }
    for (index, variants) in selftest::groups().into_iter().enumerate() {
        // Each on one of the services: what differs between them is not the form of answers.
        let service = Service::ALL[index % 2];
        let names: Vec<&str> = variants.iter().map(|variant| variant.name).collect();
        let name = format!("variants::{service}::{}", names.join("+"));
        trials.push(Trial::test(name, move || held(&variants, service)));
    }
    for number in 0..COMBINATIONS {
        let service = Service::ALL[number as usize % 2];
        let variants = selftest::combination(number);
        trials.push(Trial::test(format!("combination::{service}::{number}"), move || held(&variants, service)));
    }
    let mut arguments = Arguments::from_args();
    // Many wait for a slow answer, or for one that never comes.
    arguments.test_threads = arguments.test_threads.or_else(|| Some(2 * thread::available_parallelism().ok()?.get()));
    let conclusion = libtest_mimic::run(&arguments, trials);
    let faults = Fault::all().count();
    let found = faults - locked(&MISSED).len();
    let variants = Variant::all().count();
    let passed = variants - locked(&ALARMING).len();
    if conclusion.num_filtered_out == 0 {
        println!("faults found {found} of {faults}, variants passed {passed} of {variants}\n");
    }
    conclusion.exit_code()
}

fn caught(fault: &'static Fault, service: Service) -> Result<(), Failed> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let tried = runtime.block_on(selftest::fault(fault, service, false))?;
    match tried.is_caught() {
        true => Ok(()),
        false => {
            locked(&MISSED).insert(fault.name);
            Err(Failed::from(format!("{}: no case names {}; found {:?}", fault.sentence, fault.rule, tried.also_found)))
        }
    }
}

/// Variants give no finding together. Where they do, it is told which of them does so alone; `ecrspec selftest` tries each
/// alone, which takes five times as long.
fn held(variants: &[&'static Variant], service: Service) -> Result<(), Failed> {
    let runtime = Builder::new_current_thread().enable_time().build()?;
    let alarms = |variants: &[&'static Variant]| -> Result<Vec<String>, Failed> {
        Ok(runtime.block_on(selftest::variants(variants, service))?.alarms)
    };
    let together = alarms(variants)?;
    if together.is_empty() {
        return Ok(());
    }
    let mut told = format!("together: {}", together.join("\n"));
    for variant in variants {
        let alone = alarms(&[variant])?;
        if !alone.is_empty() {
            locked(&ALARMING).insert(variant.name);
            told += &format!("\n{} alone: {}", variant.name, alone.join("\n"));
        }
    }
    Err(Failed::from(told))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
