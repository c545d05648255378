//! D-Bus messages as bytes: the types that a Secret Service takes and gives (D-Bus specification, "Type
//! System" and "Message Protocol"). Written little endian, read in either order.

/// Longest message that is read, in bytes. D-Bus allows 128 MiB; a key takes a hundred bytes.
pub(super) const MAX_MESSAGE: usize = 1 << 20;
/// The part of a header that says how long the message is, in bytes.
pub(super) const HEAD: usize = 16;
/// How deep values may lie in each other, as the specification has it.
const MAX_DEPTH: u8 = 64;

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its answer is not D-Bus: {0}")]
pub(super) struct Malformed(pub(super) &'static str);

const CUT: Malformed = Malformed("a value goes beyond its end");
const BAD_SIGNATURE: Malformed = Malformed("a type is none");

/// Values, one after the other.
#[derive(Debug, Default, Clone)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    pub(super) fn byte(&mut self, byte: u8) -> &mut Self {
        self.bytes.push(byte);
        self
    }

    /// A number, or a truth value (0 or 1).
    pub(super) fn number(&mut self, number: u32) -> &mut Self {
        self.align(4);
        self.bytes.extend(number.to_le_bytes());
        self
    }

    /// A string, or an object path.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.number(length(text.len()));
        self.bytes.extend(text.as_bytes());
        self.byte(0)
    }

    /// Types, at most 255 of them.
    pub(super) fn signature(&mut self, types: &str) -> &mut Self {
        self.bytes.push(types.len().to_le_bytes()[0]);
        self.bytes.extend(types.as_bytes());
        self.byte(0)
    }

    /// An array of bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(length(bytes.len()));
        self.bytes.extend(bytes);
        self
    }

    /// The beginning of a structure, or of an entry of a dictionary.
    pub(super) fn structure(&mut self) -> &mut Self {
        self.align(8);
        self
    }

    /// An array whose elements begin at multiples of this.
    pub(super) fn array(&mut self, alignment: usize, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let at = self.number(0).bytes.len();
        self.align(alignment);
        let start = self.bytes.len();
        fill(self);
        let length = length(self.bytes.len() - start);
        self.bytes[at - 4..at].copy_from_slice(&length.to_le_bytes());
        self
    }

    /// The bytes as they are sent.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// All that is written here is far shorter.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// What an object can be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    pub(super) interface: &'static str,
    pub(super) member: &'static str,
    /// The types of its arguments.
    pub(super) takes: &'static str,
    /// The types of its answer.
    pub(super) returns: &'static str,
}

impl Method {
    /// The message that asks it of an object on the bus.
    pub(super) fn call(self, serial: u32, to: &str, path: &str, arguments: Writer) -> Vec<u8> {
        let arguments = arguments.finish();
        let mut message = Writer::default();
        // Little endian, a call, no flags, version 1.
        message.byte(b'l').byte(1).byte(0).byte(1);
        message.number(length(arguments.len())).number(serial);
        message.array(8, |fields| {
            field(fields, 1, "o").text(path);
            field(fields, 2, "s").text(self.interface);
            field(fields, 3, "s").text(self.member);
            field(fields, 6, "s").text(to);
            if !self.takes.is_empty() {
                field(fields, 8, "g").signature(self.takes);
            }
        });
        message.structure();
        message.bytes.extend(arguments);
        message.finish()
    }
}

/// The beginning of a field of a header: its code, and the type of what follows.
pub(super) fn field<'a>(fields: &'a mut Writer, code: u8, value: &str) -> &'a mut Writer {
    fields.structure().byte(code).signature(value)
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Answer,
    Error,
    Signal,
    /// A call, or what a later specification knows.
    Other,
}

/// A message that came.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) kind: Kind,
    /// The serial of the call that it answers.
    pub(super) answers: u32,
    pub(super) path: String,
    pub(super) interface: String,
    pub(super) member: String,
    pub(super) error: String,
    pub(super) sender: String,
    /// The types of its values.
    pub(super) types: String,
    body: Vec<u8>,
    big: bool,
}

impl Message {
    /// How long the message is that begins so, in bytes.
    pub(super) fn length(head: &[u8; HEAD]) -> Result<usize, Malformed> {
        if !matches!(head[0], b'l' | b'B') || head[3] != 1 {
            return Err(Malformed("no message of version 1 begins so"));
        }
        let mut sizes = Reader { bytes: head, at: 4, big: head[0] == b'B' };
        let (body, _serial, fields) = (sizes.size()?, sizes.number()?, sizes.size()?);
        let length = (HEAD + fields).next_multiple_of(8) + body;
        if length > MAX_MESSAGE { Err(Malformed("it is too long")) } else { Ok(length) }
    }

    /// Reads one, which is as long as it says.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader { bytes, at: 4, big: bytes.first() == Some(&b'B') };
        let body = reader.size()?;
        let mut message = Self {
            kind: match bytes.get(1) {
                Some(2) => Kind::Answer,
                Some(3) => Kind::Error,
                Some(4) => Kind::Signal,
                _ => Kind::Other,
            },
            answers: 0,
            path: String::new(),
            interface: String::new(),
            member: String::new(),
            error: String::new(),
            sender: String::new(),
            types: String::new(),
            body: bytes.len().checked_sub(body).map(|at| bytes[at..].to_vec()).ok_or(CUT)?,
            big: reader.big,
        };
        let _serial = reader.number()?;
        let mut fields = reader.array(8)?;
        while !fields.is_at_end() {
            fields.align(8)?;
            message.read_field(&mut fields)?;
        }
        Ok(message)
    }

    fn read_field(&mut self, fields: &mut Reader<'_>) -> Result<(), Malformed> {
        let (code, types) = (fields.byte()?, fields.signature()?);
        let text = match (code, types) {
            (1, "o") => &mut self.path,
            (2, "s") => &mut self.interface,
            (3, "s") => &mut self.member,
            (4, "s") => &mut self.error,
            (7, "s") => &mut self.sender,
            (5, "u") => {
                self.answers = fields.number()?;
                return Ok(());
            }
            (8, "g") => {
                fields.signature()?.clone_into(&mut self.types);
                return Ok(());
            }
            (1..=5 | 7 | 8, _) => return Err(Malformed("a field of its header has another type")),
            _ => return fields.skip_one(types),
        };
        fields.text()?.clone_into(text);
        Ok(())
    }

    /// Its values.
    pub(super) fn values(&self) -> Reader<'_> {
        Reader { bytes: &self.body, at: 0, big: self.big }
    }
}

/// Values, read one after the other. Nothing is allocated by what a length says.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    big: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(count).ok_or(CUT)?;
        let taken = self.bytes.get(self.at..end).ok_or(CUT)?;
        self.at = end;
        Ok(taken)
    }

    fn align(&mut self, to: usize) -> Result<(), Malformed> {
        self.take(self.at.next_multiple_of(to) - self.at).map(drop)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn number(&mut self) -> Result<u32, Malformed> {
        self.align(4)?;
        let bytes = self.take(4)?.try_into().unwrap_or_default();
        Ok(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// A length, which can't be more than a message has.
    fn size(&mut self) -> Result<usize, Malformed> {
        let size = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if size > MAX_MESSAGE { Err(Malformed("it is too long")) } else { Ok(size) }
    }

    /// A string, or an object path.
    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = self.size()?;
        self.terminated(length)
    }

    fn signature(&mut self) -> Result<&'a str, Malformed> {
        let length = self.byte()?;
        self.terminated(length.into())
    }

    fn terminated(&mut self, length: usize) -> Result<&'a str, Malformed> {
        let text = self.take(length)?;
        if self.byte()? != 0 {
            return Err(Malformed("a text has no end"));
        }
        str::from_utf8(text).map_err(|_| Malformed("a text is not UTF-8"))
    }

    /// An array of bytes.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.size()?;
        self.take(length)
    }

    /// The elements of an array, which begin at multiples of this.
    pub(super) fn array(&mut self, alignment: usize) -> Result<Self, Malformed> {
        let length = self.size()?;
        self.align(alignment)?;
        let start = self.at;
        self.take(length)?;
        Ok(Reader { bytes: &self.bytes[..self.at], at: start, big: self.big })
    }

    /// The beginning of a structure.
    pub(super) fn structure(&mut self) -> Result<(), Malformed> {
        self.align(8)
    }

    /// Passes over a value of any type.
    pub(super) fn skip_variant(&mut self) -> Result<(), Malformed> {
        self.skip(b"v", MAX_DEPTH).map(drop)
    }

    fn skip_one(&mut self, types: &str) -> Result<(), Malformed> {
        let rest = self.skip(types.as_bytes(), MAX_DEPTH)?;
        if rest.is_empty() { Ok(()) } else { Err(BAD_SIGNATURE) }
    }

    /// Passes over a value of the first of these types; the others come back.
    fn skip<'s>(&mut self, types: &'s [u8], depth: u8) -> Result<&'s [u8], Malformed> {
        let (&first, mut rest) = types.split_first().ok_or(BAD_SIGNATURE)?;
        let deeper = depth.checked_sub(1).ok_or(Malformed("it is nested too deeply"))?;
        match first {
            b's' | b'o' => {
                self.text()?;
            }
            b'g' => {
                self.signature()?;
            }
            b'a' => {
                let element = *rest.first().ok_or(BAD_SIGNATURE)?;
                rest = after_one(rest)?;
                self.array(alignment(element)?)?;
            }
            b'(' => {
                self.align(8)?;
                while rest.first() != Some(&b')') {
                    rest = self.skip(rest, deeper)?;
                }
                rest = &rest[1..];
            }
            b'v' => {
                let inner = self.signature()?.as_bytes();
                if !self.skip(inner, deeper)?.is_empty() {
                    return Err(BAD_SIGNATURE);
                }
            }
            b'{' => return Err(BAD_SIGNATURE),
            // As wide as it is aligned.
            fixed => {
                let width = alignment(fixed)?;
                self.align(width)?;
                self.take(width)?;
            }
        }
        Ok(rest)
    }
}

/// At multiples of what a value of this type begins.
fn alignment(code: u8) -> Result<usize, Malformed> {
    match code {
        b'y' | b'g' | b'v' => Ok(1),
        b'n' | b'q' => Ok(2),
        b'b' | b'i' | b'u' | b'h' | b's' | b'o' | b'a' => Ok(4),
        b'x' | b't' | b'd' | b'(' | b'{' => Ok(8),
        _ => Err(BAD_SIGNATURE),
    }
}

/// The types after the first whole one.
fn after_one(types: &[u8]) -> Result<&[u8], Malformed> {
    let mut open = 0_u8;
    for (at, code) in types.iter().enumerate() {
        match code {
            b'(' | b'{' => open = open.checked_add(1).ok_or(BAD_SIGNATURE)?,
            b')' | b'}' => open = open.checked_sub(1).ok_or(BAD_SIGNATURE)?,
            b'a' => continue,
            _ => {}
        }
        if open == 0 {
            return Ok(&types[at + 1..]);
        }
    }
    Err(BAD_SIGNATURE)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GET: Method = Method { interface: "a.B", member: "Get", takes: "sayu", returns: "" };

    fn call() -> Vec<u8> {
        let mut arguments = Writer::default();
        arguments.text("né").bytes(&[7; 3]).number(9);
        GET.call(5, "x.Y", "/p", arguments)
    }

    /// A reader of these bytes.
    fn reader(bytes: &[u8]) -> Reader<'_> {
        Reader { bytes, at: 0, big: false }
    }

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let bytes = call();
        assert_eq!(Message::length(bytes.first_chunk().unwrap()), Ok(bytes.len()));
        let message = Message::parse(&bytes).unwrap();
        let header = (&*message.path, &*message.interface, &*message.member, &*message.types);
        assert_eq!((message.kind, header), (Kind::Other, ("/p", "a.B", "Get", "sayu")));
        let mut values = message.values();
        assert_eq!((values.text(), values.bytes()), (Ok("né"), Ok(&[7; 3][..])));
        assert_eq!((values.number(), values.is_at_end()), (Ok(9), true));
    }

    #[test]
    fn arrays_begin_where_their_elements_may() {
        let mut writer = Writer::default();
        writer.byte(1).array(8, |entries| {
            entries.structure().text("k").text("v");
            entries.structure().text("l").text("w");
        });
        let bytes = writer.finish();
        assert_eq!(bytes[4..8], 30_u32.to_le_bytes());
        let mut reader = reader(&bytes);
        reader.byte().unwrap();
        let mut entries = reader.array(8).unwrap();
        for expected in [("k", "v"), ("l", "w")] {
            entries.structure().unwrap();
            assert_eq!((entries.text(), entries.text()), (Ok(expected.0), Ok(expected.1)));
        }
        assert!(entries.is_at_end() && reader.is_at_end());
    }

    #[test]
    fn values_of_every_type_are_passed_over() {
        let mut writer = Writer::default();
        writer.byte(3).signature("a(ii)").number(8);
        writer.structure();
        for types in ["(yv(s))a{sv}aas", "g", "nqbiuh", "xtd", "ay"] {
            let mut rest = types.as_bytes();
            while !rest.is_empty() {
                // Of zeros each type has a value, but for a variant, which has a type.
                match reader(&[0; 256]).skip(rest, MAX_DEPTH) {
                    Ok(after) => rest = after,
                    Err(error) => {
                        assert_eq!((error, rest[0]), (BAD_SIGNATURE, b'('), "{types}");
                        rest = after_one(rest).unwrap();
                    }
                }
            }
        }
        for types in ["", "a", "(", ")", "{sv}", "a{", "a(i", "z", "a)", "(y"] {
            assert!(reader(&[0; 64]).skip_one(types).is_err(), "{types}");
        }
    }

    #[test]
    fn variants_in_variants_end_somewhere() {
        let nested = |depth: usize| [&b"\x01v\0".repeat(depth)[..], b"\x01y\0\0"].concat();
        reader(&nested(60)).skip_variant().unwrap();
        let deep = nested(MAX_MESSAGE / 4);
        assert_eq!(reader(&deep).skip_variant(), Err(Malformed("it is nested too deeply")));
        let types = "(".repeat(200);
        assert!(reader(&[0; 64]).skip_one(&types).is_err());
    }

    #[test]
    fn lengths_beyond_the_message_are_refused_before_anything_is_made() {
        let long = [255, 255, 15, 0];
        assert_eq!((reader(&long).text(), reader(&long).bytes()), (Err(CUT), Err(CUT)));
        assert_eq!(reader(&long).array(8).err(), Some(CUT));
        assert!(reader(&[255; 8]).bytes().is_err());
        assert!(reader(&[1, 0, 0, 0, b'a', b'b']).text().is_err(), "no end");
        assert!(reader(&[1, 0, 0, 0, 255, 0]).text().is_err(), "not UTF-8");
        let head = |body: u32, fields: u32| {
            let mut head = [b'l', 2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
            head[4..8].copy_from_slice(&body.to_le_bytes());
            head[12..].copy_from_slice(&fields.to_le_bytes());
            Message::length(&head)
        };
        assert_eq!(head(3, 1), Ok(27));
        assert!(head(u32::MAX, 0).is_err() && head(0, u32::MAX).is_err());
        assert!(head(1 << 19, 1 << 19).is_err());
    }

    #[test]
    fn a_header_whose_fields_are_of_other_types_is_refused() {
        let mut writer = Writer::default();
        writer.byte(b'l').byte(2).byte(0).byte(1).number(0).number(1);
        writer.array(8, |fields| {
            field(fields, 5, "s").text("7");
        });
        assert!(Message::parse(&writer.finish()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reading(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::parse(&bytes);
            let _ = reader(&bytes).skip_variant();
        }

        #[test]
        fn no_damage_breaks_the_reading(at in 0_usize..200, byte: u8, end in 0_usize..200) {
            let mut bytes = call();
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(end.max(HEAD));
            if let Ok(message) = Message::parse(&bytes) {
                let mut values = message.values();
                let _ = (values.text(), values.bytes(), values.number());
            }
            let _ = Message::length(bytes.first_chunk().unwrap());
        }
    }
}
