//! x
#![allow(missing_docs)]
pub mod case;
#[cfg(feature = "cli")]
pub mod cli;
pub mod contract;
pub mod drive;
pub mod expect;
pub mod generate;
pub mod judge;
#[cfg(feature = "mock")]
pub mod mock;
pub mod model;
pub mod report;
#[cfg(feature = "net")]
pub mod run;
pub mod scenario;
pub mod suite;
pub mod wire;
