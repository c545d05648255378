//! gzip and deflate, in steps small enough that a bomb is noticed before it is unpacked.

use std::io::Write;

use bytes::{Buf, Bytes};
use flate2::write::{MultiGzDecoder, ZlibDecoder};

use super::fault::{Fault, FaultKind, Sent};

/// Bytes decoded at once. The formats expand at most about a thousand times, so that a step gives at
/// most 4 MB, and the reader's own bound is checked between steps.
const STEP: usize = 4 * 1024;

enum Format {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Deflate(Box<ZlibDecoder<Vec<u8>>>),
}

/// A streaming decoder.
pub(super) struct Decoder {
    format: Format,
    input: Bytes,
}

impl Decoder {
    pub(super) fn gzip() -> Self {
        let format = Format::Gzip(Box::new(MultiGzDecoder::new(Vec::new())));
        Self { format, input: Bytes::new() }
    }

    pub(super) fn deflate() -> Self {
        let format = Format::Deflate(Box::new(ZlibDecoder::new(Vec::new())));
        Self { format, input: Bytes::new() }
    }

    /// Takes encoded bytes; what came before has to be drained by `next_piece` first.
    pub(super) fn feed(&mut self, data: Bytes) {
        self.input = data;
    }

    /// Decodes on, as far as something comes out; `None` when more input is needed.
    pub(super) fn next_piece(&mut self) -> Option<Result<Bytes, Fault>> {
        while self.input.has_remaining() {
            let step = self.input.split_to(self.input.len().min(STEP));
            match self.step(&step) {
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => return Some(Ok(Bytes::from(piece))),
                Err(error) => return Some(Err(broken(&error))),
            }
        }
        None
    }

    fn step(&mut self, input: &[u8]) -> std::io::Result<Vec<u8>> {
        match &mut self.format {
            Format::Gzip(decoder) => {
                decoder.write_all(input)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
            Format::Deflate(decoder) => {
                decoder.write_all(input)?;
                decoder.flush()?;
                Ok(std::mem::take(decoder.get_mut()))
            }
        }
    }

    /// Checks that the encoding came to its end.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        let ended = match &mut self.format {
            Format::Gzip(decoder) => decoder.try_finish(),
            Format::Deflate(decoder) => decoder.try_finish(),
        };
        ended.map_err(|error| broken(&error))
    }
}

fn broken(error: &std::io::Error) -> Fault {
    Fault::new(FaultKind::Encoding, Sent::Maybe, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn decode(mut decoder: Decoder, encoded: &[u8], cut: usize) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        for piece in encoded.chunks(cut) {
            decoder.feed(Bytes::copy_from_slice(piece));
            while let Some(piece) = decoder.next_piece() {
                out.extend_from_slice(&piece?);
            }
        }
        decoder.finish()?;
        Ok(out)
    }

    #[test]
    fn bodies_are_decoded_however_they_are_cut() {
        let text = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}".repeat(20);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(&text).unwrap();
        let zlib = zlib.finish().unwrap();
        for cut in [1, 7, 100_000] {
            assert_eq!(decode(Decoder::gzip(), &gzip(&text), cut).unwrap(), text);
            assert_eq!(decode(Decoder::deflate(), &zlib, cut).unwrap(), text);
        }
    }

    #[test]
    fn a_flushed_event_comes_out_before_the_stream_ends() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"data: 1\n\n").unwrap();
        encoder.flush().unwrap();
        let mut decoder = Decoder::gzip();
        decoder.feed(Bytes::copy_from_slice(encoder.get_ref()));
        assert_eq!(&decoder.next_piece().unwrap().unwrap()[..], b"data: 1\n\n");
    }

    #[test]
    fn a_bomb_comes_out_in_bounded_pieces() {
        let bomb = gzip(&vec![b' '; 64 * 1024 * 1024]);
        let mut decoder = Decoder::gzip();
        decoder.feed(Bytes::from(bomb));
        let piece = decoder.next_piece().unwrap().unwrap();
        assert!(piece.len() < 5 * 1024 * 1024, "{}", piece.len());
    }

    #[test]
    fn a_broken_or_truncated_body_is_a_fault() {
        let whole = gzip(b"hello");
        assert!(decode(Decoder::gzip(), &whole[..whole.len() - 4], 100).is_err());
        assert!(decode(Decoder::gzip(), b"\x1f\x8bnonsense that is not gzip", 100).is_err());
    }
}
