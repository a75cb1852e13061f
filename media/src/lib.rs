//! Pictures behind the ports of `tidings-actors`: tickets to send them, making them safe, keeping and handing out their bytes.
//! Must never know HTTP, SQL or the environment, hand out a byte that it has not encoded itself, nor decode on a thread that serves anybody.

mod berths;
mod colours;
mod gallery;
mod limits;
mod moving;
mod painters;
mod picture;
mod shelf;
mod ticket;

pub use berths::Berth;
pub use gallery::{ForgetFault, Gallery, NotOpened, Options, TakenIn, Turned};
pub use limits::{AWAY_AGAIN_MS, BUSY_AGAIN_MS, FIRST_BYTES_MS, LEAST_BYTES_PER_SECOND, TICKET_MOST_MS};
pub use painters::PaintersGone;
pub use picture::{Spoilt, Variant};
pub use shelf::{BadPlace, Place, S3, ShelfFault, Shown};
pub use ticket::{BadTicket, Ticket};
