//! Reading a reply's body under a cap, counted as it arrives and again as it inflates.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Body, Incoming};
use hyper::header::CONTENT_ENCODING;

/// Why a body could not be read.
#[derive(Debug)]
pub(super) enum BodyError {
    TooLarge,
    /// Compressed in a way that was not asked for, or badly.
    Encoding,
    Broken(hyper::Error),
}

/// Reads all of `body`, at most `max` bytes of it compressed and inflated.
pub(super) async fn read(headers: &HeaderMap, body: Incoming, max: usize) -> Result<Vec<u8>, BodyError> {
    let encoding = headers.get(CONTENT_ENCODING).map(hyper::header::HeaderValue::as_bytes);
    match encoding {
        None | Some(b"" | b"identity") => collect(body, max).await,
        Some(name) if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") => {
            inflate(&collect(body, max).await?, max)
        }
        Some(_) => Err(BodyError::Encoding),
    }
}

async fn collect(mut body: Incoming, max: usize) -> Result<Vec<u8>, BodyError> {
    // What the upstream announces is believed only when it is too much.
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(BodyError::TooLarge);
    }
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let data: Bytes = frame.map_err(BodyError::Broken)?.into_data().unwrap_or_default();
        if data.len() > max - read.len() {
            return Err(BodyError::TooLarge);
        }
        read.extend_from_slice(&data);
    }
    Ok(read)
}

fn inflate(compressed: &[u8], max: usize) -> Result<Vec<u8>, BodyError> {
    let mut inflated = Vec::new();
    let bound = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    // One byte more than allowed is all that a bomb gets to inflate.
    MultiGzDecoder::new(compressed).take(bound).read_to_end(&mut inflated).map_err(|_| BodyError::Encoding)?;
    if inflated.len() > max { Err(BodyError::TooLarge) } else { Ok(inflated) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::{BodyError, inflate};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn inflates_up_to_the_cap() {
        assert_eq!(inflate(&gzip(b"0123456789"), 10).unwrap(), b"0123456789");
        assert!(matches!(inflate(&gzip(b"0123456789a"), 10), Err(BodyError::TooLarge)));
        let bomb = gzip(&vec![b' '; 1 << 20]);
        assert!(bomb.len() < 1100 && matches!(inflate(&bomb, 4096), Err(BodyError::TooLarge)));
    }

    #[test]
    fn refuses_bad_gzip() {
        let good = gzip(b"0123456789");
        for bad in [b"".as_slice(), b"{}", &good[..good.len() - 3], &[&good[..], b"x"].concat()] {
            assert!(matches!(inflate(bad, 100), Err(BodyError::Encoding)));
        }
    }
}
