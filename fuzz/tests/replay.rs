//! The committed seeds and some thousand mutations of them, on stable.

use std::path::Path;
use std::{fs, panic};

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let entries = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let mut seeds: Vec<_> = entries
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    seeds.sort();
    seeds
}

/// Numbers that look random and are the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

/// One to four small changes: a byte replaced, put in or taken out, a stretch of another seed put in.
fn mutated(seed: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    const TELLING: &[u8] = b" \t\r\n\x0b\x0c+-.0123456789/CRSAT?=abf\x00\x7f\x85\xa0\xc2\xe2\xff";
    let mut data = seed.to_vec();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(data.len() + 1);
        let telling = TELLING[dice.roll(TELLING.len())];
        // Where bytes are choices, small numbers are telling.
        let byte = if dice.roll(3) == 0 { dice.roll(17) as u8 } else { telling };
        match dice.roll(4) {
            0 if at < data.len() => data[at] = byte,
            1 if at < data.len() => drop(data.remove(at)),
            2 if !other.is_empty() => {
                let from = dice.roll(other.len());
                let to = from + dice.roll(other.len() - from + 1);
                data.splice(at..at, other[from..to].iter().copied());
            }
            _ => data.insert(at, byte),
        }
    }
    data
}

fn run(target: &str, check: herd_fuzz::Check, name: &str, data: &[u8]) {
    let result = panic::catch_unwind(|| check(data));
    assert!(result.is_ok(), "{target}: {name} fails on {}", data.escape_ascii());
}

#[test]
fn every_seed_passes() {
    for (target, check) in herd_fuzz::TARGETS {
        let seeds = seeds(target);
        assert!(seeds.len() >= 20, "{target} has {} seeds", seeds.len());
        for (name, data) in seeds {
            run(target, check, &name, &data);
        }
    }
}

/// How many mutations of its seeds a target gets: whole herds take longer than lines.
fn mutations(target: &str) -> usize {
    match target {
        "link_machine" | "sync_messages" => 300,
        "disk_recovery" => 3_000,
        _ => 20_000,
    }
}

#[test]
fn mutations_of_seeds_pass() {
    let mut dice = Dice(0x5eed);
    for (target, check) in herd_fuzz::TARGETS {
        let seeds = seeds(target);
        for _ in 0..mutations(target) {
            let (name, seed) = &seeds[dice.roll(seeds.len())];
            let (_, other) = &seeds[dice.roll(seeds.len())];
            // Long seeds are about their length, which small changes do not touch.
            if seed.len() < 2_000 && other.len() < 2_000 {
                run(target, check, name, &mutated(seed, other, &mut dice));
            }
        }
    }
}
