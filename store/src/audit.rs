//! Whether the log of moderation is whole: walks it and makes each hash anew, with no help from the database's own functions.
//! Must never write, nor trust what it reads.

use sha2::{Digest, Sha256};
use tidings_actors::ports::StoreFault;
use uuid::Uuid;

use crate::line;
use crate::operator::{NotDone, not_done};
use crate::store::Store;

/// Lines in one statement.
const CHUNK: i64 = 1_000;

/// What the walk has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogCheck {
    /// Every line follows from the one before it. `last` is the hash of the last line, in hexadecimal digits.
    Whole {
        /// How many lines there are.
        lines: u64,
        /// The hash of the last one; of none: 64 zeros.
        last: String,
    },
    /// The first line that is not there, or does not follow from the one before it.
    Broken {
        /// Its number.
        at: u64,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// A line as it is stored. Columns that may not be null may have been tampered with, too.
struct Row {
    n: i64,
    at_ms: i64,
    actor: Option<Uuid>,
    act: String,
    kind: String,
    subject: Uuid,
    reason: Option<String>,
    prev: Vec<u8>,
    hash: Vec<u8>,
}

impl Row {
    /// As `audit_line` of the migrations writes it.
    fn line(&self) -> String {
        let Self { n, at_ms, act, kind, subject, .. } = self;
        let actor = self.actor.map(|actor| actor.to_string()).unwrap_or_default();
        format!("{n}|{at_ms}|{actor}|{act}|{kind}|{subject}|{}", self.reason.as_deref().unwrap_or_default())
    }
}

/// How far the walk has come.
struct Walk {
    next: i64,
    hash: Vec<u8>,
    /// A line that was written down before, and whether it has been met as it was.
    known: Option<(i64, Vec<u8>)>,
}

impl Walk {
    /// What is wrong with the next line.
    fn step(&mut self, row: &Row) -> Option<&'static str> {
        if row.n != self.next {
            return Some("it is missing");
        }
        if row.prev != self.hash {
            return Some("it does not follow from the line before it");
        }
        let hash = Sha256::new().chain_update(&row.prev).chain_update(row.line()).finalize();
        if row.hash != hash.as_slice() {
            return Some("it is not what was written then");
        }
        if self.known.take_if(|known| known.0 == row.n).is_some_and(|known| known.1 != row.hash) {
            return Some("it is another than the one that was known");
        }
        self.next += 1;
        self.hash.clone_from(&row.hash);
        None
    }
}

fn broken(at: i64, what: &'static str) -> LogCheck {
    LogCheck::Broken { at: at.unsigned_abs(), what }
}

impl Store {
    /// Walks the log from its first line on. `known` is a line's number and hash as an operator wrote them down once: that it is still there
    /// as it was shows that the log was not written anew, nor cut off before it.
    ///
    /// # Errors
    /// As [`NotDone`].
    pub async fn check_log(&self, known: Option<(u64, Vec<u8>)>) -> Result<LogCheck, NotDone> {
        let known = known.map(|(n, hash)| (i64::try_from(n).unwrap_or(i64::MAX), hash));
        let mut walk = Walk { next: 1, hash: vec![0; 32], known };
        loop {
            let rows = self.log_rows(walk.next).await?;
            for row in &rows {
                if let Some(what) = walk.step(row) {
                    return Ok(broken(walk.next, what));
                }
            }
            if rows.is_empty() {
                break;
            }
        }
        if let Some((n, _)) = walk.known {
            return Ok(broken(n, "it was known, and is not there any more"));
        }
        Ok(LogCheck::Whole { lines: (walk.next - 1).unsigned_abs(), last: crate::reads::hex(&walk.hash) })
    }

    async fn log_rows(&self, from: i64) -> Result<Vec<Row>, NotDone> {
        let mut line = self.accounts.line().await.map_err(not_done)?;
        let question = sqlx::query_as!(
            Row,
            "select n, at_ms, actor, act, kind, subject, reason, prev, hash from audit_log where n >= $1 order by n limit $2",
            from,
            CHUNK
        );
        let answer = line::timed(self.accounts.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(not_done)
    }
}

/// A line as an operator wrote it down: its number, a colon and its hash in hexadecimal digits.
///
/// # Errors
/// It is nothing of the kind.
pub fn known_line(written: &str) -> Result<(u64, Vec<u8>), StoreFault> {
    let wrong = || StoreFault::Broken("not a line of the log: expected NUMBER:HASH".to_owned());
    let (n, digits) = written.split_once(':').ok_or_else(wrong)?;
    let n = n.parse().map_err(|_| wrong())?;
    if digits.len() != 64 || !digits.is_ascii() {
        return Err(wrong());
    }
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| wrong());
    Ok((n, (0..64).step_by(2).map(byte).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: i64) -> Vec<Row> {
        let mut hash = vec![0; 32];
        let row = |n| {
            let (act, kind) = ("hide".to_owned(), "post".to_owned());
            let actor = (n % 2 == 0).then_some(Uuid::from_u128(7));
            let (subject, reason) = (Uuid::from_u128(n as u128), Some("spam".to_owned()));
            let mut row =
                Row { n, at_ms: 1_000 + n, actor, act, kind, subject, reason, prev: hash.clone(), hash: vec![] };
            hash = Sha256::new().chain_update(&row.prev).chain_update(row.line()).finalize().to_vec();
            row.hash.clone_from(&hash);
            row
        };
        (1..=count).map(row).collect()
    }

    fn walk(rows: &[Row], known: Option<(i64, Vec<u8>)>) -> (i64, Option<&'static str>, bool) {
        let mut walk = Walk { next: 1, hash: vec![0; 32], known };
        let what = rows.iter().find_map(|row| walk.step(row));
        (walk.next, what, walk.known.is_some())
    }

    #[test]
    fn whatever_is_changed_in_a_line_is_found_there() {
        assert_eq!(walk(&rows(9), None), (10, None, false));
        let changes: [fn(&mut Row); 8] = [
            |row| row.at_ms += 1,
            |row| row.actor = None,
            |row| row.act = "unhide".to_owned(),
            |row| row.kind = "user".to_owned(),
            |row| row.subject = Uuid::nil(),
            |row| row.reason = None,
            |row| row.prev[0] ^= 1,
            |row| row.hash[31] ^= 1,
        ];
        for change in changes {
            let mut rows = rows(9);
            change(&mut rows[3]);
            let (at, what, _) = walk(&rows, None);
            assert!(at == 4 && what.is_some(), "{at}");
        }
    }

    #[test]
    fn a_line_that_is_taken_out_is_missed() {
        let mut less = rows(9);
        less.remove(5);
        assert_eq!(walk(&less, None), (6, Some("it is missing"), false));
        // Written anew from there on, it is whole again; but not for whoever wrote down a line.
        let known = rows(9).swap_remove(6).hash;
        let mut anew = rows(9);
        anew[5].act = "ban".to_owned();
        for at in 5..9 {
            anew[at].prev = anew[at - 1].hash.clone();
            anew[at].hash =
                Sha256::new().chain_update(&anew[at].prev).chain_update(anew[at].line()).finalize().to_vec();
        }
        assert_eq!(walk(&anew, None), (10, None, false));
        assert_eq!(walk(&anew, Some((7, known.clone()))).0, 7);
        // Cut off.
        assert!(walk(&rows(9)[..6], Some((7, known.clone()))).2);
        assert_eq!(walk(&rows(9), Some((7, known))), (10, None, false));
    }

    #[test]
    fn a_line_is_written_down_as_number_and_hash() {
        let (n, hash) = known_line(&format!("17:{}", "0f".repeat(32))).unwrap();
        assert_eq!((n, hash), (17, vec![15; 32]));
        for wrong in ["", "17", "17:0f", "x:", &format!("1:{}", "0g".repeat(32)), &format!("1:{}", "é".repeat(32))] {
            assert!(known_line(wrong).is_err(), "{wrong}");
        }
    }
}
