//! Connections that behave like TCP, and paths that don't always carry them.
//!
//! Bytes arrive in order and are never corrupted. A sender has a window of bytes that the receiver has not read yet: when a receiver
//! stops reading, the sender stops. A cut path delays what is on it until it heals (as retransmission does); what is sent to an end
//! that is no more is answered by a reset; a black hole takes everything and answers nothing.

use std::collections::BTreeMap;

use super::connection::{ConnId, Connection, End, Item};
use super::queue::{MILLIS, Nanos, Queue};
use super::rng::Rng;

/// What the network is going to do.
#[derive(Clone, Debug)]
pub(crate) enum Transit {
    /// Something may have arrived at this end.
    Arrive { conn: ConnId, to: End },
    /// This end learns that the other has read so many bytes.
    Room { conn: ConnId, to: End, bytes: usize },
    /// This end learns that the other is no more.
    Reset { conn: ConnId, to: End },
}

/// What the network hands to a server.
#[derive(Clone, Debug)]
pub(crate) enum Delivery {
    Item(Item),
    /// Bytes can be sent again.
    Room,
    Reset,
}

/// The state of the way from one server to another.
#[derive(Clone, Copy, Debug, Default)]
struct Path {
    cuts: u32,
    slow: bool,
}

/// How the network of one history is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) latency: Nanos,
    pub(crate) jitter: Nanos,
    pub(crate) window: usize,
    /// The largest segment; segments are of random length up to it.
    pub(crate) segment_max: usize,
}

/// All connections and paths.
#[derive(Debug)]
pub(crate) struct Network {
    weather: Weather,
    connections: BTreeMap<ConnId, Connection>,
    paths: Vec<Vec<Path>>,
    next: u32,
    rng: Rng,
}

/// What a slow path adds to the latency, and what it takes for a byte.
const SLOW_LATENCY: Nanos = 250 * MILLIS;
const SLOW_PER_BYTE: Nanos = 50_000;

impl Network {
    pub(crate) fn new(servers: usize, weather: Weather, rng: Rng) -> Self {
        let paths = vec![vec![Path::default(); servers]; servers];
        Self { weather, connections: BTreeMap::new(), paths, next: 0, rng }
    }

    /// A new connection, as its acceptor sees it first. The dialer knows of it at `made`.
    pub(crate) fn connect(&mut self, dialer: usize, acceptor: usize, made: Nanos) -> ConnId {
        let id = ConnId(self.next);
        self.next += 1;
        self.connections.insert(id, Connection::new(dialer, acceptor, made));
        id
    }

    pub(crate) fn delay(&mut self, from: usize, to: usize) -> Nanos {
        let extra = if self.paths[from][to].slow { SLOW_LATENCY } else { 0 };
        self.weather.latency + extra + self.rng.nanos(0, self.weather.jitter)
    }

    pub(crate) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.paths[from][to].cuts > 0
    }

    pub(crate) fn server(&self, conn: ConnId, end: End) -> usize {
        self.connections[&conn].servers[end.index()]
    }

    /// Connections between two servers that both ends believe in.
    pub(crate) fn between(&self, one: usize, other: usize) -> Vec<ConnId> {
        let joins = |connection: &Connection| {
            (connection.servers == [one, other] || connection.servers == [other, one])
                && connection.open == [true, true]
                && !connection.black_hole
        };
        self.connections.iter().filter(|(_, connection)| joins(connection)).map(|(id, _)| *id).collect()
    }

    /// How many bytes `from` can send now.
    pub(crate) fn room(&self, conn: ConnId, from: End) -> usize {
        let Some(connection) = self.connections.get(&conn) else { return 0 };
        self.weather.window.saturating_sub(connection.pipes[from.other().index()].in_flight)
    }

    /// Sends bytes that there is room for.
    pub(crate) fn send<E: From<Transit>>(&mut self, queue: &mut Queue<E>, conn: ConnId, from: End, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let len = 1 + self.rng.below(self.weather.segment_max.min(rest.len()));
            let (segment, after) = rest.split_at(len);
            self.push(queue, conn, from, Item::Bytes(segment.to_vec()));
            rest = after;
        }
    }

    /// Ends a connection after what has been sent.
    pub(crate) fn finish<E: From<Transit>>(&mut self, queue: &mut Queue<E>, conn: ConnId, from: End) {
        self.push(queue, conn, from, Item::Fin);
        self.abandon(conn, from);
    }

    /// This end is no more, and the other is not told: the process or its machine is gone.
    pub(crate) fn abandon(&mut self, conn: ConnId, end: End) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        connection.open[end.index()] = false;
        if connection.open == [false, false] {
            self.connections.remove(&conn);
        }
    }

    /// Tells `to` that the other end is no more.
    pub(crate) fn reset<E: From<Transit>>(&mut self, queue: &mut Queue<E>, conn: ConnId, to: End) {
        let Some(connection) = self.connections.get(&conn) else { return };
        let (from, server) = (connection.servers[to.other().index()], connection.servers[to.index()]);
        let made = connection.made;
        let delay = self.delay(from, server);
        queue.at((queue.now() + delay).max(made), Transit::Reset { conn, to }.into());
    }

    /// From now on the connection carries nothing and says nothing of it.
    pub(crate) fn swallow(&mut self, conn: ConnId) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.black_hole = true;
        }
    }

    /// `reader` has read so many bytes, of which the sender will learn.
    pub(crate) fn has_read<E: From<Transit>>(&mut self, queue: &mut Queue<E>, conn: ConnId, reader: End, bytes: usize) {
        let Some(connection) = self.connections.get(&conn) else { return };
        let (from, to) = (connection.servers[reader.index()], connection.servers[reader.other().index()]);
        let delay = self.delay(from, to);
        queue.after(delay, Transit::Room { conn, to: reader.other(), bytes }.into());
    }

    fn push<E: From<Transit>>(&mut self, queue: &mut Queue<E>, conn: ConnId, from: End, item: Item) {
        let Some(connection) = self.connections.get(&conn) else { return };
        let (source, target) = (connection.servers[from.index()], connection.servers[from.other().index()]);
        let len = if let Item::Bytes(bytes) = &item { bytes.len() } else { 0 };
        let delay = self.delay(source, target);
        let slow = self.paths[source][target].slow;
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let pipe = &mut connection.pipes[from.other().index()];
        let carried = if slow { len as Nanos * SLOW_PER_BYTE } else { 0 };
        let last = pipe.items.back().map_or(connection.made, |(due, _)| *due);
        let due = (queue.now() + delay).max(last) + carried;
        pipe.in_flight += len;
        pipe.items.push_back((due, item));
        if pipe.items.len() == 1 {
            queue.at(due, Transit::Arrive { conn, to: from.other() }.into());
        }
    }

    /// Does what is due; what comes out is for the server at the end that is named.
    pub(crate) fn carry<E: From<Transit>>(
        &mut self,
        queue: &mut Queue<E>,
        transit: &Transit,
    ) -> Option<(ConnId, End, Delivery)> {
        match *transit {
            Transit::Arrive { conn, to } => self.arrive(queue, conn, to),
            Transit::Room { conn, to, bytes } => self.regain(conn, to, bytes),
            Transit::Reset { conn, to } => {
                let connection = self.connections.get(&conn)?;
                let path = (connection.servers[to.other().index()], connection.servers[to.index()]);
                // A reset is not repeated: lost on a cut path, it leaves the connection half-open.
                let arrives = !connection.black_hole && !self.is_cut(path.0, path.1) && connection.open[to.index()];
                arrives.then_some((conn, to, Delivery::Reset))
            }
        }
    }

    fn arrive<E: From<Transit>>(
        &mut self,
        queue: &mut Queue<E>,
        conn: ConnId,
        to: End,
    ) -> Option<(ConnId, End, Delivery)> {
        let connection = self.connections.get_mut(&conn)?;
        let (from, server) = (connection.servers[to.other().index()], connection.servers[to.index()]);
        if self.paths[from][server].cuts > 0 {
            return None;
        }
        let pipe = &mut connection.pipes[to.index()];
        if pipe.items.front().is_none_or(|(due, _)| *due > queue.now()) {
            return None;
        }
        let (_, item) = pipe.items.pop_front()?;
        if let Some((due, _)) = pipe.items.front() {
            queue.at(*due, Transit::Arrive { conn, to }.into());
        }
        if connection.black_hole {
            return None;
        }
        if !connection.open[to.index()] {
            self.reset(queue, conn, to.other());
            return None;
        }
        Some((conn, to, Delivery::Item(item)))
    }

    fn regain(&mut self, conn: ConnId, to: End, bytes: usize) -> Option<(ConnId, End, Delivery)> {
        let connection = self.connections.get_mut(&conn)?;
        let (from, server) = (connection.servers[to.other().index()], connection.servers[to.index()]);
        let pipe = &mut connection.pipes[to.other().index()];
        if connection.black_hole {
            return None;
        }
        if self.paths[from][server].cuts > 0 {
            pipe.room_held += bytes;
            return None;
        }
        pipe.in_flight -= bytes;
        connection.open[to.index()].then_some((conn, to, Delivery::Room))
    }

    pub(crate) fn cut(&mut self, from: usize, to: usize) {
        self.paths[from][to].cuts += 1;
    }

    pub(crate) fn slow(&mut self, from: usize, to: usize, slow: bool) {
        self.paths[from][to].slow = slow;
    }

    /// One cut less. What waited comes through after a moment, as a retransmission would.
    pub(crate) fn mend<E: From<Transit>>(&mut self, queue: &mut Queue<E>, from: usize, to: usize) {
        self.paths[from][to].cuts -= 1;
        self.hurry(queue, from, to, 400 * MILLIS);
    }

    /// What is on its way from one server to another arrives within `at_most`, in order.
    pub(crate) fn hurry<E: From<Transit>>(&mut self, queue: &mut Queue<E>, from: usize, to: usize, at_most: Nanos) {
        for (id, connection) in &mut self.connections {
            let to = match connection.servers {
                [dialer, acceptor] if (dialer, acceptor) == (from, to) => End::Acceptor,
                [dialer, acceptor] if (acceptor, dialer) == (from, to) => End::Dialer,
                _ => continue,
            };
            let due = (queue.now() + self.rng.nanos(MILLIS, at_most)).max(connection.made);
            let pipe = &mut connection.pipes[to.index()];
            for (at, _) in &mut pipe.items {
                *at = (*at).min(due);
            }
            if !pipe.items.is_empty() {
                queue.at(due, Transit::Arrive { conn: *id, to }.into());
            }
            let bytes = std::mem::take(&mut connection.pipes[to.other().index()].room_held);
            if bytes > 0 {
                queue.at(due, Transit::Room { conn: *id, to, bytes }.into());
            }
        }
    }
}
