//! Files that are read whole, up to a limit: a wrong name may be that of a device that never ends.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// It cannot be read, or is larger, which the error says together with the limit.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    take(File::open(path)?, most)
}

/// Reads to the end, which comes after at most `most` bytes.
///
/// # Errors
/// As [`read`].
pub fn take(from: impl Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more tells that there are too many.
    from.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(Error::new(ErrorKind::FileTooLarge, too_large(most)));
    }
    Ok(bytes)
}

fn too_large(most: u64) -> String {
    match most >> 20 {
        0 => format!("it is larger than {} KiB", most >> 10),
        mebibytes => format!("it is larger than {mebibytes} MiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_read_up_to_the_limit() {
        assert_eq!(take(&b"abc"[..], 3).unwrap(), b"abc");
        let error = take(std::io::repeat(0), 64 << 10).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it is larger than 64 KiB");
        let error = take(std::io::repeat(0), 2 << 20).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 2 MiB");
    }
}
