//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use herd_cli::{Servers, TlsSettings};

use crate::bench::BenchArgs;
use crate::conformance::ConformanceArgs;
use crate::fault::Fault;
use crate::pages::{Completion, ManArgs};
use crate::replay::ReplayArgs;
use crate::status::StatusArgs;
use crate::watch::WatchArgs;

/// Talk to a location herd: say where a client is, ask what is near it.
#[derive(Debug, Parser)]
#[command(name = "herd-cli", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) display: DisplayArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say where a client is
    Iamat {
        /// Who: any text without white space
        id: OsString,
        /// Where: latitude and longitude with their signs, ISO 6709, such as +34.068930-118.445127
        // Southern latitudes begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        location: OsString,
        /// When: POSIX seconds with at most nine decimals [default: now]
        #[arg(long, value_name = "SECONDS")]
        time: Option<OsString>,
    },
    /// Ask what is near a client
    Whatsat {
        /// About whom
        id: OsString,
        /// How far to look: kilometres, above 0 and at most 50
        #[arg(value_name = "KM")]
        radius: OsString,
        /// The most places wanted: 0 to 20
        #[arg(value_name = "N")]
        limit: OsString,
    },
    /// Send lines as they are, pipelined
    Send {
        /// Lines to send; '-' stands for the lines of standard input, which is also read when there is none here.
        /// Lines that begin with a hyphen come after '--'.
        #[arg(value_name = "LINE")]
        lines: Vec<OsString>,
    },
    /// Follow where clients are: one line whenever that changes
    Watch(WatchArgs),
    /// Compare what the servers of a herd hold, and say whether they agree
    Digest {
        #[command(flatten)]
        whom: AdminArgs,
        /// How long servers are asked again until all answer and agree: some may still start, read their disk, or just be telling
        /// each other [default: 2, and only those that differ]
        #[arg(long, value_name = "SECONDS", value_parser = seconds_or_none)]
        wait: Option<Duration>,
    },
    /// The herd at a glance: servers, links, alarms, and whether they agree
    Status(StatusArgs),
    /// Put servers under load and measure them: rate and latencies, propagation, a burst of clients
    Bench(Box<BenchArgs>),
    /// Hold servers, of whatever make, against what the protocol says
    Conformance(ConformanceArgs),
    /// Post a track from a file, GPX, NMEA or CSV, at its own pace
    Replay(ReplayArgs),
    /// Talk line by line: protocol lines, and shorter words for them; with history and completion
    Repl,
    /// Print what makes a shell complete command lines of this program
    Completions {
        /// For which shell
        #[arg(value_enum, value_name = "WHAT")]
        what: Completion,
    },
    /// Print a man page, or write all of them
    Man(ManArgs),
}

/// Whom to ask what they say of themselves.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct AdminArgs {
    /// Where a server answers to those who watch over it, as ip:port or host:port; as often as there are servers
    /// [default: as the configuration says; five servers on this machine]
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: Vec<String>,
    /// A file with the token that servers want, readable not by everybody [default: HERD_ADMIN_TOKEN of the environment]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,
}

/// Which server.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServerArgs {
    /// A server's name, or its address as ip:port or host:port [default: Riley; the first of a FILE without one;
    /// for digest, status, bench and conformance all there are]. Several times: bench loads each, conformance tries each;
    /// iamat, whatsat, send and watch go on with the next when one fails
    #[arg(long = "server", short, global = true, value_name = "NAME|ADDR", help_heading = "Server")]
    pub(crate) servers: Vec<String>,
    /// The herd's configuration, to find servers by name [default: five servers on this machine]
    // A path is never empty for clap; for the environment an empty variable is one that is not set.
    #[arg(
        long,
        short,
        global = true,
        value_name = "FILE",
        env = "HERD_CONFIG",
        hide_env_values = true,
        value_hint = clap::ValueHint::FilePath,
        help_heading = "Server"
    )]
    #[arg(value_parser = clap::builder::OsStringValueParser::new())]
    config: Option<OsString>,
    /// How long to wait for the connection and for each next reply
    #[arg(long, short, global = true, value_name = "SECONDS", default_value = "10", help_heading = "Server")]
    #[arg(value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Speak TLS with the servers [default: as the FILE of --config says]
    #[arg(long, global = true, help_heading = "Server")]
    tls: bool,
    /// Who vouches for the servers: CA certificates, PEM. The system's own list is not used [default: as the FILE of
    /// --config says]
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Server")]
    ca: Option<PathBuf>,
    /// The name in a server's certificate, where that is not the host or address that is connected to
    #[arg(long, global = true, value_name = "NAME", help_heading = "Server")]
    tls_name: Option<String>,
}

impl ServerArgs {
    /// What is known of TLS with the servers of `herd`; `None`: they are spoken to in plain text.
    pub(crate) fn tls(&self, herd: &Servers) -> Result<Option<TlsSettings>, Fault> {
        if !self.tls && !herd.speak_tls() {
            self.refuse_tls("goes with --tls")?;
            return Ok(None);
        }
        let needs_ca = || Fault::Usage("--tls needs --ca FILE, the CA that vouches for the servers".to_owned());
        let ca = self.ca.as_deref().or(herd.ca()).ok_or_else(needs_ca)?;
        let settings = TlsSettings::from_ca_file(ca)?;
        Ok(Some(match &self.tls_name {
            Some(name) => settings.name(name)?,
            None => settings,
        }))
    }

    /// Refuses options of TLS where they `why`.
    pub(crate) fn refuse_tls(&self, why: &str) -> Result<(), Fault> {
        let given = [(self.tls, "--tls"), (self.ca.is_some(), "--ca"), (self.tls_name.is_some(), "--tls-name")];
        match given.iter().find(|(is_given, _)| *is_given) {
            Some((_, option)) => Err(Fault::Usage(format!("{option} {why}"))),
            None => Ok(()),
        }
    }

    /// The one server, where there can be only one.
    pub(crate) fn server(&self) -> Result<Option<&str>, Fault> {
        match &self.servers[..] {
            [] => Ok(None),
            [server] => Ok(Some(server)),
            _ => Err(Fault::Usage("--server is for one server here".to_owned())),
        }
    }

    /// The same, with other servers.
    pub(crate) fn with_servers(&self, servers: Vec<String>) -> Self {
        Self { servers, ..self.clone() }
    }

    pub(crate) fn config(&self) -> Option<PathBuf> {
        self.config.as_ref().filter(|file| !file.is_empty()).map(PathBuf::from)
    }
}

/// How replies are shown.
#[derive(Debug, Args)]
pub(crate) struct DisplayArgs {
    /// One JSON object a reply, on one line (the same as --format json)
    #[arg(long, global = true, conflicts_with = "format", help_heading = "Output")]
    json: bool,
    /// How replies are shown
    #[arg(long, global = true, value_enum, default_value_t = FormatArg::Auto, value_name = "FORMAT", help_heading = "Output")]
    format: FormatArg,
    /// When colours are used; auto heeds NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: When,
}

impl DisplayArgs {
    pub(crate) const fn format(&self) -> FormatArg {
        if self.json { FormatArg::Json } else { self.format }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    /// As human on a terminal, as raw elsewhere
    Auto,
    /// For people: sentences and a table
    Human,
    /// The bytes as they came; escaped on a terminal
    Raw,
    /// One JSON object a line
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Above or equal to 0, at most a million seconds.
pub(crate) fn seconds_or_none(text: &str) -> Result<Duration, &'static str> {
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.')) && text.parse() == Ok(0.0);
    let wrong = "expected seconds, at least 0 and at most 1000000, such as 2 or 0.5";
    if is_zero { Ok(Duration::ZERO) } else { seconds(text).map_err(|_| wrong) }
}

/// A time-out: above 0, at most a million seconds.
fn seconds(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "expected seconds, above 0 and at most 1000000, such as 10 or 0.5";
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(WRONG);
    }
    let seconds: f64 = text.parse().map_err(|_| WRONG)?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(wait) if !wait.is_zero() && seconds <= 1e6 => Ok(wait),
        _ => Err(WRONG),
    }
}

/// A time: seconds, or with a unit.
pub(crate) fn span(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "expected a time above 0, such as 10, 0.5s or 200ms";
    let (digits, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => (digits, 1_000),
        (None, Some(digits)) => (digits, 1),
        (None, None) => (text, 1),
    };
    let time = seconds(digits).map_err(|_| WRONG)? / unit;
    if time.is_zero() { Err(WRONG) } else { Ok(time) }
}

/// A usage error of clap's in one line: what is wrong, and the tip if there is one.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let mut paragraphs = text.split("\n\n").map(|paragraph| {
        let words: Vec<_> = paragraph.split_whitespace().collect();
        words.join(" ")
    });
    let first = paragraphs.next().unwrap_or_default();
    let mut line = first.strip_prefix("error: ").unwrap_or(&first).to_owned();
    for tip in paragraphs.filter(|paragraph| paragraph.starts_with("tip: ")) {
        line.push_str("; ");
        line.push_str(&tip);
    }
    line.push_str("; see herd-cli --help");
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn locations_may_begin_with_either_sign_and_options_may_stand_anywhere() {
        for line in [
            "herd-cli iamat kiwi -34.5+118.2 --json",
            "herd-cli iamat --json kiwi -34.5+118.2",
            "herd-cli iamat kiwi --json -34.5+118.2",
            "herd-cli iamat kiwi --server Riley -34.5+118.2 --json",
            "herd-cli --json iamat kiwi -34.5+118.2 --time 7",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert_eq!(cli.display.format(), FormatArg::Json, "{line}");
            let Command::Iamat { location, .. } = cli.command else { panic!("{line}") };
            assert_eq!(location, "-34.5+118.2");
        }
    }

    #[test]
    fn options_may_stand_among_the_lines_to_send() {
        let lines = |line: &[&str]| {
            let cli = Cli::try_parse_from(["herd-cli", "send"].iter().chain(line)).unwrap();
            let Command::Send { lines } = cli.command else { panic!("{line:?}") };
            (cli.display.json, lines)
        };
        assert_eq!(lines(&["IAMAT a b", "-", "--json"]), (true, vec!["IAMAT a b".into(), "-".into()]));
        assert_eq!(
            lines(&["a", "--json", "--", "-x", "--json"]),
            (true, ["a", "-x", "--json"].map(Into::into).to_vec())
        );
    }

    #[test]
    fn time_outs_are_positive_numbers() {
        assert_eq!(seconds("0.2"), Ok(Duration::from_millis(200)));
        assert_eq!(seconds("10"), Ok(Duration::from_secs(10)));
        for text in ["", "0", "0.0", "-1", "inf", "nan", "1e3", "1000001", ".", "99999999999999999999999", "1.2.3"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wait_may_be_none() {
        assert_eq!(seconds_or_none("0"), Ok(Duration::ZERO));
        assert_eq!(seconds_or_none("0.0"), Ok(Duration::ZERO));
        assert_eq!(seconds_or_none("0.5"), Ok(Duration::from_millis(500)));
        for text in ["", ".", "-0", "-1", "inf", "1000001", "0.0.0"] {
            assert!(seconds_or_none(text).is_err(), "{text}");
        }
    }

    #[test]
    fn usage_errors_are_one_line() {
        let error = Cli::try_parse_from(["herd-cli", "whatsat", "kiwi"]).unwrap_err();
        assert_eq!(
            one_line(&error),
            "the following required arguments were not provided: <KM> <N>; see herd-cli --help"
        );
        let error = Cli::try_parse_from(["herd-cli", "whatsit"]).unwrap_err();
        assert!(one_line(&error).contains("; tip: a similar subcommand exists: 'whatsat'"), "{}", one_line(&error));
    }
}
