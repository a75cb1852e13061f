//! From bytes to messages: frames by actix-http's codec, fragments put together, limits kept before anything is buffered.
//! Must never allocate by a declared length and never pass on text that is not UTF-8.

use actix_codec::Decoder;
use actix_http::ws::{self, CloseCode as Number, Codec, Frame, Item};
use bytes::{Bytes, BytesMut};
use tidings_protocol::limits;

/// What the client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary,
    /// A ping to be answered.
    Ping(Bytes),
    /// The answer to a ping.
    Pong,
    /// The client closes.
    Close(Option<ws::CloseReason>),
}

/// Fragments of one message: enough for any client that streams, too few to make us busy with headers.
const FRAGMENTS: usize = 64;
/// A client's frame header without the mask: 2 bytes, then 0, 2 or 8 of length.
const LENGTH_BYTES: usize = 10;

/// Reads one connection.
#[derive(Debug)]
pub(super) struct Reader {
    codec: Codec,
    /// The fragments so far, and whether they are text.
    partial: Option<(BytesMut, bool)>,
    fragments: usize,
    most: usize,
}

impl Reader {
    /// A reader before `hello`.
    pub(super) fn new() -> Self {
        Self {
            codec: Codec::new().max_size(limits::MESSAGE_BYTES),
            partial: None,
            fragments: 0,
            most: limits::MESSAGE_BYTES_BEFORE_HELLO,
        }
    }

    /// Takes the next message out of `buffer`, if it is there whole.
    ///
    /// # Errors
    /// The number to close with.
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Incoming>, Number> {
        loop {
            let have = self.partial.as_ref().map_or(0, |(partial, _)| partial.len());
            if declared_length(buffer).is_some_and(|length| length > (self.most - have.min(self.most)) as u64) {
                return Err(Number::Size);
            }
            let Some(frame) = self.codec.decode(buffer).map_err(|_| Number::Protocol)? else {
                return Ok(None);
            };
            if let Some(incoming) = self.take(frame)? {
                return Ok(Some(incoming));
            }
        }
    }

    fn take(&mut self, frame: Frame) -> Result<Option<Incoming>, Number> {
        match frame {
            Frame::Text(bytes) => self.text(&bytes).map(Some),
            Frame::Binary(_) => Ok(Some(Incoming::Binary)),
            Frame::Ping(payload) => Ok(Some(Incoming::Ping(payload))),
            Frame::Pong(_) => Ok(Some(Incoming::Pong)),
            Frame::Close(reason) => Ok(Some(Incoming::Close(reason))),
            Frame::Continuation(Item::FirstText(bytes)) => self.begin(&bytes, true),
            Frame::Continuation(Item::FirstBinary(bytes)) => self.begin(&bytes, false),
            Frame::Continuation(Item::Continue(bytes)) => self.go_on(&bytes),
            Frame::Continuation(Item::Last(bytes)) => {
                self.go_on(&bytes)?;
                match self.partial.take() {
                    Some((whole, true)) => self.text(&whole).map(Some),
                    Some((_, false)) => Ok(Some(Incoming::Binary)),
                    None => Err(Number::Protocol),
                }
            }
        }
    }

    fn begin(&mut self, bytes: &[u8], text: bool) -> Result<Option<Incoming>, Number> {
        self.fragments = 1;
        self.partial = Some((BytesMut::from(bytes), text));
        Ok(None)
    }

    fn go_on(&mut self, bytes: &[u8]) -> Result<Option<Incoming>, Number> {
        self.fragments += 1;
        if self.fragments > FRAGMENTS {
            return Err(Number::Size);
        }
        let Some((partial, _)) = &mut self.partial else {
            return Err(Number::Protocol);
        };
        partial.extend_from_slice(bytes);
        Ok(None)
    }

    fn text(&mut self, bytes: &[u8]) -> Result<Incoming, Number> {
        let text = std::str::from_utf8(bytes).map_err(|_| Number::Invalid)?;
        // The first message is `hello`; what follows may be as long as posts need.
        self.most = limits::MESSAGE_BYTES;
        Ok(Incoming::Text(text.to_owned()))
    }
}

/// The payload length a frame header declares, once enough of it is there. The codec would buffer the whole frame before it looks.
fn declared_length(buffer: &[u8]) -> Option<u64> {
    let (&second, rest) = buffer.get(1).zip(buffer.get(2..))?;
    match second & 0x7f {
        126 => Some(u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => Some(u64::from_be_bytes(*rest.first_chunk()?)),
        short => Some(u64::from(short)),
    }
}

const _: () = assert!(LENGTH_BYTES == 2 + size_of::<u64>());

#[cfg(test)]
mod tests {
    use super::*;

    /// A client's frame with an all-zero mask.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match u16::try_from(payload.len()) {
            Ok(short) if short < 126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
            Ok(short) => {
                bytes.push(0x80 | 126);
                bytes.extend(short.to_be_bytes());
            }
            Err(_) => {
                bytes.push(0x80 | 127);
                bytes.extend((payload.len() as u64).to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.extend(payload);
        bytes
    }

    fn read(reader: &mut Reader, bytes: &[u8]) -> Result<Vec<Incoming>, Number> {
        let mut buffer = BytesMut::from(bytes);
        let mut all = Vec::new();
        while let Some(incoming) = reader.next(&mut buffer)? {
            all.push(incoming);
        }
        Ok(all)
    }

    #[test]
    fn p8_a_declared_length_is_refused_before_it_is_buffered() {
        let mut huge = vec![0x81, 0x80 | 127];
        huge.extend((1_u64 << 62).to_be_bytes());
        assert_eq!(read(&mut Reader::new(), &huge), Err(Number::Size));
        let hello = vec![b' '; limits::MESSAGE_BYTES_BEFORE_HELLO + 1];
        assert_eq!(read(&mut Reader::new(), &frame(0x81, &hello)), Err(Number::Size));
    }

    #[test]
    fn after_the_first_message_they_may_be_longer_but_not_endless() {
        let mut reader = Reader::new();
        read(&mut reader, &frame(0x81, b"{}")).unwrap();
        let long = vec![b' '; limits::MESSAGE_BYTES];
        assert_eq!(read(&mut reader, &frame(0x81, &long)).unwrap().len(), 1);
        read(&mut reader, &frame(0x01, &long)).unwrap();
        assert_eq!(read(&mut reader, &frame(0x80, b"x")), Err(Number::Size));
    }

    #[test]
    fn fragments_are_put_together_around_control_frames() {
        let mut reader = Reader::new();
        let mut bytes = frame(0x01, "gr\u{fc}".as_bytes().split_at(3).0);
        bytes.extend(frame(0x89, b"p"));
        bytes.extend(frame(0x80, "gr\u{fc}n".as_bytes().split_at(3).1));
        let read = read(&mut reader, &bytes).unwrap();
        assert_eq!(read, [Incoming::Ping(Bytes::from_static(b"p")), Incoming::Text("gr\u{fc}n".into())]);
    }

    #[test]
    fn a_flood_of_fragments_ends_the_connection() {
        let mut reader = Reader::new();
        let mut bytes = frame(0x01, b"a");
        (0..FRAGMENTS).for_each(|_| bytes.extend(frame(0x00, b"a")));
        assert_eq!(read(&mut reader, &bytes), Err(Number::Size));
    }

    #[test]
    fn broken_frames_and_broken_text_have_their_numbers() {
        assert_eq!(read(&mut Reader::new(), &frame(0x81, b"\xff")), Err(Number::Invalid));
        assert_eq!(read(&mut Reader::new(), &frame(0xc1, b"x")), Err(Number::Protocol));
        assert_eq!(read(&mut Reader::new(), &frame(0x80, b"x")), Err(Number::Protocol));
        assert_eq!(read(&mut Reader::new(), &[0x81, 0x01, b'x']), Err(Number::Protocol), "not masked");
        assert_eq!(read(&mut Reader::new(), &frame(0x88, &[0x03])), Err(Number::Protocol));
    }
}
