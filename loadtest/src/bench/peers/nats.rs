//! As much of NATS' protocol as a listener and a publisher need: lines, and messages whose length a line tells.
//! Must never keep a message that is only counted.

use anyhow::{Context, Result, bail, ensure};

/// `MSG p 1 268␍␊`, and `␍␊` behind the payload; lengths here have three digits.
pub const AROUND_BYTES: usize = 15;

/// The client's first words; a ping at their end, whose answer says that the server has taken them all.
#[must_use]
pub fn connect(listens: bool) -> &'static str {
    if listens {
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\nSUB p 1\r\nPING\r\n"
    } else {
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\nPING\r\n"
    }
}

/// A publication.
#[must_use]
pub fn publish(payload: &str) -> Vec<u8> {
    format!("PUB p {}\r\n{payload}\r\n", payload.len()).into_bytes()
}

/// What a listener gets for it.
#[cfg(test)]
pub fn delivery(payload: &str) -> Vec<u8> {
    format!("MSG p 1 {}\r\n{payload}\r\n", payload.len()).into_bytes()
}

/// Counts messages in a stream, however the frames cut it.
#[derive(Default)]
pub struct Counter {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// Rest of a message.
    skip: usize,
}

/// What a stream held besides messages.
#[derive(Default)]
pub struct Heard {
    /// Messages whose length has come.
    pub messages: u64,
    /// Questions whether we live.
    pub pings: u64,
}

impl Counter {
    /// Takes a frame's payload.
    ///
    /// # Errors
    /// The server complains, or speaks another language.
    pub fn take(&mut self, mut bytes: &[u8], heard: &mut Heard) -> Result<()> {
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
                self.line.extend_from_slice(bytes);
                return Ok(());
            };
            let (line, rest) = bytes.split_at(end + 1);
            if self.line.is_empty() {
                self.skip = take_line(line, heard)?;
            } else {
                self.line.extend_from_slice(line);
                self.skip = take_line(&self.line, heard)?;
                self.line.clear();
            }
            bytes = rest;
        }
    }
}

/// How many bytes of a message follow.
fn take_line(line: &[u8], heard: &mut Heard) -> Result<usize> {
    if line.starts_with(b"MSG ") {
        heard.messages += 1;
        return Ok(length(line)? + 2);
    }
    if line.starts_with(b"PING") {
        heard.pings += 1;
    } else if !line.starts_with(b"PONG") && !line.starts_with(b"INFO") && !line.starts_with(b"+OK") {
        bail!("the server says {}", String::from_utf8_lossy(line).trim_end());
    }
    Ok(0)
}

/// The last word of the line.
fn length(line: &[u8]) -> Result<usize> {
    let words = std::str::from_utf8(line)?.trim_end();
    words.rsplit(' ').next().and_then(|word| word.parse().ok()).with_context(|| format!("no length in `{words}`"))
}

/// The payloads of all messages in a whole stream.
///
/// # Errors
/// It ends within a message, or holds something else than messages.
pub fn payloads(mut stream: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut payloads = Vec::new();
    while let Some(end) = stream.iter().position(|&byte| byte == b'\n') {
        let (line, rest) = stream.split_at(end + 1);
        stream = rest;
        if line.starts_with(b"MSG ") {
            let length = length(line)?;
            ensure!(stream.len() >= length + 2, "half a message");
            payloads.push(stream[..length].to_vec());
            stream = &stream[length + 2..];
        }
    }
    Ok(payloads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_wherever_the_frames_cut_them() {
        let stream = [b"PING\r\n".to_vec(), delivery("one"), delivery("line\r\nMSG p 1 9\r\n"), delivery("")].concat();
        for chunk in 1..stream.len() {
            let (mut counter, mut heard) = (Counter::default(), Heard::default());
            for bytes in stream.chunks(chunk) {
                counter.take(bytes, &mut heard).unwrap();
            }
            assert_eq!((heard.messages, heard.pings), (3, 1), "chunks of {chunk}");
        }
        assert_eq!(payloads(&stream).unwrap(), [b"one".to_vec(), b"line\r\nMSG p 1 9\r\n".to_vec(), Vec::new()]);
    }

    #[test]
    fn a_complaint_is_no_message() {
        let said = Counter::default().take(b"-ERR 'Slow Consumer'\r\n", &mut Heard::default()).unwrap_err();
        assert!(said.to_string().contains("Slow Consumer"), "{said}");
    }
}
