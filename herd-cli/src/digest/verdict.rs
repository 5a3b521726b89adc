//! Whether servers agree, in one line.

use herd_cli::ServerStatus;

use super::Row;
use crate::exit::ExitCode;

/// Digits of a root that are shown where it stands in a sentence.
const ROOT_DIGITS: usize = 12;

/// What the answers come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// One line for people.
    pub(crate) sentence: String,
    /// Servers that were asked.
    pub(crate) asked: usize,
    /// Servers that answered.
    pub(crate) answered: usize,
    /// How many different things they hold.
    kinds: usize,
}

/// Servers that hold the same.
struct Group<'a> {
    names: Vec<&'a str>,
    status: &'a ServerStatus,
}

impl Verdict {
    pub(super) fn of(rows: &[Row]) -> Self {
        let groups = groups(rows);
        let answered = groups.iter().map(|group| group.names.len()).sum();
        let missing: Vec<String> = rows.iter().filter_map(missing).collect();
        let sentence = match &groups[..] {
            [] => format!("no server answered: {}", missing.join("; ")),
            [group] if missing.is_empty() => all_agree(group),
            [group] => format!("{}; {}", missing.join("; "), others_agree(group)),
            groups => {
                let of_one_herd = groups.windows(2).all(|pair| pair[0].status.herd == pair[1].status.herd);
                let parts = groups.iter().map(|group| holds(group, !of_one_herd)).chain(missing);
                format!("differ: {}", parts.collect::<Vec<_>>().join("; "))
            }
        };
        Self { sentence, asked: rows.len(), answered, kinds: groups.len() }
    }

    /// Whether some that answered hold something else than others.
    pub(crate) const fn differs(&self) -> bool {
        self.kinds > 1
    }

    /// Whether all answered and hold the same.
    pub(crate) const fn agree(&self) -> bool {
        self.kinds == 1 && self.answered == self.asked
    }

    pub(super) const fn code(&self) -> ExitCode {
        match self.answered {
            0 => ExitCode::Unanswered,
            _ if self.agree() => ExitCode::Answered,
            _ => ExitCode::Refused,
        }
    }
}

/// The servers that answered, by what they hold: the largest group first, and else in the order they were asked in.
fn groups(rows: &[Row]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for status in rows.iter().filter_map(|row| row.status.as_ref().ok()) {
        let what = |status: &ServerStatus| (status.herd.clone(), status.records, status.root.clone());
        match groups.iter_mut().find(|group| what(group.status) == what(status)) {
            Some(group) => group.names.push(&status.name),
            None => groups.push(Group { names: vec![&status.name], status }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.names.len()));
    groups
}

fn missing(row: &Row) -> Option<String> {
    row.status.as_ref().err().map(|why| format!("{} not reached: {why}", row.name()))
}

fn all_agree(group: &Group<'_>) -> String {
    match group.names[..] {
        [_] => format!("{}; no other server was asked", holds(group, false)),
        _ => format!("{count} of {count} servers agree: {}", what(group.status), count = group.names.len()),
    }
}

fn others_agree(group: &Group<'_>) -> String {
    match group.names[..] {
        [_] => holds(group, false),
        _ => format!("the other {} agree: {}", group.names.len(), what(group.status)),
    }
}

/// `Riley, Jaquez hold 12 records, root 3f2a91c0d4e5…`.
fn holds(group: &Group<'_>, with_herd: bool) -> String {
    let verb = if group.names.len() == 1 { "holds" } else { "hold" };
    let herd = if with_herd { format!(" of herd {}", group.status.herd) } else { String::new() };
    format!("{}{herd} {verb} {}", group.names.join(", "), what(group.status))
}

fn what(status: &ServerStatus) -> String {
    let unit = if status.records == 1 { "record" } else { "records" };
    let digits = status.root.get(..ROOT_DIGITS).unwrap_or(&status.root);
    format!("{} {unit}, root {digits}…", grouped(status.records))
}

/// `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::Target;
    use super::*;

    /// Herd, records and the digit that the root is made of; or why there is none.
    type Said<'a> = Result<(&'a str, u64, char), &'a str>;

    fn row(name: &str, status: Said<'_>) -> Row {
        let target = Target { name: name.to_owned(), expected: None, address: Err(""), token: None };
        let status = status.map_err(str::to_owned).map(|(herd, records, digit)| {
            let root = digit.to_string().repeat(32);
            let json = format!(
                r#"{{"name":"{name}","herd":"{herd}","boot":"{name}","records":{records},"root":"{root}","peers":[]}}"#
            );
            serde_json::from_str(&json).unwrap()
        });
        Row { target, status, may_come: false }
    }

    fn verdict(rows: &[(&str, Said<'_>)]) -> (String, u8) {
        let rows: Vec<Row> = rows.iter().map(|(name, status)| row(name, *status)).collect();
        let verdict = Verdict::of(&rows);
        (verdict.sentence.clone(), verdict.code() as u8)
    }

    const REFUSED: Said<'_> = Err("connection refused");

    #[test]
    fn agreement_is_one_sentence() {
        let same = Ok(("ucla", 1_000_000, 'a'));
        let five = ["Riley", "Jaquez", "Juzang", "Campbell", "Bernard"].map(|name| (name, same));
        assert_eq!(verdict(&five), ("5 of 5 servers agree: 1,000,000 records, root aaaaaaaaaaaa…".to_owned(), 0));
        assert_eq!(
            verdict(&[("Riley", Ok(("ucla", 1, '0')))]),
            ("Riley holds 1 record, root 000000000000…; no other server was asked".to_owned(), 0)
        );
    }

    #[test]
    fn those_who_differ_are_named_with_what_they_hold() {
        let rows = [
            ("Campbell", Ok(("ucla", 11, 'b'))),
            ("Riley", Ok(("ucla", 12, 'a'))),
            ("Bernard", REFUSED),
            ("Jaquez", Ok(("ucla", 12, 'a'))),
        ];
        let expected = "differ: Riley, Jaquez hold 12 records, root aaaaaaaaaaaa…; \
                        Campbell holds 11 records, root bbbbbbbbbbbb…; Bernard not reached: connection refused";
        assert_eq!(verdict(&rows), (expected.to_owned(), 1));
        // As many records, and others.
        let rows = [("Riley", Ok(("ucla", 0, 'a'))), ("Jaquez", Ok(("ucla", 0, 'b')))];
        assert_eq!(verdict(&rows).1, 1);
        // The same digest means nothing between two herds.
        let rows = [("Riley", Ok(("ucla", 3, 'a'))), ("Jaquez", Ok(("usc", 3, 'a')))];
        let expected = "differ: Riley of herd ucla holds 3 records, root aaaaaaaaaaaa…; \
                        Jaquez of herd usc holds 3 records, root aaaaaaaaaaaa…";
        assert_eq!(verdict(&rows), (expected.to_owned(), 1));
    }

    #[test]
    fn those_who_are_not_reached_are_named_with_the_reason() {
        let same = Ok(("ucla", 12, 'a'));
        let rows = [("Riley", same), ("Campbell", REFUSED), ("Jaquez", same)];
        let expected = "Campbell not reached: connection refused; the other 2 agree: 12 records, root aaaaaaaaaaaa…";
        assert_eq!(verdict(&rows), (expected.to_owned(), 1));
        let rows = [("Riley", same), ("Campbell", REFUSED)];
        let expected = "Campbell not reached: connection refused; Riley holds 12 records, root aaaaaaaaaaaa…";
        assert_eq!(verdict(&rows), (expected.to_owned(), 1));
        let rows = [("Riley", REFUSED), ("Campbell", Err("no answer within 2 s"))];
        let expected =
            "no server answered: Riley not reached: connection refused; Campbell not reached: no answer within 2 s";
        assert_eq!(verdict(&rows), (expected.to_owned(), 3));
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        let shown = [0, 12, 999, 1_000, 123_456, 1_234_567, u64::MAX].map(grouped);
        let expected = ["0", "12", "999", "1,000", "123,456", "1,234,567", "18,446,744,073,709,551,615"];
        assert_eq!(shown, expected);
    }
}
