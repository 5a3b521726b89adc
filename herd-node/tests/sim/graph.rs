//! Which servers there are and which of them are neighbours.

use herd_proto::herd::DEFAULT_SERVERS;

use super::rng::Rng;

/// A connected herd: names, and for each server its neighbours in the order of its configuration.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) names: Vec<String>,
    pub(crate) peers: Vec<Vec<usize>>,
}

impl Graph {
    /// The five servers everybody has without a configuration file.
    pub(crate) fn default_herd() -> Self {
        let names: Vec<String> = DEFAULT_SERVERS.iter().map(|server| server.name.to_owned()).collect();
        let index = |name: &&str| names.iter().position(|known| known == name).unwrap();
        let peers = DEFAULT_SERVERS.iter().map(|server| server.peers.iter().map(index).collect()).collect();
        Self { names, peers }
    }

    /// `servers` servers under shuffled names, joined to a random tree and by some edges more.
    pub(crate) fn random(rng: &mut Rng, servers: usize) -> Self {
        let mut graph = Self::tree(rng, servers);
        for _ in 0..rng.below(servers + 1) {
            let (one, other) = (rng.below(servers), rng.below(servers));
            graph.join(one, other);
        }
        graph
    }

    /// `servers` servers under shuffled names: there is one way only between any two.
    pub(crate) fn tree(rng: &mut Rng, servers: usize) -> Self {
        let mut names: Vec<String> = (0..servers).map(|server| format!("S{server}")).collect();
        rng.shuffle(&mut names);
        let mut graph = Self { names, peers: vec![Vec::new(); servers] };
        for server in 1..servers {
            let other = rng.below(server);
            graph.join(server, other);
        }
        graph
    }

    /// `servers` servers in a row: there is one way only between any two.
    pub(crate) fn line(servers: usize) -> Self {
        let names = (0..servers).map(|server| format!("S{server}")).collect();
        let mut graph = Self { names, peers: vec![Vec::new(); servers] };
        (1..servers).for_each(|server| graph.join(server - 1, server));
        graph
    }

    /// The last server is a neighbour of the first.
    pub(crate) fn ring(servers: usize) -> Self {
        let mut graph = Self::line(servers);
        graph.join(servers - 1, 0);
        graph
    }

    /// Everybody's only neighbour is the first server.
    pub(crate) fn star(servers: usize) -> Self {
        let names = (0..servers).map(|server| format!("S{server}")).collect();
        let mut graph = Self { names, peers: vec![Vec::new(); servers] };
        (1..servers).for_each(|server| graph.join(0, server));
        graph
    }

    fn join(&mut self, one: usize, other: usize) {
        if one != other && !self.peers[one].contains(&other) {
            self.peers[one].push(other);
            self.peers[other].push(one);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Every pair of neighbours once.
    pub(crate) fn edges(&self) -> Vec<(usize, usize)> {
        let of = |one: usize| self.peers[one].iter().map(move |other| (one, *other));
        (0..self.len()).flat_map(of).filter(|(one, other)| one < other).collect()
    }

    /// The most update lines one update may cost when nothing fails: 2E - (N - 1).
    pub(crate) fn lines_max(&self) -> u64 {
        (2 * self.edges().len() + 1 - self.len()) as u64
    }
}
