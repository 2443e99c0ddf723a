//! Histograms as text: HdrHistogram's V2 encoding, compressed, in base64. Exact: what is read again has
//! the same count at every value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2DeflateSerializer};

use super::Hdr;

/// The name of the encoding.
const ENCODING: &str = "v2-deflate-base64";

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
    Deserializer::new().deserialize(&mut bytes.as_slice()).ok()
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
    use super::super::super::figures::histogram;
    use super::*;

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
