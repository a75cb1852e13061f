//! Histories on disk: JSON lines, one record each.
//! Must never leave out a record: a history with holes would be judged wrongly.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context, Result};

use super::{Record, What};

/// Keeps what happens, in memory for the judge and on disk for people.
pub struct Recorder {
    /// All of it so far.
    pub records: Vec<Record>,
    file: Option<BufWriter<File>>,
    began: std::time::Instant,
}

impl Recorder {
    /// Writes to this file as well.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn to(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { records: Vec::new(), file: Some(BufWriter::new(file)), began: std::time::Instant::now() })
    }

    /// Notes what happened just now.
    ///
    /// # Errors
    /// The file cannot be written: a history with holes would be judged wrongly.
    pub fn note(&mut self, client: Option<u32>, what: What) -> Result<()> {
        let at = u64::try_from(self.began.elapsed().as_micros())?;
        let record = Record { at, client, what };
        if let Some(file) = &mut self.file {
            serde_json::to_writer(&mut *file, &record)?;
            file.write_all(b"\n")?;
        }
        self.records.push(record);
        Ok(())
    }

    /// Makes sure that everything is on disk.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&mut self) -> Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| Ok(file.flush()?))
    }
}

/// Reads a history back.
///
/// # Errors
/// The file cannot be read, or a line is not a record.
pub fn read(path: &Path) -> Result<Vec<Record>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let records = BufReader::new(file).lines().enumerate().map(|(number, line)| {
        serde_json::from_str(&line?).with_context(|| format!("{} line {}: not a record", path.display(), number + 1))
    });
    records.collect()
}

#[cfg(test)]
mod tests {
    use tidings_protocol::feed::FeedName;
    use tidings_protocol::push::EventName;
    use uuid::Uuid;

    use super::*;
    use crate::examine::history::{Final, Op, Seen, Thing};

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let mut recorder = Recorder::to(&path).unwrap();
        let thing = Thing::Follow(Uuid::from_u128(1), Uuid::from_u128(2));
        let op = Op::Follow(thing, true);
        recorder.note(Some(3), What::Invoke { request: 7, connection: Some(2), op }).unwrap();
        let seen = Seen { mark: u64::MAX, ..Seen::bare(Thing::Post(Uuid::from_u128(9)), 12, false) };
        let event = EventName::PostCreated;
        let feed = FeedName::Home;
        recorder.note(None, What::Event { connection: 2, epoch: 5, feed, seq: 12, event, seen }).unwrap();
        recorder.note(None, What::Final(Final::default())).unwrap();
        recorder.note(None, What::Healed).unwrap();
        recorder.finish().unwrap();
        assert_eq!(read(&path).unwrap(), recorder.records);
    }

    #[test]
    fn a_broken_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        std::fs::write(&path, "{\"at\":1,\"what\":\"healed\"}\n{\"at\":2}\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("line 2"));
    }
}
