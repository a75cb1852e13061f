//! What somebody else breaks and heals meanwhile, told line by line on standard input.
//! Must never take a line for something that it is not: a fault that is not in the history was not tried.

use std::cell::Cell;
use std::io::BufRead as _;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use super::stage::Stage;
use crate::examine::history::{Phase, What};

/// The load goes on for so long after all faults are over.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// What is told from outside.
pub struct Steering {
    healed: Rc<Cell<Option<Instant>>>,
}

impl Steering {
    /// Listens from now on, and writes down what is told.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn take(stage: Rc<Stage>) -> Result<Self> {
        let (mut told, healed) = (listen()?, Rc::new(Cell::new(None)));
        let over = healed.clone();
        tokio::task::spawn_local(async move {
            while let Some(what) = told.recv().await {
                match what {
                    Ok(What::Healed) => over.set(Some(Instant::now())),
                    Ok(what) => {
                        if let What::Fault { phase: Phase::Healed, .. } = &what {
                            stage.heal();
                        }
                        stage.note(None, what);
                    }
                    Err(cause) => stage.give_up(cause),
                }
            }
            if over.get().is_none() {
                stage.give_up(anyhow!("standard input ended before all faults were over"));
            }
        });
        Ok(Self { healed })
    }

    /// When the load ends, as soon as that is known.
    #[must_use]
    pub fn end(&self) -> Option<Instant> {
        self.healed.get().map(|healed| healed + AFTERWARDS)
    }
}

/// Reads standard input on a thread of its own, since a terminal cannot be waited for otherwise. Ends with the input.
fn listen() -> Result<UnboundedReceiver<Result<What>>> {
    // A line takes a person or a schedule to write: there are never many.
    let (tell, told) = unbounded_channel();
    let reading = move || {
        for line in std::io::stdin().lock().lines() {
            let what = line.context("standard input cannot be read").and_then(|line| order(&line));
            if tell.send(what).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("steering".to_owned()).spawn(reading)?;
    Ok(told)
}

/// One line.
fn order(line: &str) -> Result<What> {
    let what: What = serde_json::from_str(line).with_context(|| format!("not an order: {line}"))?;
    if matches!(what, What::Fault { .. } | What::Resources { .. } | What::Healed) {
        return Ok(what);
    }
    bail!("neither a fault nor resources nor the end of all faults: {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_and_resources_are_orders_and_nothing_else_is() {
        let fault = order(r#"{"what":"fault","number":3,"name":"kill -9 node 1","phase":"fired"}"#).unwrap();
        assert_eq!(fault, What::Fault { number: 3, name: "kill -9 node 1".to_owned(), phase: Phase::Fired });
        order(r#"{"what":"resources","pid":7,"warm":true,"resident_bytes":1,"files":2}"#).unwrap();
        assert_eq!(order(r#"{"what":"healed"}"#).unwrap(), What::Healed);
        assert!(order(r#"{"what":"settled"}"#).unwrap_err().to_string().contains("neither"));
        assert!(order("kill it").is_err());
    }
}
