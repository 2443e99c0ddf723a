//! Masking (RFC 6455, section 5.3): the payload of a client's frames is XORed with a key that
//! nobody can predict.

use std::fmt;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Masks or unmasks `payload` in place. `position` is where in the frame's payload it starts.
pub fn apply(payload: &mut [u8], key: [u8; 4], position: u64) {
    // Start the key where the frame's payload is at; the words below then all see the same key.
    let key: [u8; 4] = std::array::from_fn(|at| key[(at + (position % 4) as usize) % 4]);
    let word = u128::from_ne_bytes(std::array::from_fn(|at| key[at % 4]));

    let (words, rest) = payload.as_chunks_mut::<16>();
    for bytes in words {
        *bytes = (u128::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// Appends a piece of a payload, masked or unmasked. It is copied in parts, so that each is masked while
/// it is still near.
pub fn append(out: &mut Vec<u8>, piece: &[u8], key: [u8; 4], position: u64) {
    /// A multiple of the key's length, so that the key is the same for each part.
    const PART: usize = 4 << 10;
    for part in piece.chunks(PART) {
        let start = out.len();
        out.extend_from_slice(part);
        apply(&mut out[start..], key, position);
    }
}

/// A source of masking keys (section 10.3: from strong entropy, unpredictable). Boxed, so that a
/// connection that masks nothing does not pay for its state.
pub struct Keys(Box<StdRng>);

impl Keys {
    pub fn new(seed: [u8; 32]) -> Self {
        Self(Box::new(StdRng::from_seed(seed)))
    }

    /// A fresh key.
    pub fn draw(&mut self) -> [u8; 4] {
        self.0.next_u32().to_ne_bytes()
    }
}

impl fmt::Debug for Keys {
    /// Shows nothing: the state foretells every key to come.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_length_at_any_position_is_masked_like_byte_by_byte() {
        let key = [1, 2, 4, 8];
        for len in 0..70 {
            for position in 0..9 {
                let mut masked: Vec<u8> = (0..len).collect();
                apply(&mut masked, key, position);
                for (at, byte) in masked.iter().enumerate() {
                    let expected = at as u8 ^ key[(at + position as usize) % 4];
                    assert_eq!(
                        *byte, expected,
                        "length {len}, position {position}, byte {at}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_is_appended_is_masked_as_a_whole() {
        let payload: Vec<u8> = (0..10_000).map(|at| at as u8).collect();
        for position in 0..5 {
            let mut masked = payload.clone();
            apply(&mut masked, [1, 2, 4, 8], position);
            let mut out = b"head".to_vec();
            append(&mut out, &payload, [1, 2, 4, 8], position);
            assert_eq!(out, [&b"head"[..], &masked].concat());
        }
    }

    #[test]
    fn keys_depend_on_the_seed_and_do_not_repeat() {
        let draw = |seed| {
            let mut keys = Keys::new([seed; 32]);
            [keys.draw(), keys.draw(), keys.draw()]
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let [first, second, third] = draw(1);
        assert!(first != second && second != third && first != third);
    }
}
