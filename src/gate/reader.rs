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
    Binary(Bytes),
    /// A ping to be answered.
    Ping(Bytes),
    /// The answer to a ping.
    Pong,
    /// The client closes.
    Close(Option<ws::CloseReason>),
}

/// Fragments of one message: enough for any client that streams, too few to make us busy with headers.
const FRAGMENTS: usize = 64;

/// Reads one connection.
#[derive(Debug)]
pub(super) struct Reader {
    codec: Codec,
    partial: Option<Partial>,
    most: usize,
}

/// The fragments of a message so far.
#[derive(Debug)]
struct Partial {
    bytes: BytesMut,
    fragments: usize,
    text: bool,
    /// How much of it is known to be UTF-8; what follows can be no more than the beginning of a character.
    sound: usize,
}

impl Reader {
    /// A reader whose first message may have `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { codec: Codec::new().max_size(limits::MESSAGE_BYTES), partial: None, most }
    }

    /// Takes the next message out of `buffer`, if it is there whole.
    ///
    /// # Errors
    /// The number to close with.
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Incoming>, Number> {
        while let Some(header) = Header::read(buffer)? {
            let room = self.most.saturating_sub(self.partial.as_ref().map_or(0, |partial| partial.bytes.len()));
            if header.payload > room && !header.control {
                return Err(Number::Size);
            }
            // The codec would make room for all that the header declares.
            let Some(frame) = buffer.get(..header.bytes + header.payload) else {
                return Ok(None);
            };
            if header.close && !reason_is_text(&frame[header.bytes - MASK_BYTES..]) {
                return Err(Number::Invalid);
            }
            let Some(frame) = self.codec.decode(buffer).map_err(|_| Number::Protocol)? else {
                return Ok(None);
            };
            if let Some(incoming) = self.take(frame)? {
                return Ok(Some(incoming));
            }
        }
        Ok(None)
    }

    fn take(&mut self, frame: Frame) -> Result<Option<Incoming>, Number> {
        match frame {
            Frame::Text(bytes) => self.text(&bytes).map(Some),
            Frame::Binary(bytes) => Ok(Some(Incoming::Binary(bytes))),
            Frame::Ping(payload) => Ok(Some(Incoming::Ping(payload))),
            Frame::Pong(_) => Ok(Some(Incoming::Pong)),
            Frame::Close(reason) => Ok(Some(Incoming::Close(reason))),
            Frame::Continuation(Item::FirstText(bytes)) => self.begin(&bytes, true),
            Frame::Continuation(Item::FirstBinary(bytes)) => self.begin(&bytes, false),
            Frame::Continuation(Item::Continue(bytes)) => self.go_on(&bytes),
            Frame::Continuation(Item::Last(bytes)) => {
                self.go_on(&bytes)?;
                match self.partial.take() {
                    Some(whole) if whole.text => self.text(&whole.bytes).map(Some),
                    Some(whole) => Ok(Some(Incoming::Binary(whole.bytes.freeze()))),
                    None => Err(Number::Protocol),
                }
            }
        }
    }

    fn begin(&mut self, bytes: &[u8], text: bool) -> Result<Option<Incoming>, Number> {
        self.partial = Some(Partial { bytes: BytesMut::new(), fragments: 0, text, sound: 0 });
        self.go_on(bytes)
    }

    fn go_on(&mut self, bytes: &[u8]) -> Result<Option<Incoming>, Number> {
        let partial = self.partial.as_mut().ok_or(Number::Protocol)?;
        partial.add(bytes)?;
        Ok(None)
    }

    fn text(&mut self, bytes: &[u8]) -> Result<Incoming, Number> {
        let text = std::str::from_utf8(bytes).map_err(|_| Number::Invalid)?;
        // The first message is `hello`; what follows may be as long as posts need.
        self.most = limits::MESSAGE_BYTES;
        Ok(Incoming::Text(text.to_owned()))
    }
}

impl Partial {
    /// Adds a fragment; refuses text as soon as it cannot become UTF-8 any more.
    fn add(&mut self, bytes: &[u8]) -> Result<(), Number> {
        self.fragments += 1;
        if self.fragments > FRAGMENTS {
            return Err(Number::Size);
        }
        self.bytes.extend_from_slice(bytes);
        if self.text {
            self.sound += match std::str::from_utf8(&self.bytes[self.sound..]) {
                Ok(text) => text.len(),
                Err(fault) if fault.error_len().is_none() => fault.valid_up_to(),
                Err(_) => return Err(Number::Invalid),
            };
        }
        Ok(())
    }
}

/// The header of a client's frame.
struct Header {
    control: bool,
    close: bool,
    /// Its own length, with the mask.
    bytes: usize,
    /// The length it declares.
    payload: usize,
}

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const CONTROL: u8 = 0x08;
const MASKED: u8 = 0x80;
const MASK_BYTES: usize = 4;
/// Longest payload of a control frame.
const CONTROL_BYTES: u8 = 125;

impl Header {
    /// Reads it, once it is there. Refuses what no frame may be before its payload is waited for.
    fn read(buffer: &[u8]) -> Result<Option<Self>, Number> {
        let Some((&[first, second], rest)) = buffer.split_first_chunk() else {
            return Ok(None);
        };
        let (opcode, short) = (first & 0x0f, second & !MASKED);
        let control = opcode & CONTROL != 0;
        let known = first & RESERVED == 0 && matches!(opcode, 0x0..=0x2 | 0x8..=0xa);
        if !known || second & MASKED == 0 || control && (first & FINAL == 0 || short > CONTROL_BYTES) {
            return Err(Number::Protocol);
        }
        let length = match short {
            126 => rest.first_chunk().map(|length| (2, u64::from(u16::from_be_bytes(*length)))),
            127 => rest.first_chunk().map(|length| (8, u64::from_be_bytes(*length))),
            short => Some((0, u64::from(short))),
        };
        Ok(length.map(|(longer, payload)| Self {
            control,
            close: opcode == 0x8,
            bytes: 2 + longer + MASK_BYTES,
            payload: usize::try_from(payload).unwrap_or(usize::MAX),
        }))
    }
}

/// Whether the reason in a close frame, given from its mask on, is UTF-8. The codec has the same error for this and for a wrong number.
fn reason_is_text(masked: &[u8]) -> bool {
    let (mask, payload) = masked.split_at(MASK_BYTES);
    let plain: Vec<u8> = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
    plain.get(2..).is_none_or(|reason| std::str::from_utf8(reason).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Reader {
        Reader::new(limits::MESSAGE_BYTES_BEFORE_HELLO)
    }

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
        assert_eq!(read(&mut fresh(), &huge), Err(Number::Size));
        huge[2..].copy_from_slice(&u64::MAX.to_be_bytes());
        assert_eq!(read(&mut fresh(), &huge), Err(Number::Size));
        let hello = vec![b' '; limits::MESSAGE_BYTES_BEFORE_HELLO + 1];
        assert_eq!(read(&mut fresh(), &frame(0x81, &hello)), Err(Number::Size));
    }

    #[test]
    fn after_the_first_message_they_may_be_longer_but_not_endless() {
        let mut reader = fresh();
        read(&mut reader, &frame(0x81, b"{}")).unwrap();
        let long = vec![b' '; limits::MESSAGE_BYTES];
        assert_eq!(read(&mut reader, &frame(0x81, &long)).unwrap().len(), 1);
        read(&mut reader, &frame(0x01, &long)).unwrap();
        assert_eq!(read(&mut reader, &frame(0x80, b"x")), Err(Number::Size));
    }

    #[test]
    fn fragments_are_put_together_around_control_frames() {
        let mut reader = fresh();
        let mut bytes = frame(0x01, "gr\u{fc}".as_bytes().split_at(3).0);
        bytes.extend(frame(0x89, b"p"));
        bytes.extend(frame(0x80, "gr\u{fc}n".as_bytes().split_at(3).1));
        let read = read(&mut reader, &bytes).unwrap();
        assert_eq!(read, [Incoming::Ping(Bytes::from_static(b"p")), Incoming::Text("gr\u{fc}n".into())]);
    }

    #[test]
    fn nothing_is_allocated_for_what_is_only_declared() {
        let whole = frame(0x81, &vec![b' '; limits::MESSAGE_BYTES_BEFORE_HELLO]);
        let mut buffer = BytesMut::from(&whole[..20]);
        assert_eq!(fresh().next(&mut buffer), Ok(None));
        assert!(buffer.capacity() < 100, "{}", buffer.capacity());
    }

    #[test]
    fn a_control_frame_needs_no_room_in_a_message_that_is_nearly_full() {
        let mut reader = fresh();
        read(&mut reader, &frame(0x01, &vec![b' '; limits::MESSAGE_BYTES_BEFORE_HELLO])).unwrap();
        let ping = vec![b'p'; 125];
        assert_eq!(read(&mut reader, &frame(0x89, &ping)).unwrap(), [Incoming::Ping(Bytes::from(ping))]);
        assert_eq!(read(&mut reader, &frame(0x80, b"")).unwrap().len(), 1);
    }

    #[test]
    fn text_that_cannot_become_utf8_is_refused_in_its_fragment() {
        let mut reader = fresh();
        assert_eq!(read(&mut reader, &frame(0x01, b"a\xf4")), Ok(vec![]), "may be the beginning of a character");
        assert_eq!(read(&mut reader, &frame(0x00, b"\x90")), Err(Number::Invalid));
        let mut reader = fresh();
        read(&mut reader, &frame(0x01, b"a\xce")).unwrap();
        assert_eq!(read(&mut reader, &frame(0x80, b"")), Err(Number::Invalid), "half a character");
        assert_eq!(read(&mut fresh(), &frame(0x02, b"\xff")), Ok(vec![]), "binary is not text");
    }

    #[test]
    fn a_close_frame_has_a_number_that_may_be_sent_and_a_reason_that_is_text() {
        let close = |number: u16, reason: &[u8]| frame(0x88, &[&number.to_be_bytes(), reason].concat());
        for number in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
            assert_eq!(read(&mut fresh(), &close(number, b"")), Err(Number::Protocol), "{number}");
        }
        assert_eq!(read(&mut fresh(), &close(1000, b"\xce\xba\xe1")), Err(Number::Invalid));
        assert_eq!(read(&mut fresh(), &close(1000, "gr\u{fc}n".as_bytes())).unwrap().len(), 1);
    }

    #[test]
    fn a_flood_of_fragments_ends_the_connection() {
        let mut reader = fresh();
        let mut bytes = frame(0x01, b"a");
        (0..FRAGMENTS).for_each(|_| bytes.extend(frame(0x00, b"a")));
        assert_eq!(read(&mut reader, &bytes), Err(Number::Size));
    }

    #[test]
    fn broken_frames_and_broken_text_have_their_numbers() {
        assert_eq!(read(&mut fresh(), &frame(0x81, b"\xff")), Err(Number::Invalid));
        assert_eq!(read(&mut fresh(), &frame(0xc1, b"x")), Err(Number::Protocol));
        assert_eq!(read(&mut fresh(), &frame(0x80, b"x")), Err(Number::Protocol));
        assert_eq!(read(&mut fresh(), &[0x81, 0x01]), Err(Number::Protocol), "not masked");
        assert_eq!(read(&mut fresh(), &[0x83, 0x80]), Err(Number::Protocol), "a reserved opcode, before its payload");
        assert_eq!(read(&mut fresh(), &[0x09, 0x80]), Err(Number::Protocol), "a control frame in fragments");
        assert_eq!(read(&mut fresh(), &[0x89, 0x80 | 126]), Err(Number::Protocol), "too long a control frame");
        assert_eq!(read(&mut fresh(), &frame(0x88, &[0x03])), Err(Number::Protocol));
    }
}
