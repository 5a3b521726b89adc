//! What bytes are written to: memory that grows, or a slice of the caller's.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;

/// Takes bytes, one after the other: what the functions of [`encode`](crate::encode) write to.
///
/// It is there for `Vec<u8>` and `bytes::BytesMut` (feature `alloc`), which grow, and for [`SliceWriter`], which does not.
/// To write straight to a UART or a ring buffer, implement it for a type of your own.
pub trait Output {
    /// Takes all of `bytes`. What has no room for them, or fails otherwise, remembers that and tells in its own way.
    fn put_slice(&mut self, bytes: &[u8]);

    /// Takes one byte.
    #[inline]
    fn put_u8(&mut self, byte: u8) {
        self.put_slice(&[byte]);
    }
}

impl<O: Output + ?Sized> Output for &mut O {
    #[inline]
    fn put_slice(&mut self, bytes: &[u8]) {
        (**self).put_slice(bytes);
    }

    #[inline]
    fn put_u8(&mut self, byte: u8) {
        (**self).put_u8(byte);
    }
}

#[cfg(feature = "alloc")]
impl Output for Vec<u8> {
    #[inline]
    fn put_slice(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn put_u8(&mut self, byte: u8) {
        self.push(byte);
    }
}

#[cfg(feature = "alloc")]
impl Output for bytes::BytesMut {
    #[inline]
    fn put_slice(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Writes into a slice, from its front. What does not fit is counted and not written, and [`finish`](Self::finish) says so.
///
/// It is a [`fmt::Write`] too, for making a value's text where there is no `String`.
///
/// ```
/// use core::fmt::Write;
/// use herd_proto::Timestamp;
/// use herd_proto::encode::SliceWriter;
///
/// let (seconds, millis) = (1_621_464_827_u64, 959_u16);
/// let mut buffer = [0; 24];
/// let mut text = SliceWriter::new(&mut buffer);
/// write!(text, "{seconds}.{millis:03}")?;
/// assert_eq!(Timestamp::new(text.finish()?)?.as_str(), "1621464827.959");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "only `finish` says whether everything fitted"]
pub struct SliceWriter<'a> {
    buffer: &'a mut [u8],
    /// How many bytes were put; more than the buffer has when they did not all fit.
    needed: usize,
}

impl<'a> SliceWriter<'a> {
    /// Nothing is written yet; there is room for `buffer.len()` bytes.
    pub const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, needed: 0 }
    }

    /// What was written, the front of the slice.
    ///
    /// # Errors
    /// Something did not fit. How many bytes it all would have taken is said.
    pub fn finish(self) -> Result<&'a [u8], TooSmall> {
        let (buffer, needed): (&'a [u8], _) = (self.buffer, self.needed);
        buffer.get(..needed).ok_or(TooSmall { size: buffer.len(), needed })
    }
}

impl Output for SliceWriter<'_> {
    #[inline]
    fn put_slice(&mut self, bytes: &[u8]) {
        let end = self.needed.saturating_add(bytes.len());
        if let Some(room) = self.buffer.get_mut(self.needed..end) {
            room.copy_from_slice(bytes);
        }
        self.needed = end;
    }
}

/// Never fails: what does not fit is told by [`finish`](SliceWriter::finish), which tells how much it was.
impl fmt::Write for SliceWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put_slice(text.as_bytes());
        Ok(())
    }
}

/// Lines, written into `buffer` by functions of [`encode`](crate::encode).
///
/// ```
/// use herd_proto::{ClientId, Location, Timestamp, encode};
///
/// let mut buffer = [0; 128];
/// let (client, location) = (ClientId::new("tracker-7")?, Location::new("+34.068930-118.445127")?);
/// let time = Timestamp::new("1621464827.959")?;
/// let line = encode::to_slice(&mut buffer, |out| encode::iamat(out, client, location, time))?;
/// assert_eq!(line, b"IAMAT tracker-7 +34.068930-118.445127 1621464827.959\n");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Errors
/// They do not fit, and how many bytes they take. The contents of `buffer` are not to be used then.
pub fn to_slice(buffer: &mut [u8], write: impl FnOnce(&mut SliceWriter<'_>)) -> Result<&[u8], TooSmall> {
    let mut out = SliceWriter::new(buffer);
    write(&mut out);
    out.finish()
}

/// A slice has no room for what was written to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{needed} bytes do not fit into {size}")]
#[non_exhaustive]
pub struct TooSmall {
    /// How many bytes the slice has.
    pub size: usize,
    /// How many it should have.
    pub needed: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_to_the_byte_fits() {
        for (size, fits) in [(0, false), (6, false), (7, true), (8, true)] {
            let mut buffer = [b'.'; 8];
            let written = to_slice(&mut buffer[..size], |out| {
                out.put_slice(b"PONG ");
                out.put_u8(b'7');
                out.put_u8(b'\n');
            });
            let expected: Result<&[u8], _> = if fits { Ok(b"PONG 7\n") } else { Err(TooSmall { size, needed: 7 }) };
            assert_eq!(written, expected);
            assert!(buffer[size..].iter().all(|byte| *byte == b'.'));
        }
    }

    #[test]
    fn nothing_is_written_behind_a_gap() {
        let mut buffer = [0; 4];
        let error = to_slice(&mut buffer, |out| {
            out.put_slice(b"ab");
            out.put_slice(b"too long");
            out.put_u8(b'c');
        });
        assert_eq!(error, Err(TooSmall { size: 4, needed: 11 }));
        assert_eq!(buffer, *b"ab\0\0");
    }
}
