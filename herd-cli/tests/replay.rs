//! `herd-cli replay`: tracks in files, on servers that answer, refuse, or go away.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Output;
use std::sync::mpsc;

use common::{answering_all, ends, herd_cli, interrupts_are_ignored, reply, run, serve_all};
use herd_proto::Timestamp;
use serde_json::Value;

/// A server that keeps what it is told.
fn keeping() -> (std::net::SocketAddr, mpsc::Receiver<String>) {
    let (tell, told) = mpsc::channel();
    let address = answering_all(move |line| {
        let _ = tell.send(String::from_utf8_lossy(line).into_owned());
        reply(line)
    });
    (address, told)
}

fn example(name: &str) -> String {
    format!("{}/examples/tracks/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What the server was told by a replay of `file` at full speed, and the summary.
#[track_caller]
fn played(file: &str, more: &[&str]) -> (Vec<String>, Value) {
    let (server, told) = keeping();
    let output = run(server, &[&["replay", file, "--speed", "max", "--json"], more].concat());
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*complaints), (Some(0), ""));
    (told.try_iter().collect(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_gpx_is_posted_digit_for_digit() {
    let (told, summary) = played(&example("walk.gpx"), &[]);
    assert_eq!(told[0], "IAMAT Royce_Hall +34.072900-118.442100 1621464600");
    assert_eq!(told[1], "IAMAT kiwi +34.068930-118.445127 1621464827");
    assert_eq!(told[3], "IAMAT kiwi +34.069127-118.444655 1621464837.250");
    assert_eq!((told.len(), &summary["taken"], &summary["format"]), (10, &10.into(), &"gpx".into()));
    assert_eq!((&summary["first"], &summary["last"]), (&"1621464600".into(), &"1621465000".into()));
    let (told, _) = played(&example("walk.gpx"), &["--id", "me", "--altitude"]);
    assert_eq!(told[1], "IAMAT me +34.068930-118.445127+92.4 1621464827");
}

#[test]
fn nmea_keeps_its_minutes_and_goes_on_after_midnight() {
    let (told, summary) = played(&example("ferry.nmea"), &[]);
    // The first GGA is of no day that is known; of each second one sentence is posted.
    assert_eq!(told[0], "IAMAT ferry +3400.6000-11829.7600 1640995192.00");
    assert_eq!(told[1], "IAMAT ferry +3400.6078-11829.7726 1640995193.00");
    assert_eq!(told.last().unwrap(), "IAMAT ferry +3400.7170-11829.9490 1640995207.00");
    assert_eq!((told.len(), &summary["format"], &summary["rows_refused"]), (14, &"nmea".into(), &0.into()));
    // Four without a fix, the first GGA, and thirteen seconds that were told twice.
    assert_eq!(summary["rows_skipped"], 18);
}

#[test]
fn csv_columns_and_offsets_are_understood() {
    let (told, summary) = played(&example("taxis.csv"), &[]);
    assert_eq!(told[0], "IAMAT taxi-7 +48.208176+16.373819 1711796400");
    assert_eq!(told[2], "IAMAT taxi-7 +48.208311+16.373102 1711796405.5");
    assert_eq!(told[5], "IAMAT taxi-9 +48.200013+16.368120 1711796411.25");
    assert_eq!((told.len(), &summary["format"]), (6, &"csv".into()));
}

fn replay_of(text: &str, more: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("walk");
    fs::write(&file, text).unwrap();
    let server = keeping().0;
    let arguments = [&["replay", "walk", "--speed", "max"], more].concat();
    let output = herd_cli(&arguments).args(["--server", &server.to_string()]).current_dir(&directory).output().unwrap();
    drop(directory);
    output
}

#[test]
#[cfg(target_os = "linux")]
fn a_name_that_is_not_utf_8_is_escaped_and_marked() {
    use std::os::unix::ffi::OsStrExt;

    let directory = tempfile::tempdir().unwrap();
    let name = std::ffi::OsStr::from_bytes(b"a\xff.csv");
    fs::write(directory.path().join(name), "id,lat,lon,time\nkiwi,1,2,7\nkiwi,91,2,7\n").unwrap();
    let played = |format: &str| {
        let mut command = herd_cli(&["replay", "--speed", "max", "--format", format]);
        command.args(["--server", &keeping().0.to_string()]).arg(name).current_dir(&directory);
        command.output().unwrap()
    };
    let output = played("json");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["file"], &summary["escaped"]), (&"a\\xff.csv".into(), &true.into()));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("herd-cli: a\\xff.csv:3: lat: "));
    assert!(played("human").stdout.starts_with(b"a\\xff.csv: 1 point posted in "));
}

#[test]
fn bad_rows_are_refused_by_their_lines_and_the_rest_is_posted() {
    let output = replay_of("lat,lon,time\n1,2,7\n91,2,8\n1,2,9\n1,2\n", &["--json"]);
    let complaints = "herd-cli: walk:3: lat: expected a latitude from -90 to +90, found '+91'\n\
                      herd-cli: walk:5: time: expected a field in column 3\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), complaints);
    assert_eq!(output.status.code(), Some(1));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (field, value) in [("posted", 2), ("taken", 2), ("rows_refused", 2), ("refused", 0), ("unanswered", 0)] {
        assert_eq!(summary[field], value, "{field}");
    }
    assert_eq!(
        (&summary["reply"], &summary["ended"], &summary["file"]),
        (&"replay".into(), &"whole".into(), &"walk".into())
    );
}

#[test]
fn after_a_hundred_bad_rows_the_others_are_counted() {
    let output = replay_of(&format!("lat,lon,time\n1,2,7\n{}", "x,2,7\n".repeat(102)), &[]);
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert_eq!(complaints.lines().count(), 101);
    assert_eq!(complaints.lines().last(), Some("herd-cli: 2 rows more were refused"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn people_get_a_summary() {
    let output = replay_of("lat,lon,time\n1,2,7\n91,2,8\n1,2,9\n", &["--format", "human"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let (first, second) = text.split_once('\n').unwrap();
    assert!(first.starts_with("walk: 2 points posted in ") && first.ends_with(" s"), "{text}");
    assert!(second.starts_with("  2 taken, 1 row of the file refused"), "{text}");
    let raw = replay_of("lat,lon,time\n1,2,7\n", &[]);
    assert!(String::from_utf8(raw.stdout).unwrap().contains("\nposted\t1\n"));
}

#[test]
fn what_can_not_be_used_is_said_in_a_line() {
    let cases = [
        (
            "hello\n",
            &[][..],
            "herd-cli: walk: neither GPX nor NMEA 0183, nor CSV with the names of its columns in the first line\n",
        ),
        (
            "",
            &[],
            "herd-cli: walk: neither GPX nor NMEA 0183, nor CSV with the names of its columns in the first line\n",
        ),
        ("<kml/>", &[], "herd-cli: walk:1: expected <gpx>, found <kml>\n"),
        ("lat,lon\n", &[], "herd-cli: walk:1: no column is called time\n"),
        ("lat,lon,time\n", &[], "herd-cli: walk: there is no point in it that could be posted\n"),
        ("$GPGSV,1\n", &["--from", "gpx"], "herd-cli: walk:2: expected <gpx>, found the end\n"),
    ];
    for (text, more, complaint) in cases {
        let output = replay_of(text, more);
        let complaints = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{complaints}");
        assert!(complaints.starts_with(complaint) && complaints.lines().count() == 1, "{text:?}: {complaints}");
    }
    for arguments in [
        &["replay"][..],
        &["replay", "x", "--speed", "0"],
        &["replay", "x", "--id", "a b"],
        &["replay", "x", "--from", "kml"],
    ] {
        assert_eq!(herd_cli(arguments).output().unwrap().status.code(), Some(2), "{arguments:?}");
    }
    let output = run("127.0.0.1:1", &["replay", "/nowhere/walk.gpx"]);
    ends(&output, 2, "", "herd-cli: /nowhere/walk.gpx: can't be read: no such file or directory\n");
    let output = run("127.0.0.1:1", &["replay", "/"]);
    ends(&output, 2, "", "herd-cli: /: can't be read: is a directory\n");
}

#[test]
fn a_file_that_breaks_off_is_played_until_there() {
    let text = "<gpx><wpt lat='1' lon='2'><time>1970-01-01T00:00:07Z</time></wpt>\n<trk></gpx>";
    let output = replay_of(text, &["--json"]);
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(complaints.starts_with("herd-cli: walk:2: ") && complaints.lines().count() == 1, "{complaints}");
    assert_eq!(output.status.code(), Some(2));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["ended"], &summary["taken"]), (&"broken".into(), &1.into()));
}

#[test]
fn a_refusal_by_the_server_names_the_row() {
    let refusing =
        answering_all(|line| if line.ends_with(b" 8") { [b"? ", line, b"\n"].concat() } else { reply(line) });
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.csv");
    fs::write(&file, "lat,lon,time\n1,2,7\n1,2,8\n1,2,9\n").unwrap();
    let file = file.to_string_lossy();
    let output = run(refusing, &["replay", &file, "--speed", "max", "--json"]);
    let complaint = format!("herd-cli: {file}:3: the server refused it: IAMAT a +1+2 8\n");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()), (Some(1), complaint));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["taken"], &summary["refused"]), (&2.into(), &1.into()));
}

#[test]
fn nobody_there_is_told_at_once() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = run(nobody, &["replay", &example("walk.gpx")]);
    ends(&output, 3, "", &format!("herd-cli: can't connect to {nobody}: connection refused\n"));
}

/// Each connection answers two posts and is gone: what was unanswered is posted again, and counted once.
#[test]
fn a_connection_that_is_lost_is_made_again() {
    let flaky = serve_all(|stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut to = stream;
        for _ in 0..2 {
            let Some(Ok(line)) = lines.next() else { return };
            let _ = to.write_all(&reply(line.as_bytes()));
        }
    });
    let output = run(flaky, &["replay", &example("taxis.csv"), "--speed", "max", "--json", "--timeout", "5"]);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{complaints}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&summary["posted"], &summary["taken"], &summary["unanswered"]), (&6.into(), &6.into(), &0.into()));
    assert!(complaints.contains("the server closed the connection"), "{complaints}");
}

/// From a pipe each row is posted as it comes: the second line is written once the server has seen the first.
#[test]
fn standard_input_is_played_as_it_comes() {
    let (server, told) = keeping();
    let mut child = common::spawn(server, &["replay", "-", "--id", "kiwi", "--speed", "max", "--json"]);
    let mut to = child.stdin.take().unwrap();
    to.write_all(b"lat,lon,time\n1,2,7\n").unwrap();
    assert_eq!(told.recv().unwrap(), "IAMAT kiwi +1+2 7");
    to.write_all(b"1,2,8\n").unwrap();
    assert_eq!(told.recv().unwrap(), "IAMAT kiwi +1+2 8");
    drop(to);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let output = common::run_with(server, &["replay", "-"], b"lat,lon,time\n1,2,7\n".to_vec());
    ends(
        &output,
        2,
        summary_of_nothing(&output),
        "herd-cli: standard input: nothing says whose positions these are: --id does\n",
    );
}

fn summary_of_nothing(output: &Output) -> Vec<u8> {
    assert!(output.stdout.starts_with(b"reply\treplay\nfile\tstandard input\nformat\t-\nended\tbroken\nposted\t0\n"));
    output.stdout.clone()
}

/// The program may wait long for its first row.
#[test]
fn now_is_when_the_first_point_comes() {
    let (server, told) = keeping();
    let mut child = common::spawn(server, &["replay", "-", "--id", "kiwi", "--time", "now", "--json"]);
    let mut to = child.stdin.take().unwrap();
    to.write_all(b"lat,lon,time\n").unwrap();
    // Time enough to begin; nothing depends on it.
    std::thread::sleep(std::time::Duration::from_millis(200));
    let before = herd_cli::now();
    to.write_all(b"1,2,7\n").unwrap();
    let post = told.recv().unwrap();
    let time = Timestamp::new(post.rsplit(' ').next().unwrap()).unwrap().time();
    assert!(time >= before, "{post} is before {before}");
    drop(to);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn now_is_after_the_start() {
    let (told, _) = played(&example("taxis.csv"), &["--time", "now"]);
    let times: Vec<&str> = told.iter().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert!(times.is_sorted() && times[0] > "1711796411", "{times:?}");
}

/// A signal ends a long wait; what was posted is summed up, and the code says which signal.
#[test]
fn signals_end_it_with_a_summary() {
    if interrupts_are_ignored() {
        eprintln!("skipped: these tests run with SIGINT ignored");
        return;
    }
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (server, told) = keeping();
        let mut child = common::spawn(server, &["replay", "-", "--id", "kiwi", "--json"]);
        let mut to = child.stdin.take().unwrap();
        to.write_all(b"lat,lon,time\n1,2,7\n1,2,1000000\n").unwrap();
        told.recv().unwrap();
        common::signal(&child, signal);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{signal}");
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&summary["ended"], &summary["posted"]), (&"interrupted".into(), &1.into()), "{signal}");
        drop(to);
    }
}

#[test]
fn the_examples_are_there() {
    let names: Vec<_> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tracks")).unwrap().collect();
    assert_eq!(names.len(), 3);
}
