//! Whether clients should be sent to a server.

use serde::Serialize;

use crate::clock;
use crate::net::Shared;
use crate::replica::LinkState;

/// Whether clients should be sent to this server, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ready {
    /// Whether they should.
    pub ready: bool,
    /// Why not: `recovering`, the disk log is being read; `alone`, there are peers and a link with none of them is in service;
    /// `stopping`.
    pub why: Option<&'static str>,
    /// The same for people.
    pub text: Option<String>,
}

impl Ready {
    /// It is not, and that is why.
    pub(crate) fn not(why: &'static str, text: String) -> Self {
        Self { ready: false, why: Some(why), text: Some(text) }
    }

    /// Of a server that serves.
    pub(crate) fn of(shared: &Shared) -> Self {
        if shared.stop_clients.is_cancelled() {
            return Self::not("stopping", "this server stops".to_owned());
        }
        let now = clock::monotonic();
        let (peers, linked) = shared.look(|replica| {
            let states = replica.links(now).map(|link| usize::from(link.state == LinkState::Connected));
            states.fold((0, 0), |(peers, linked), is_linked| (peers + 1, linked + is_linked))
        });
        if peers > 0 && linked == 0 {
            let of = if peers == 1 { "the one peer".to_owned() } else { format!("any of the {peers} peers") };
            return Self::not("alone", format!("no link with {of} is in service"));
        }
        Self { ready: true, why: None, text: None }
    }
}
