//! Files of the disk log, whole and damaged: a start finds what an oracle finds that reads them the plain way, invents nothing, and
//! what it goes on with can be read again.
//!
//! Input: choices of files, of what is in each, and of what is done to it then ([`Choices`]).

use std::collections::BTreeMap;

use bytes::Bytes;
use herd_node::disk::{Finding, OpenError, read_image};

use crate::choices::Choices;

const HERD: &str = "ucla";
const SERVER: &str = "Riley";
const HEADER: &[u8] = b"herd-log/1 ucla Riley";
/// Longer lines are damage.
const LINE_MAX: usize = 65_536;

/// Checks what `data` describes.
///
/// # Panics
/// When the product breaks a promise.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut disk = Disk::default();
    for _ in 0..=choices.below(4) {
        disk.add_file(&mut choices);
    }
    let (found, records) = match (read(&disk.files), expect(&disk.files)) {
        (Ok(found), Some(expected)) => {
            assert_eq!(Expected::of(&found), expected);
            found
        }
        (Err(OpenError::Foreign { .. } | OpenError::Version { .. }), None) => return,
        (found, expected) => panic!("{found:?}, but the oracle says {expected:?}"),
    };
    assert!(records.iter().all(|record| disk.written.contains(record)), "a record that nobody wrote");
    goes_on(&disk.files, &found, &records);
}

type Files = BTreeMap<String, Vec<u8>>;

/// What a start finds, and the records that it was given.
fn read(files: &Files) -> Result<(Finding, Vec<Vec<u8>>), OpenError> {
    let mut records = Vec::new();
    let mut take = |operands: &[u8]| {
        records.push(operands.to_vec());
        is_taken(operands)
    };
    let image = files.iter().map(|(name, bytes)| (name.clone(), Bytes::copy_from_slice(bytes)));
    let found = read_image(image, HERD, SERVER, &mut take)?;
    Ok((found, records))
}

/// The caller may refuse what it can't read; here it is what ends with `!`.
fn is_taken(operands: &[u8]) -> bool {
    operands.last() != Some(&b'!')
}

/// Cut where it is to be cut and written to, the log has what it had and the new record.
fn goes_on(files: &Files, found: &Finding, records: &[Vec<u8>]) {
    let mut files = files.clone();
    for name in &found.leftovers {
        files.remove(name);
    }
    let newest = files.keys().filter_map(|name| Name::of(name)).map(|name| name.generation).max().unwrap_or_default();
    let log = match &found.log {
        Some((name, kept)) => {
            let log = files.get_mut(name).expect("a log that is there");
            log.truncate(usize::try_from(*kept).unwrap());
            log
        }
        None => {
            let name = format!("log-{:010}", newest + 1);
            files.entry(name).or_insert_with(|| checked(HEADER))
        }
    };
    log.extend_from_slice(&checked(b"AT Riley +0.5 new +1+2 3"));
    let (again, mut seen) = read(&files).expect("it was readable");
    assert_eq!(again.recovered.cut_bytes, 0);
    assert_eq!(again.recovered.damaged, found.recovered.damaged, "what was cut off is gone, and nothing else");
    let at = seen.iter().position(|record| record == b"Riley +0.5 new +1+2 3").expect("the new record");
    seen.remove(at);
    assert_eq!(seen, records);
}

/// Files, and every record that any of them was given.
#[derive(Default)]
struct Disk {
    files: Files,
    written: Vec<Vec<u8>>,
}

impl Disk {
    fn add_file(&mut self, choices: &mut Choices<'_>) {
        let (kind, generation) = (choices.pick(&["log", "snapshot"]), choices.below(4));
        let end = choices.pick(&["", "", "", "", "", "", ".new", ".old"]);
        let mut bytes = Vec::new();
        let mut records = 0_u64;
        if choices.below(8) != 0 {
            bytes.extend_from_slice(&checked(HEADER));
        }
        for _ in 0..choices.below(12) {
            records += self.add_line(choices, &mut bytes);
        }
        if kind == "snapshot" && choices.below(4) != 0 {
            bytes.extend_from_slice(&checked(format!("END {records}").as_bytes()));
        }
        for _ in 0..choices.below(4) {
            damage(choices, &mut bytes);
        }
        self.files.insert(format!("{kind}-{generation:010}{end}"), bytes);
    }

    /// One more line, nearly always a record. How many it has.
    fn add_line(&mut self, choices: &mut Choices<'_>, bytes: &mut Vec<u8>) -> u64 {
        let text: Vec<u8> = match choices.below(16) {
            0 => choices.take(24).to_vec(),
            1 => [b"AT ", choices.take(24)].concat(),
            2 => format!("END {}", choices.edgy()).into_bytes(),
            3 => [b"END ", choices.take(4)].concat(),
            4 => [&b"herd-log/"[..], choices.take(16)].concat(),
            5 => HEADER.to_vec(),
            6 => [&b"AT "[..], &vec![b'x'; long(choices).min(LINE_MAX) - choices.below(24)]].concat(),
            kind => {
                format!("AT Riley +0.5 c{} +1+2 {kind}{}", choices.below(8), choices.pick(&["", "", "", "!"])).into()
            }
        };
        // What holds an LF is several lines when it is read, of which none has its checksum but by chance.
        if let Some(operands) = text.strip_prefix(b"AT ").filter(|operands| !operands.contains(&b'\n')) {
            self.written.push(operands.to_vec());
        }
        bytes.extend_from_slice(&checked(&text));
        u64::from(text.starts_with(b"AT "))
    }
}

/// Something that disks, and people, do.
fn damage(choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    let place = |choices: &mut Choices<'_>| match usize::from(choices.byte()) << 8 | usize::from(choices.byte()) {
        // Near the end, mostly: that is where power cuts do it.
        at if at < 0x8000 => bytes.len() - at % (bytes.len().min(64) + 1),
        at => at % (bytes.len() + 1),
    };
    let (from, to) = (place(choices), place(choices));
    let (from, to) = (from.min(to), from.max(to));
    match choices.below(8) {
        0 | 1 => bytes.truncate(from),
        2 | 3 => {
            if let Some(byte) = bytes.get_mut(from) {
                *byte ^= choices.byte();
            }
        }
        4 => drop(bytes.drain(from..to)),
        5 => {
            let put = choices.take(12).to_vec();
            bytes.splice(from..to, put).for_each(drop);
        }
        6 => {
            let twice = bytes[from..to].to_vec();
            bytes.splice(from..from, twice).for_each(drop);
        }
        _ => {
            let endless = vec![choices.pick(b"x\0"); long(choices)];
            let behind = bytes.split_off(from);
            bytes.extend([endless, behind].concat());
        }
    }
}

/// Short, since long takes long; rarely as long as a line may be, or longer, or longer than is read at once.
fn long(choices: &mut Choices<'_>) -> usize {
    match [choices.byte(), choices.byte()] {
        [255, 255] => 1_200_000,
        [255, 254] => LINE_MAX + 1,
        [255, 253] => LINE_MAX,
        [byte, _] => 100 + usize::from(byte),
    }
}

/// A line with its checksum.
fn checked(text: &[u8]) -> Vec<u8> {
    [format!("{:08x} ", crc32(text)).as_bytes(), text, b"\n"].concat()
}

/// The CRC-32 of zlib and Ethernet.
fn crc32(text: &[u8]) -> u32 {
    const OF_BYTE: [u32; 256] = {
        let mut table = [0; 256];
        let mut at = 0;
        while at < 8 * 256 {
            let before = if at % 8 == 0 { at as u32 / 8 } else { table[at / 8] };
            table[at / 8] = if before & 1 == 1 { before >> 1 ^ 0xedb8_8320 } else { before >> 1 };
            at += 1;
        }
        table
    };
    !text.iter().fold(!0, |crc: u32, byte| crc >> 8 ^ OF_BYTE[usize::from(crc as u8 ^ byte)])
}

/// What a start has to find.
#[derive(Debug, Default, PartialEq, Eq)]
struct Expected {
    taken: u64,
    damaged: u64,
    cut_bytes: u64,
    files: u64,
    bytes: u64,
    log: Option<(String, u64)>,
    leftovers: Vec<String>,
    records: Vec<Vec<u8>>,
}

impl Expected {
    fn of((found, records): &(Finding, Vec<Vec<u8>>)) -> Self {
        let mut leftovers = found.leftovers.clone();
        leftovers.sort();
        Self {
            taken: found.recovered.records,
            damaged: found.recovered.damaged,
            cut_bytes: found.recovered.cut_bytes,
            files: found.recovered.files,
            bytes: found.recovered.bytes,
            log: found.log.clone(),
            leftovers,
            records: records.clone(),
        }
    }
}

/// The name of a file of the disk log's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    generation: u64,
    is_log: bool,
    is_finished: bool,
}

impl Name {
    fn of(text: &str) -> Option<Self> {
        let is_finished = !text.ends_with(".new");
        let (kind, digits) = text.strip_suffix(".new").unwrap_or(text).split_once('-')?;
        Some(Self { generation: digits.parse().ok()?, is_log: kind == "log", is_finished })
    }
}

/// A line that is as it was written: its text.
fn whole(line: &[u8]) -> Option<&[u8]> {
    let text = line.get(9..).filter(|_| line.len() <= LINE_MAX)?;
    (line[..9] == *format!("{:08x} ", crc32(text)).as_bytes()).then_some(text)
}

fn is_header(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'/').next() == Some(b"herd-log")
}

fn end_of(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text.strip_prefix(b"END ")?).ok()?.parse().ok()
}

/// `None`: a file is somebody else's.
fn expect(files: &Files) -> Option<Expected> {
    let mut expected = Expected::default();
    let mut finished: Vec<(Name, &str, &[u8])> = Vec::new();
    for (text, bytes) in files {
        match Name::of(text) {
            Some(name) if name.is_finished => finished.push((name, text, bytes)),
            Some(_) => expected.leftovers.push(text.clone()),
            None => {}
        }
    }
    finished.sort();
    if finished.iter().any(|(.., bytes)| header(bytes).is_some_and(|header| header != HEADER)) {
        return None;
    }
    let is_complete = |(name, _, bytes): &&(Name, &str, &[u8])| {
        let last = bytes.strip_suffix(b"\n").and_then(|lines| lines.rsplit(|byte| *byte == b'\n').next());
        !name.is_log && last.and_then(whole).and_then(end_of).is_some()
    };
    let first = finished.iter().rfind(is_complete).map_or(0, |(name, ..)| name.generation);
    let newest_log = finished.iter().rfind(|(name, ..)| name.is_log).map(|(name, ..)| *name);
    for (name, text, bytes) in finished {
        if name.generation < first {
            expected.leftovers.push(text.to_owned());
            continue;
        }
        let is_newest = newest_log == Some(name) && header(bytes).is_some();
        let kept = read_file(&mut expected, name, bytes, is_newest);
        if is_newest {
            expected.log = Some((text.to_owned(), kept));
        }
    }
    expected.leftovers.sort();
    Some(expected)
}

/// The first line, if it is whole and a header.
fn header(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().take(LINE_MAX + 1).position(|byte| *byte == b'\n')?;
    whole(&bytes[..end]).filter(|text| is_header(text))
}

/// What one file has. How many of its bytes stay, where it is the log that is gone on with.
fn read_file(expected: &mut Expected, name: Name, bytes: &[u8], is_newest: bool) -> u64 {
    let (mut at, mut lines, mut said, mut last_is_bad) = (0, 0, None, None);
    let mut damaged = u64::from(header(bytes).is_none());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").and_then(whole);
        let operands = text.and_then(|text| text.strip_prefix(b"AT "));
        let end = text.and_then(end_of).filter(|_| !name.is_log);
        last_is_bad = None;
        if let Some(operands) = operands {
            lines += 1;
            expected.records.push(operands.to_vec());
            *if is_taken(operands) { &mut expected.taken } else { &mut damaged } += 1;
        } else if end.is_some() {
            said = end;
        } else if at > 0 {
            lines += 1;
            damaged += 1;
            last_is_bad = Some(at);
        }
        at += line.len();
    }
    expected.files += 1;
    expected.bytes += bytes.len() as u64;
    let cut_at = last_is_bad.filter(|_| is_newest).unwrap_or(bytes.len());
    damaged -= u64::from(cut_at < bytes.len());
    expected.cut_bytes += (bytes.len() - cut_at) as u64;
    // An end may say any number.
    let missing = if name.is_log { 0 } else { said.map_or(1, |said: u64| said.saturating_sub(lines)) };
    expected.damaged = expected.damaged.saturating_add(damaged.saturating_add(missing));
    cut_at as u64
}
