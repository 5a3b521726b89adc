//! The operator's own files of places, each read by what its extension says it is.

mod csv;
mod feature;
mod geojson;
mod record;
#[cfg(test)]
mod tests;
mod tsv;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::{Expected, LoadError};
use super::gazetteer::{Builder, Gazetteer};
use record::{Fault, Sink};

/// The largest file, 1 GiB: it is read whole, and a mistyped path must not take all memory.
const FILE_MAX: u64 = 1 << 30;

/// Reads all `files` into one gazetteer.
pub(super) fn load(files: &[PathBuf]) -> Result<Gazetteer, LoadError> {
    let mut builder = Builder::default();
    for file in files {
        let before = builder.len();
        read(file, &mut builder)?;
        if builder.len() == before {
            return Err(LoadError::Empty { file: file.clone() });
        }
    }
    Ok(builder.finish())
}

fn read(file: &Path, builder: &mut Builder) -> Result<(), LoadError> {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
    let reader: fn(&str, &mut Sink<'_>) -> Result<(), Fault> = match extension.as_str() {
        "tsv" | "txt" => tsv::read,
        "csv" => csv::read,
        "geojson" | "json" => geojson::read_collection,
        "geojsonl" | "geojsons" | "geojsonseq" => geojson::read_sequence,
        _ => return Err(LoadError::Extension { file: file.to_path_buf() }),
    };
    let bytes = contents(file)?;
    text(&bytes).and_then(|text| reader(text, &mut Sink::new(builder))).map_err(|fault| LoadError::Line {
        file: file.to_path_buf(),
        line: fault.line,
        feature: fault.feature,
        field: fault.field,
        expected: fault.expected,
    })
}

fn contents(file: &Path) -> Result<Vec<u8>, LoadError> {
    let fault = |source| LoadError::Read { file: file.to_path_buf(), source };
    let too_large = || LoadError::TooLarge { file: file.to_path_buf(), bytes_max: FILE_MAX };
    let mut open = File::open(file).map_err(fault)?;
    if open.metadata().map_err(fault)?.len() > FILE_MAX {
        return Err(too_large());
    }
    // Devices and pipes have no length, and files grow.
    let mut bytes = Vec::new();
    open.by_ref().take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(fault)?;
    if bytes.len() as u64 > FILE_MAX { Err(too_large()) } else { Ok(bytes) }
}

/// The text without its byte order mark, which spreadsheets write.
fn text(bytes: &[u8]) -> Result<&str, Fault> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            Err(Fault::new(line_after(valid), "text", Expected::Utf8))
        }
    }
}

/// The number of the line that begins or goes on after `bytes`.
fn line_after(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count() + 1
}
