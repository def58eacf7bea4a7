//! Runs a parity kit through the published models' arithmetic and prints what it found; exit status 1 if
//! something is out of tolerance.
//!
//!     cargo run -p evoke-embed --example parity -- KIT [--device auto|cpu|cuda|metal]
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use evoke_embed::{Device, parity};

fn main() -> Result<ExitCode> {
    let (mut kit, mut device) = (None, Device::Cpu);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--device" => {
                let name = arguments.next().context("--device wants a name")?;
                device = name.parse().map_err(anyhow::Error::msg)?;
            }
            path => kit = Some(PathBuf::from(path)),
        }
    }
    let report = parity(&kit.context("which kit?")?, device)?;
    print!("{report}");
    Ok(if report.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
