//! The texts.

use super::Page;
use crate::{bench, conformance, watch};

const USAGE: (u8, &str) = (2, "the command line, the configuration or the input can't be used");
const UNANSWERED: (u8, &str) =
    (3, "no connection, no reply in time, a reply that is none, or the output can't be written");
const INTERRUPTED: (u8, &str) = (130, "interrupted (Ctrl-C)");
const TERMINATED: (u8, &str) = (143, "told to end (SIGTERM)");

const ASKING: &[(u8, &str)] = &[(0, "answered"), (1, "answered with '?'"), USAGE, UNANSWERED, INTERRUPTED, TERMINATED];
const SHOWING: &[(u8, &str)] = &[(0, "done"), USAGE, (3, "the output can't be written")];

pub(super) const ENVIRONMENT: &[(&str, &str)] = &[
    ("HERD_CONFIG", "the file of --config, where that is not given"),
    ("HERD_ADMIN_TOKEN", "what digest, status and watch show at admin addresses that want a token"),
    ("NO_COLOR", "set to anything: no colours, unless --color says otherwise"),
    ("TERM", "dumb: no colours, and no line editing in repl"),
    ("XDG_STATE_HOME", "where repl keeps its history, in herd-cli/history; ~/.local/state without it"),
];

pub(super) const PAGES: &[Page] = &[
    Page {
        name: "",
        text: "\
On a terminal replies are shown for people. In a pipe they are the bytes that came: the reply's
line, and for whatsat its JSON and a blank line. With --json each reply is one object on one line;
which fields there are is in the JSON Schemas that come with the program, and in its README.

A reader of the output who goes away ('| head -1') is no error. Errors are one line on standard
error. Signals: where there is nothing to finish, one ends the program by itself, which shells
show as 128 and its number; bench and replay show what they have first, repl leaves the terminal
as it was.",
        examples: &[
            (
                "herd-cli iamat kiwi.cs.ucla.edu +34.068930-118.445127",
                "Tell Riley, on this machine, that kiwi is there now",
            ),
            (
                "herd-cli whatsat kiwi.cs.ucla.edu 10 5 --server Campbell",
                "Ask another server for at most 5 places within 10 km of kiwi",
            ),
            ("herd-cli watch kiwi.cs.ucla.edu", "Where is kiwi? One line now, and one whenever that changes"),
            ("herd-cli replay walk.gpx --speed 10x", "Post a track that was recorded, ten times as fast as it was"),
            ("herd-cli repl", "Talk line by line, with history and completion"),
            ("herd-cli digest", "Do the servers hold the same? One line each, and one that says it"),
            ("herd-cli status --watch", "How is the herd? Servers, links and alarms, refreshed in place"),
            ("herd-cli bench --server Riley --pipeline 16", "How many posts a second does Riley answer, and how fast?"),
            ("herd-cli conformance --server Riley", "Does Riley keep to the protocol? Any server can be asked"),
        ],
        codes: &[
            (0, "everything was answered; the servers agree; everything tried passed"),
            (1, "answered with '?', or not known; rows refused; the servers differ; a check failed"),
            USAGE,
            (3, "something was not answered: no connection, no reply in time, a reply that is none"),
            (130, "interrupted (Ctrl-C); watch ends so with 0"),
            TERMINATED,
        ],
        files: &[],
    },
    Page {
        name: "iamat",
        text: "\
With --json:
  {\"reply\":\"at\",\"server\":…,\"skew\":…,\"client\":…,\"location\":…,\"latitude\":…,\"longitude\":…,\"time\":…}",
        examples: &[
            ("herd-cli iamat kiwi.cs.ucla.edu +34.068930-118.445127", "kiwi is there now"),
            ("herd-cli iamat kiwi -34.5+118.2 --time 1621464827.959498503", "And was there then; south is a minus"),
            ("herd-cli iamat kiwi +3404.1358-11826.7076 --json", "Degrees and minutes; the answer as JSON"),
        ],
        codes: ASKING,
        files: &[],
    },
    Page {
        name: "whatsat",
        text: "\
With --json:
  {\"reply\":\"nearby\",\"at\":{…},\"places\":…}
  {\"reply\":\"invalid\",\"line\":…}",
        examples: &[
            ("herd-cli whatsat kiwi.cs.ucla.edu 10 5", "At most 5 places within 10 km of kiwi"),
            (
                "herd-cli whatsat kiwi.cs.ucla.edu 0.5 20 --server Campbell --server Bernard",
                "Ask Bernard if Campbell fails",
            ),
            (
                "herd-cli whatsat kiwi.cs.ucla.edu 10 5 --json | jq '.places.results[].name'",
                "Only the names of the places",
            ),
        ],
        codes: ASKING,
        files: &[],
    },
    Page {
        name: "send",
        text: "\
Lines are sent as they are, valid or not, and answered in order. A line is at most 1 MiB.",
        examples: &[
            ("herd-cli send --server herd.example.org:12000 < lines.txt", "Send lines, and print each one's reply"),
            ("herd-cli send 'IAMAT kiwi +34-118 7' hello", "Lines from the command line"),
            ("generate | herd-cli send --json > replies.jsonl", "One object a reply"),
        ],
        codes: ASKING,
        files: &[],
    },
    Page {
        name: "watch",
        text: watch::AFTER,
        examples: &[
            ("herd-cli watch kiwi.cs.ucla.edu", "Where is kiwi? One line now, and one whenever that changes"),
            (
                "herd-cli watch kiwi.cs.ucla.edu emu --server Riley --server Campbell --interval 0.2",
                "Two clients, five times a second, by Campbell if Riley is away",
            ),
            (
                "herd-cli watch kiwi.cs.ucla.edu --count 1 --for 60 --json",
                "Wait for kiwi to be there, a minute at most",
            ),
        ],
        codes: &[
            (0, "the end: --count, --for, or Ctrl-C"),
            (1, "the end, and a client has never been known"),
            USAGE,
            UNANSWERED,
            TERMINATED,
        ],
        files: &[],
    },
    Page {
        name: "digest",
        text: "\
With --json, one object for each server, and the verdict:
  {\"reply\":\"digest\",\"server\":…,\"address\":…,\"herd\":…,\"records\":…,\"root\":…,…}
  {\"reply\":\"verdict\",\"agree\":…,\"asked\":…,\"answered\":…,\"text\":…}",
        examples: &[
            ("herd-cli digest", "The servers of the default herd on this machine"),
            (
                "herd-cli digest --config herd.toml --wait 30",
                "Those of a configuration; one may still start, and posts be on their way",
            ),
            ("herd-cli digest --admin 127.0.0.1:14000 --admin 127.0.0.1:14001", "Whoever is there"),
        ],
        codes: &[
            (0, "the servers agree"),
            (1, "they differ, or some of them did not answer"),
            USAGE,
            (3, "no server answered, or the output can't be written"),
            INTERRUPTED,
            TERMINATED,
        ],
        files: &[],
    },
    Page {
        name: "status",
        text: "\
A server is 'ready', 'not ready' and why, or 'down' and why; 'up' if it is of a version that
does not say. A link is shown as both ends see it: what they say of it is the same, or stands
with a slash between. IN SYNC is whether both ends held the same when they last compared: under
load 'no' is nothing by itself. QUEUED are records that wait to be sent, HEARD is how long ago
the other end said something. '-' stands for what a server does not say.

On a terminal --watch refreshes in place. In a pipe each status follows the one before: in lines
that begin with server, link or alarm, fields with tabs between them, and the verdict last.

With --json, one object for each server, and the verdict:
  {\"reply\":\"status\",\"server\":…,\"address\":…,\"ready\":…,\"records\":…,\"links\":[…],\"alarms\":[…],…}
  {\"reply\":\"verdict\",\"agree\":…,\"asked\":…,\"answered\":…,\"text\":…}",
        examples: &[
            ("herd-cli status", "The default herd on this machine, at a glance"),
            ("herd-cli status --watch", "The same every two seconds, in place"),
            ("herd-cli status --config herd.toml --watch 10 --json", "Those of a configuration, for a program to read"),
            ("herd-cli status --admin 192.0.2.10:14000 --token-file admin.token", "One that wants a token"),
        ],
        codes: &[
            (0, "all servers answered and agree"),
            (1, "they differ, or some of them did not answer"),
            USAGE,
            (3, "no server answered, or the output can't be written"),
            INTERRUPTED,
            TERMINATED,
        ],
        files: &[("FILE of --token-file", "the token, in its first line; not readable by everybody")],
    },
    Page {
        name: "bench",
        text: bench::AFTER,
        examples: &[
            ("herd-cli bench --server Riley --pipeline 16", "A closed loop: as fast as Riley answers"),
            (
                "herd-cli bench --rate 20000 --whatsat 0.1 --duration 60s",
                "An open loop on all servers, a tenth of it questions",
            ),
            ("herd-cli bench --propagation --samples 500 --json", "How long until every server shows a post"),
            ("herd-cli bench --burst --clients 10000 --window 5", "Ten thousand clients within five seconds"),
            ("herd-cli bench --echo --pipeline 16", "What the generator itself can do"),
        ],
        codes: &[
            (0, "everything was answered"),
            (1, "something was answered with '?'"),
            USAGE,
            (3, "a connection broke, something was not answered, or the output can't be written"),
            (130, "interrupted (Ctrl-C) before there was anything to show"),
            (143, "told to end (SIGTERM) before there was anything to show"),
        ],
        files: &[],
    },
    Page {
        name: "conformance",
        text: conformance::AFTER,
        examples: &[
            ("herd-cli conformance --server 127.0.0.1:12000", "Does this server keep to the protocol?"),
            ("herd-cli conformance --server Riley --server Campbell", "Do both, and what goes between them?"),
            ("herd-cli conformance --server Riley --level core", "End by what the course assignment asks for alone"),
            ("herd-cli conformance --server Riley --section 2.3 --section 3", "Only locations, and questions"),
            ("herd-cli conformance --list", "What would be tried"),
        ],
        codes: &[
            (0, "everything tried that counts passed"),
            (1, "something failed"),
            USAGE,
            (3, "a server was not reached, or the output can't be written"),
            INTERRUPTED,
            TERMINATED,
        ],
        files: &[],
    },
    Page {
        name: "replay",
        text: "\
GPX 1.0 and 1.1: points of tracks and routes are posted for the name of the track or route,
waypoints for their own; white space in a name becomes '_'. A point without a time is refused.
NMEA 0183: RMC, and GGA of the day that an RMC has said. A missing or wrong checksum is refused;
sentences without a fix and a second one for the same time are skipped. CSV: the first line names
the columns, in any order and case: id (client, name, device, vehicle), lat (latitude) and lon
(lng, long, longitude) in decimal degrees or location (iso6709), time (timestamp, datetime, utc)
in POSIX seconds or RFC 3339, alt (altitude, ele, elevation, height). Between them are commas,
semicolons or tabs.

Nothing is rounded: degrees, minutes and decimals of seconds are posted digit for digit.

A row that can't be used is told on standard error as FILE:LINE: FIELD: what was expected, and the
next one is read; after a hundred they are only counted. Points are posted when they are due,
whatever became of those before; one that is late is posted at once. A time that is earlier than
the one before it is due at once, so tracks in one file are played one after the other.

Herds keep the newest position of a client. So a replay of an old track with its own times
does not move a client that has been posted since: --time now does.

With --json, at the end:
  {\"reply\":\"replay\",\"file\":…,\"format\":…,\"ended\":…,\"posted\":…,\"taken\":…,\"refused\":…,…}",
        examples: &[
            ("herd-cli replay walk.gpx", "As it was, at its own pace and with its own times"),
            ("herd-cli replay walk.gpx --time now --speed 10x --gap-max 60", "As if it were now, ten times as fast"),
            ("herd-cli replay taxis.csv --speed max --json", "As fast as Riley answers, and the summary as JSON"),
            ("gpspipe -r | herd-cli replay - --id boat", "A receiver's sentences, as they come"),
        ],
        codes: &[
            (0, "every point was taken"),
            (1, "rows of the file were refused, or points by the server"),
            (2, "the command line can't be used, nothing in the file, or not all of it can be read"),
            UNANSWERED,
            INTERRUPTED,
            TERMINATED,
        ],
        files: &[],
    },
    Page {
        name: "repl",
        text: "\
Lines that begin with IAMAT or WHATSAT are sent as they are. Besides:
  iamat ID LOCATION [TIME]    whatsat ID KM N    send LINE
  use NAME|ADDR    servers    digest    json on|off    help    quit

At a terminal, Tab completes commands, names of servers and the IDs that were seen; Ctrl-C clears
the line, Ctrl-D ends. What goes wrong is told, and the next line read. From a pipe the same
lines are a script: the first one that can't be done ends it.",
        examples: &[
            ("herd-cli repl --server Campbell", "Talk to Campbell"),
            ("herd-cli repl < script.txt", "Do what a file says"),
        ],
        codes: &[
            (0, "the end, or quit; of a script, everything was answered"),
            (1, "a script's lines were answered, one with '?'"),
            USAGE,
            UNANSWERED,
            INTERRUPTED,
            TERMINATED,
        ],
        files: &[("~/.local/state/herd-cli/history", "the last 1,000 lines, for their owner alone")],
    },
    Page {
        name: "completions",
        text: "\
The scripts ask 'herd-cli completions servers' for the names that --server takes: those of
HERD_CONFIG, or of the default herd.",
        examples: &[
            (
                "herd-cli completions bash > ~/.local/share/bash-completion/completions/herd-cli",
                "For bash, where bash-completion looks",
            ),
            ("herd-cli completions zsh > ~/.zfunc/_herd-cli", "For zsh, with ~/.zfunc in fpath"),
            ("herd-cli completions fish > ~/.config/fish/completions/herd-cli.fish", "For fish"),
        ],
        codes: SHOWING,
        files: &[],
    },
    Page {
        name: "man",
        text: "",
        examples: &[
            ("herd-cli man replay | man -l -", "Read one"),
            ("herd-cli man --dir ~/.local/share/man/man1", "Write all of them, a file each"),
        ],
        codes: SHOWING,
        files: &[],
    },
];
