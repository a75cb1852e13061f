//! Tells those who want to know only how much is new, and those who are told a part alone which, on each worker thread, at most once a second.
//! Must never queue anything for a reader that does not keep up (P7), nor tell anything while the node cannot be sure of log-ins (P5).

use std::rc::{Rc, Weak};
use std::time::Duration;

use tidings_protocol::limits::NEWS_EVERY_MS;
use tokio::time::sleep;

use crate::bulkhead::{self, Part};
use crate::feed::aside::Owes;
use crate::feed::table::Line;
use crate::frame;
use crate::worker::Worker;

/// Goes on for as long as the worker is in use.
pub(crate) fn open(worker: &Rc<Worker>) {
    let rung = Rc::clone(worker.news_rung());
    let worker = Rc::downgrade(worker);
    actix::spawn(async move {
        let mut owes = Owes::Nothing;
        loop {
            if owes == Owes::Nothing {
                rung.notified().await;
            }
            let Some(owes_still) = round(&worker) else {
                return;
            };
            owes = owes_still;
            sleep(Duration::from_millis(NEWS_EVERY_MS)).await;
        }
    });
}

/// None once the worker is not used any more.
fn round(worker: &Weak<Worker>) -> Option<Owes> {
    let worker = worker.upgrade().filter(|worker| !worker.is_torn())?;
    if !worker.node.sight.is_sure(worker.node.now()) {
        return Some(Owes::Somebody);
    }
    let framing = worker.node.framing;
    let told = bulkhead::step(Part::Counters, || {
        let mut table = worker.table_mut();
        table.passes(worker.node.now());
        // One a second at the most, to who is not behind: that is bounded, and they have to know what they are not told.
        table.tell_part(|link, notice| {
            link.keep(frame::message(framing, notice));
            link.flush();
        });
        table.tell_news(|link, notice| {
            let is_told = link.is_idle();
            if is_told {
                link.keep(frame::message(framing, notice));
                link.flush();
            }
            is_told
        })
    });
    Some(told.unwrap_or(Owes::Nothing))
}
