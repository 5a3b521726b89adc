//! What a process does with what comes to it: the order of calls that the core documents, and nothing more.

use std::time::Duration;

use herd_node::replica::{IndexKey, PeerIndex, Replica, Settings};
use herd_proto::{Nonce, encode};

use super::connection::{ConnId, End};
use super::herd::{Happening, Herd};
use super::process::{Input, Process, Socket, restore};
use super::queue::Nanos;

impl Herd {
    /// A process that knows nothing but what is on its disk.
    pub(crate) fn start(&mut self, server: usize) {
        if self.processes[server].is_some() || self.kept_down[server] > 0 {
            return;
        }
        let peers = self.configured(server).into_iter().map(|peer| self.name(peer).to_owned()).collect();
        let mut settings = Settings::new("ucla", self.name(server), peers);
        settings.secrets = self.secrets(server);
        settings.reconcile = self.scenario.reconcile;
        settings.boot = self.rng.next();
        settings.index_key = IndexKey::new(self.rng.next(), self.rng.next());
        settings.jitter_seed = self.rng.next();
        settings.keeps_changes = self.scenario.disk;
        settings.tuning.copies = self.promised(server);
        let boot = settings.boot;
        self.trace(|herd| format!("{} starts as {boot:016x}", herd.name(server)));
        settings.ttl = self.scenario.ttl.map(Duration::from_secs);
        let tuning = settings.tuning.clone();
        let mut replica = Replica::new(settings, self.instant());
        let wall = self.wall(server);
        replica.handle_wall_clock(self.instant(), wall);
        if let Some(disk) = self.disks.get(server) {
            restore(&mut replica, &disk.committed);
        }
        let wall_ahead = self.scenario.clocks[self.identity(server)];
        self.processes[server] = Some(Process { wall_ahead, ..Process::new(boot, replica, tuning) });
        self.powered[server] = true;
        self.oracles.started(server);
        self.note_restored(server);
        self.settle(server);
        self.set_paused(server);
    }

    /// Something comes to the process `boot`: taken in at once, or when it goes on.
    pub(crate) fn input(&mut self, server: usize, boot: u64, input: Input) {
        match &mut self.processes[server] {
            Some(process) if process.boot == boot && process.paused => process.inbox.push_back(input),
            Some(process) if process.boot == boot => self.take(server, input),
            _ => self.take_for_the_dead(&input),
        }
    }

    /// The kernel of a machine whose process is gone.
    fn take_for_the_dead(&mut self, input: &Input) {
        if let Input::Dialed(conn, _) = *input {
            self.network.abandon(conn, End::Dialer);
            self.network.reset(&mut self.queue, conn, End::Acceptor);
        }
    }

    fn take(&mut self, server: usize, input: Input) {
        let now = self.instant();
        match input {
            Input::Accepted(conn) => self.accept(server, conn),
            Input::Dialed(conn, peer) => {
                let (nonce, opened) = (self.nonce(), self.queue.now());
                if let Some(process) = &mut self.processes[server] {
                    let link = process.replica.handle_dialed(now, peer, nonce);
                    process.sockets.insert(conn, Socket::new(End::Dialer, link, opened));
                    process.conns.insert(link, conn);
                }
            }
            Input::DialFailed(peer) => {
                if let Some(process) = &mut self.processes[server] {
                    process.replica.handle_dial_failed(now, peer);
                }
            }
            Input::Delivered(conn, delivery) => self.deliver(server, conn, delivery),
            Input::Posted(post) => self.post(server, &post),
            Input::Reload => self.reload(server),
        }
        self.settle(server);
    }

    fn accept(&mut self, server: usize, conn: ConnId) {
        let (now, nonce, opened) = (self.instant(), self.nonce(), self.queue.now());
        let Some(process) = &mut self.processes[server] else { return };
        match process.replica.handle_accepted(now, nonce) {
            Ok(link) => {
                process.sockets.insert(conn, Socket::new(End::Acceptor, link, opened));
                process.conns.insert(link, conn);
            }
            Err(code) => {
                self.tally.see(format!("error {code}"));
                let mut line = Vec::new();
                encode::error(&mut line, code, "try again");
                self.network.send(&mut self.queue, conn, End::Acceptor, &line);
                self.network.finish(&mut self.queue, conn, End::Acceptor);
            }
        }
    }

    fn nonce(&mut self) -> Nonce {
        let (high, low) = (self.rng.next(), self.rng.next());
        Nonce(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
    }

    /// The connection is over; the other end is told by the caller, if at all.
    pub(crate) fn drop_socket(&mut self, server: usize, conn: ConnId, why: &str) {
        let now = self.instant();
        let Some(process) = &mut self.processes[server] else { return };
        let Some(socket) = process.sockets.remove(&conn) else { return };
        process.conns.remove(&socket.link);
        process.replica.handle_closed(now, socket.link, why);
        self.network.reset(&mut self.queue, conn, socket.end.other());
        self.network.abandon(conn, socket.end);
    }

    /// Does what the core asks for until it asks for nothing, then sets the timer.
    pub(crate) fn settle(&mut self, server: usize) {
        self.write_changes(server);
        while let Some(process) = &mut self.processes[server] {
            if let Some(event) = process.replica.poll_event() {
                self.on_event(server, &event);
            } else if let Some(settled) = process.replica.poll_settled() {
                self.on_settled(server, settled);
            } else if let Some(peer) = process.replica.poll_dial() {
                self.dial(server, peer);
            } else if let Some(link) = process.replica.poll_wake() {
                if let Some(conn) = process.conns.get(&link).copied() {
                    process.sockets.get_mut(&conn).expect("a link has a socket").awake = true;
                    self.transmit(server, conn);
                }
            } else {
                break;
            }
        }
        self.set_timer(server);
    }

    fn set_timer(&mut self, server: usize) {
        let zero = self.instant() - std::time::Duration::from_nanos(self.queue.now());
        let Some(process) = &mut self.processes[server] else { return };
        let due = process.replica.poll_timeout().map(|due| due.saturating_duration_since(zero).as_nanos() as Nanos);
        if process.timer != due {
            process.timer = due;
            if let Some(at) = due {
                // Timers are late now and then, by up to what a busy machine makes of them.
                let late = if self.rng.once_in(16) { self.rng.nanos(0, 100_000_000) } else { 0 };
                self.queue.at(at + late, Happening::Timer { server, at });
            }
        }
    }

    pub(crate) fn on_timer(&mut self, server: usize, at: Nanos) {
        let now = self.instant();
        let Some(process) = &mut self.processes[server] else { return };
        if process.timer != Some(at) || process.paused || self.scenario.plant.stops_timers(server) {
            return;
        }
        process.timer = None;
        process.replica.handle_timeout(now);
        self.settle(server);
    }

    pub(crate) fn dial(&mut self, server: usize, peer: PeerIndex) {
        // Asked for and removed in one go it would not have been asked for.
        let Some(acceptor) = self.peer_of(server, peer) else { return };
        let delay = self.network.delay(server, acceptor);
        let Some(boot) = self.processes[server].as_ref().map(|process| process.boot) else { return };
        self.trace(|herd| format!("{} dials {}", herd.name(server), herd.name(acceptor)));
        self.queue.after(delay, Happening::Syn { dialer: server, boot, peer: (acceptor, peer), tries: 0 });
    }

    /// Sends what there is to send while the connection can take it.
    pub(crate) fn transmit(&mut self, server: usize, conn: ConnId) {
        let (now, time) = (self.instant(), self.queue.now());
        loop {
            let Some(process) = &mut self.processes[server] else { return };
            let Some(socket) = process.sockets.get_mut(&conn) else { return };
            let room = self.network.room(conn, socket.end).min(socket.unsent.len());
            if room > 0 {
                let sent: Vec<u8> = socket.unsent.drain(..room).collect();
                self.network.send(&mut self.queue, conn, socket.end, &sent);
                socket.stuck_since = None;
            }
            if !socket.unsent.is_empty() {
                socket.stuck_since.get_or_insert(time);
                return;
            }
            if !socket.awake {
                return;
            }
            let mut out = Vec::new();
            process.replica.poll_transmit(now, socket.link, &mut out, self.scenario.batch);
            if out.is_empty() {
                socket.awake = false;
                if process.replica.is_closing(socket.link) {
                    self.close(server, conn);
                }
                return;
            }
            let lines = self.scenario.plant.on_the_wire(&mut out);
            self.tally.at_lines += lines;
            socket.unsent = out;
        }
    }

    /// The core has nothing more to say on this connection.
    fn close(&mut self, server: usize, conn: ConnId) {
        let now = self.instant();
        let Some(process) = &mut self.processes[server] else { return };
        let Some(socket) = process.sockets.remove(&conn) else { return };
        process.conns.remove(&socket.link);
        process.replica.handle_closed(now, socket.link, "closed");
        self.network.finish(&mut self.queue, conn, socket.end);
    }

    pub(crate) fn trace(&mut self, text: impl FnOnce(&Self) -> String) {
        if self.trace.is_on() {
            let text = text(self);
            self.trace.say(self.queue.now(), &text);
        }
    }
}
