//! Texts of the wire from choices: each by the grammar of WIRE.md, so that it must be taken, and of every shape that there is.

use crate::choices::Choices;

const NAME: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
/// What a client ID may have: everything but six kinds of white space, even what looks like some.
const ID: [char; 16] = [
    'k',
    'i',
    'w',
    '.',
    '-',
    '_',
    '+',
    '?',
    '\0',
    '\u{1c}',
    '\u{7f}',
    '\u{85}',
    '\u{a0}',
    'é',
    '\u{2028}',
    '\u{1f411}',
];
const KEY: &[u8] = b"abcxyzABCXYZ0129-";
const CODE: &[u8] = b"abcdefxyz-";
const PRINTABLE: &[u8] = b" !\"#$%&'()*+,-./0123456789:;<=>?@AZ[\\]^_`az{|}~";

/// Mostly short, and at times as long as can be.
fn len(choices: &mut Choices<'_>, longest: usize) -> usize {
    match choices.byte() {
        255 => longest,
        byte => usize::from(byte) % longest.min(12) + 1,
    }
}

fn text(choices: &mut Choices<'_>, letters: &[u8], longest: usize) -> String {
    (0..len(choices, longest)).map(|_| char::from(choices.pick(letters))).collect()
}

/// 1 to 64 letters, digits and `-_.`, the first a letter or digit.
pub(crate) fn name(choices: &mut Choices<'_>) -> String {
    let name = text(choices, NAME, 64);
    if name.starts_with(['-', '_', '.']) { format!("r{}", &name[1..]) } else { name }
}

/// 1 to 4,096 bytes.
pub(crate) fn client(choices: &mut Choices<'_>) -> String {
    match choices.byte() {
        255 => "k".repeat(4_096),
        254 => "é".repeat(2_048),
        byte => (0..byte % 16 + 1).map(|_| choices.pick(&ID)).collect(),
    }
}

fn digits(choices: &mut Choices<'_>, longest: usize) -> String {
    text(choices, b"0123456789", longest)
}

/// Nothing, or a point and digits.
fn fraction(choices: &mut Choices<'_>, longest: usize) -> String {
    if choices.flag() { format!(".{}", digits(choices, longest)) } else { String::new() }
}

/// Latitude and longitude in degrees, minutes or seconds, and what may follow.
pub(crate) fn location(choices: &mut Choices<'_>) -> String {
    let pairs = choices.below(3);
    let mut location = angle(choices, 90, 2, pairs) + &angle(choices, 180, 3, pairs);
    if choices.flag() {
        location += &format!("{}{}{}", sign(choices), digits(choices, 6), fraction(choices, 20));
    }
    if choices.flag() {
        location += &format!("CRS{}", text(choices, NAME, 20));
    }
    location + if choices.flag() { "/" } else { "" }
}

fn sign(choices: &mut Choices<'_>) -> char {
    choices.pick(&['+', '-'])
}

/// At most `most` degrees in `width` digits, or fewer where no minutes follow.
fn angle(choices: &mut Choices<'_>, most: usize, width: usize, pairs: usize) -> String {
    let degrees = choices.below(most + 1);
    let mut angle = sign(choices).to_string();
    if pairs == 0 {
        let width = choices.below(width + 1);
        angle += &format!("{degrees:0width$}");
    } else {
        angle += &format!("{degrees:0width$}");
    }
    for _ in 0..pairs {
        let sixtieths = if degrees == most { 0 } else { choices.below(60) };
        angle += &format!("{sixtieths:02}");
    }
    let fraction = fraction(choices, 30);
    // Just beyond the rim is beyond it.
    angle + &if degrees == most { fraction.replace(|digit: char| digit.is_ascii_digit(), "0") } else { fraction }
}

/// Seconds below 2^64, with any zeros before them, and up to nine digits more.
pub(crate) fn time(choices: &mut Choices<'_>) -> String {
    let (zeros, seconds) = (choices.pick(&[0, 0, 0, 1, 5, 40]), choices.edgy());
    format!("{}{seconds}{}", "0".repeat(zeros), fraction(choices, 9))
}

/// More than 0 and at most 50 kilometres.
pub(crate) fn radius(choices: &mut Choices<'_>) -> String {
    match choices.below(51) {
        0 => format!("0.{}1{}", "0".repeat(choices.below(12)), digits(choices, 20)),
        50 => ["50", "050", "50.0", "50.0000000000000"][choices.below(4)].to_owned(),
        whole => format!("{whole}{}", fraction(choices, 30)),
    }
}

/// `-` or one to four hexadecimal digits.
pub(crate) fn prefix(choices: &mut Choices<'_>, longest: usize) -> String {
    match choices.below(longest + 1) {
        0 => "-".to_owned(),
        len => (0..len).map(|_| char::from(choices.pick(b"0123456789abcdef"))).collect(),
    }
}

/// `key=value`s.
pub(crate) fn settings(choices: &mut Choices<'_>) -> Vec<(String, String)> {
    let visible = &PRINTABLE[1..];
    let one = |choices: &mut Choices<'_>| {
        let key = text(choices, visible, 20).replace('=', "-");
        let value = if choices.flag() { text(choices, visible, 20) } else { String::new() };
        (key, value)
    };
    (0..choices.below(4)).map(|_| one(choices)).collect()
}

/// 1 to 64 letters, digits and `-`.
pub(crate) fn key_id(choices: &mut Choices<'_>) -> String {
    text(choices, KEY, 64)
}

/// An error code, which need not be one that is known.
pub(crate) fn code(choices: &mut Choices<'_>) -> String {
    text(choices, CODE, 32)
}

/// 1 to 1,024 printable characters, spaces among them.
pub(crate) fn free_text(choices: &mut Choices<'_>) -> String {
    text(choices, PRINTABLE, 1_024)
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
