//! The `tidings` binary: settings, logs, start, wait for a signal, stop.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use tidings::admin::{self, Order};
use tidings::app::{App, Running};
use tidings::config::{Config, ConfigFault};
use tidings::observe;
use tokio::signal::unix::{SignalKind, signal};

// The system's own, where a heap profiler is to see what is asked for: docs/performance.md says how.
#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    if let Some(args) = admin::asked(std::env::args_os()) {
        return administer(args);
    }
    let config = match Config::load() {
        Ok(config) => config,
        // Prints help to stdout, complaints to stderr, and exits with the code that belongs to it.
        Err(ConfigFault::CommandLine(told)) => told.exit(),
        Err(fault) => return Err(fault.into()),
    };
    observe::log(&config)?;
    observe::alarm_on_panic();
    actix_rt::System::new().block_on(run(config))?;
    Ok(ExitCode::SUCCESS)
}

fn administer(args: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let order = match Order::read(args) {
        Ok(order) => order,
        Err(told) => told.exit(),
    };
    let done = actix_rt::System::new().block_on(order.carry_out(&mut std::io::stdin().lock(), &mut std::io::stdout()));
    done.context("nothing was done")?;
    Ok(ExitCode::SUCCESS)
}

async fn run(config: Config) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("waiting for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for signals")?;
    let running = App::start(config).await?;
    say_hello(&running)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::select! {
        () = running.stop() => {}
        // Asked twice: what is dropped here stops at once, the private Postgres too.
        _ = interrupt.recv() => tracing::warn!("stopping at once"),
    }
    Ok(())
}

fn say_hello(running: &Running) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "Tidings is running: open {}", running.url())?;
    writeln!(out, "What people write is kept in {}.", running.whereabouts())?;
    writeln!(out, "Ctrl-C stops it.")?;
    out.flush()
}
