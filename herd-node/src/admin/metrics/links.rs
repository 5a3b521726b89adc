//! What there is of each peer.

use super::exposition::{Exposition, Kind};
use crate::replica::LinkState;
use crate::status::PeerStatus;

const STATES: [LinkState; 5] =
    [LinkState::Connected, LinkState::Handshaking, LinkState::Dialling, LinkState::Waiting, LinkState::Stopping];

/// A metric's name, its help, and where it stands.
type Told = (&'static str, &'static str, fn(&PeerStatus) -> u64);

pub(super) fn write(out: &mut Exposition, peers: &[PeerStatus]) {
    if peers.is_empty() {
        return;
    }
    let mut states = out.family("herd_link_state", Kind::Gauge, "1 for the state that the link with a peer is in.");
    for peer in peers {
        for state in STATES {
            let labels = [("peer", peer.name.as_str()), ("state", &*state.to_string())];
            states.sample(&labels, u8::from(peer.state == state));
        }
    }
    let gauges: [Told; 3] = [
        ("herd_link_in_sync", "1 if both ends held the same when they last compared.", |peer| peer.in_sync.into()),
        ("herd_link_dirty_records", "Records that wait to be sent to a peer.", |peer| peer.dirty),
        ("herd_link_comparison_jobs", "Steps of a comparison that wait.", |peer| peer.comparison_jobs),
    ];
    for (name, help, value) in gauges {
        let mut family = out.family(name, Kind::Gauge, help);
        peers.iter().for_each(|peer| family.sample(&[("peer", &peer.name)], value(peer)));
    }
    let mut heard =
        out.family("herd_link_heard_seconds", Kind::Gauge, "Since a peer was last heard, while there is a link.");
    for (peer, heard_ms) in peers.iter().filter_map(|peer| Some((peer, peer.heard_ms?))) {
        heard.sample(&[("peer", &peer.name)], heard_ms as f64 / 1e3);
    }
    write_sent(out, peers);
}

fn write_sent(out: &mut Exposition, peers: &[PeerStatus]) {
    let counters: [Told; 2] = [
        ("herd_link_received_bytes_total", "Bytes that came over the connection there is.", |peer| peer.bytes_received),
        ("herd_link_sent_bytes_total", "Bytes that went over the connection there is.", |peer| peer.bytes_sent),
    ];
    for (name, help, value) in counters {
        let mut family = out.family(name, Kind::Counter, help);
        peers.iter().for_each(|peer| family.sample(&[("peer", &peer.name)], value(peer)));
    }
    let mut sent =
        out.family("herd_link_sent_records_total", Kind::Counter, "Records sent to a peer, by what made it so.");
    for peer in peers {
        let by_mechanism = [
            ("flooding", peer.sent.flooding),
            ("at_connect", peer.sent.at_connect),
            ("after_two_pings", peer.sent.after_two_pings),
            ("every_minute", peer.sent.every_minute),
            ("as_peer_asked", peer.sent.as_peer_asked),
            ("full_dump", peer.sent.full_dump),
        ];
        for (mechanism, count) in by_mechanism {
            sent.sample(&[("peer", &peer.name), ("mechanism", mechanism)], count);
        }
    }
}
