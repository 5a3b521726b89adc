//! What clients and strangers may use up.

use std::net::IpAddr;
use std::time::Duration;

use herd_proto::frame;

use super::bucket::Rate;

/// What clients and strangers may use up. Table `[limits]` of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest line of a client in bytes, without its LF. `client_line_bytes_max`, 512 to 12,288: what is made of it for
    /// peers must fit into their 16,384. Default 8,192.
    pub client_line_bytes_max: usize,
    /// Client connections at once. `connections_max`, 1 to 1,000,000. Default 10,000; the server keeps to its file descriptors, too.
    pub connections_max: usize,
    /// Of those, from one address; `None`: any number. `connections_per_ip_max`, 0 (off) to 1,000,000. Default 256.
    pub connections_per_ip_max: Option<usize>,
    /// How many bits of an IPv6 address make one address, where addresses are counted: whoever has one has the rest of its network, too.
    /// `ip6_prefix_bits`, 1 to 128. Default 64.
    pub ip6_prefix_bits: u8,
    /// What holds for one address holds for loopback, too. `loopback_is_limited`. Default no: there are all of this machine's clients,
    /// and a tunnel's.
    pub loopback_is_limited: bool,
    /// How fast one connection's lines are taken; those that come faster wait in the network. `None`: as fast as they come.
    /// `lines_per_s_max`, 0 (off) to 1,000,000, and `lines_burst_max`, 0 (as many as in a second) to 1,000,000. Default off: a gateway
    /// that speaks for thousands of devices has one connection.
    pub lines: Option<Rate>,
    /// The same for all connections of one address. `lines_per_s_per_ip_max` and `lines_burst_per_ip_max`, likewise. Default off.
    pub lines_per_ip: Option<Rate>,
    /// Lines in a row on one connection that are no request; one more closes it. `None`: any number. `invalid_lines_max`, 0 (off) to
    /// 1,000,000. Default off: they cost no more than others, and each earns its reply (WIRE §1.6).
    pub invalid_lines_max: Option<u32>,
    /// From connecting to the end of the first line, the handshake of TLS among it. `first_line_ms`, 100 to 3,600,000. Default 10 s.
    pub first_line: Duration,
    /// From a later line's first byte to its end. `line_ms`, 100 to 3,600,000. Default 10 s.
    pub line: Duration,
    /// Between lines. `idle_ms`, 100 to 86,400,000. Default 300 s.
    pub idle: Duration,
    /// Replies waiting to be sent on one connection, in bytes; beyond, it isn't read. `output_bytes_max`, 4,096 to 16 MiB. Default 64 KiB.
    pub output_bytes_max: usize,
    /// Requests waiting for their reply on one connection; beyond, it isn't read. `pending_max`, 1 to 65,536. Default 128.
    pub pending_max: usize,
    /// How long replies may wait without any progress. `write_stall_ms`, 100 to 3,600,000. Default 10 s.
    pub write_stall: Duration,
    /// Clients known; beyond, new ones are refused. `clients_max`, 1 to 100,000,000. Default 1,000,000.
    pub clients_max: usize,
    /// Their records in bytes; beyond, new clients are refused. `records_bytes_max`, 1 MiB to 1 TiB. Default 1 GiB.
    pub records_bytes_max: usize,
    /// How far ahead of the server's clock a client's time may be; `None`: any. `time_ahead_s_max`, 0 (never refuse) to
    /// 3,153,600,000 (100 years). Default a day.
    pub time_ahead_max: Option<Duration>,
    /// Connections of peers that have not proven themselves yet; over TLS as many again whose handshake is under way.
    /// `unproven_max`, 1 to 4,096. Default 32.
    pub unproven_max: usize,
    /// Invalid lines of a peer in service; one more ends the link, with ERR. `peer_invalid_lines_max`, 0 to 1,000,000. Default 10.
    pub peer_invalid_lines_max: u32,
    /// How long they have for it, and before that for the handshake of TLS. `handshake_ms`, 100 to 60,000. Default 3 s.
    pub handshake: Duration,
    /// How long a reply waits for peers or disk to make good what it promises; then it is `?`. `ack_wait_ms`, 10 to 60,000. Default 500 ms.
    pub ack_wait: Duration,
}

impl Limits {
    /// Whether what holds for one address holds for `ip`.
    pub(crate) fn counts(&self, ip: IpAddr) -> bool {
        self.loopback_is_limited || !ip.to_canonical().is_loopback()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            client_line_bytes_max: frame::CLIENT_LINE_MAX,
            connections_max: 10_000,
            connections_per_ip_max: Some(256),
            ip6_prefix_bits: 64,
            loopback_is_limited: false,
            lines: None,
            lines_per_ip: None,
            invalid_lines_max: None,
            first_line: Duration::from_secs(10),
            line: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            output_bytes_max: 64 * 1024,
            pending_max: 128,
            write_stall: Duration::from_secs(10),
            clients_max: 1_000_000,
            records_bytes_max: 1024 * 1024 * 1024,
            time_ahead_max: Some(Duration::from_secs(86_400)),
            unproven_max: 32,
            peer_invalid_lines_max: 10,
            handshake: Duration::from_secs(3),
            ack_wait: Duration::from_millis(500),
        }
    }
}
