//! Histograms as text: HdrHistogram's V2 encoding, compressed, in base64. Exact: what is read again has
//! the same count at every value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};
use zlib_rs::{Inflate, InflateFlush, Status};

use super::Hdr;

/// The name of the encoding.
const ENCODING: &str = "v2-deflate-base64";

/// What the plain form begins with.
const COOKIE: [u8; 4] = [0x1c, 0x84, 0x93, 0x13];
/// Bytes of the plain form at most: every count of three digits and 64 bits takes a tenth of it.
const MOST: usize = 4 << 20;
const CHUNK: usize = 64 << 10;
/// The largest window reads what was made for every smaller one.
const WINDOW_BITS: u8 = 15;

/// A histogram as text. The same samples are the same text, in whatever order they came together.
pub fn encoded(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    let exact = exact(histogram);
    let histogram = exact.as_ref().unwrap_or(histogram);
    // Writing to a Vec cannot fail; counts that do not fit the format cannot be reached.
    let _ = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
    BASE64.encode(bytes)
}

/// The same histogram with a range that ends at its largest value: what is encoded names the range, and
/// one that grew by itself has whatever its growing led to.
fn exact(histogram: &Histogram<u64>) -> Option<Histogram<u64>> {
    let high = histogram.max().max(2);
    let mut exact = Histogram::new_with_bounds(1, high, histogram.sigfig()).ok()?;
    exact.add(histogram).ok()?;
    Some(exact)
}

/// The histogram of a text; `None` where a file has something else in its place.
pub fn decoded(text: &str) -> Option<Histogram<u64>> {
    let bytes = BASE64.decode(text).ok()?;
    // The cookie of the compressed form and a length, neither of which is needed.
    parsed(&inflated(bytes.get(8..)?)?)
}

/// The histogram of the plain form.
fn parsed(plain: &[u8]) -> Option<Histogram<u64>> {
    let (cookie, rest) = plain.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    // The reader makes room for as much as is announced, before it sees what there is.
    let is_whole = u32::from_be_bytes(*length) as usize <= rest.len();
    if *cookie != COOKIE || !is_whole {
        return None;
    }
    Deserializer::new().deserialize(&mut &*plain).ok()
}

/// A zlib stream of at most [`MOST`] bytes.
fn inflated(mut stream: &[u8]) -> Option<Vec<u8>> {
    let mut inflate = Inflate::new(true, WINDOW_BITS);
    let mut plain = Vec::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(stream, &mut chunk, InflateFlush::NoFlush);
        // Both are at most the length of a slice.
        stream = stream.get((inflate.total_in() - before_in) as usize..)?;
        let made = (inflate.total_out() - before_out) as usize;
        plain.extend_from_slice(chunk.get(..made)?);
        match status.ok()? {
            Status::StreamEnd => return Some(plain),
            // It ends before its end, or is too large.
            _ if made < chunk.len() || plain.len() > MOST => return None,
            _ => {}
        }
    }
}

impl Hdr {
    pub fn new(histogram: &Histogram<u64>) -> Self {
        Self {
            encoding: ENCODING.into(),
            digits: histogram.sigfig(),
            data: encoded(histogram),
        }
    }

    /// The histogram; `None` where a file has something else in its place.
    pub fn decoded(&self) -> Option<Histogram<u64>> {
        decoded(&self.data)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::figures::histogram;
    use super::*;

    proptest! {
        #[test]
        fn what_is_broken_does_no_harm(
            samples in prop::collection::vec(1..u64::MAX / 2, 0..50),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            length in any::<prop::sample::Index>(),
        ) {
            let mut all = histogram();
            for sample in samples {
                all.record(sample).unwrap();
            }
            prop_assert_eq!(decoded(&encoded(&all)), Some(all.clone()));
            let bytes = BASE64.decode(encoded(&all)).unwrap();
            let cut = &bytes[..length.index(bytes.len())];
            prop_assert_eq!(decoded(&BASE64.encode(cut)), None);
            let mut plain = inflated(&bytes[8..]).unwrap();
            let at = at.index(plain.len());
            plain[at] = byte;
            // Read or refused, but never a panic.
            let _ = parsed(&plain);
            let _ = parsed(&plain[..at]);
        }
    }

    #[test]
    fn text_and_back_is_the_same() {
        let mut samples = histogram();
        assert_eq!(decoded(&encoded(&samples)), Some(samples.clone()));
        for micros in [1, 1, 812, 15_840, 1_234_567, u64::MAX / 2] {
            samples.record(micros).unwrap();
        }
        assert_eq!(Hdr::new(&samples).decoded(), Some(samples));
        for text in ["", "!", "aGVsbG8="] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
