//! Faults as they happen to the herd.

use super::ages::CLOCK_MAX;
use super::connection::{End, Item};
use super::faults::What;
use super::herd::{Happening, Herd};

use super::queue::MILLIS;

impl Herd {
    pub(crate) fn fault_begins(&mut self, number: usize) {
        let what = self.scenario.faults[number].what.clone();
        self.trace(|_| format!("fault begins: {what:?}"));
        match what {
            What::Crash(server) => self.crash(server, true),
            What::PowerLoss(server) => self.crash(server, false),
            What::CrashAllBut(survivor) => {
                (0..self.servers()).filter(|server| *server != survivor).for_each(|server| self.crash(server, true));
            }
            What::CrashAll { power } => (0..self.servers()).for_each(|server| self.crash(server, !power)),
            What::Pause(server) => {
                self.kept_paused[server] += 1;
                self.set_paused(server);
            }
            What::Partition(side) => self.each_across(&side, |herd, from, to| herd.network.cut(from, to)),
            What::OneWay(from, to) => self.network.cut(from, to),
            What::Flap(..) => self.on_flap(number),
            What::BlackHole(one, other) => {
                self.network.between(one, other).into_iter().for_each(|conn| self.network.swallow(conn));
            }
            What::HalfOpen(one, other) => self.half_open(one, other),
            What::Slow(one, other) => {
                *self.slowed.entry((one, other)).or_default() += 1;
                self.set_slow(one, other, true);
            }
            What::Break(one, other) => self.break_connections(one, other),
            What::ClockStep(server, nanos) => {
                let clock = &mut self.scenario.clocks[server];
                *clock = (*clock + nanos).clamp(-CLOCK_MAX, CLOCK_MAX);
            }
            What::BothDial(one, other) => {
                self.dial_unasked(one, other);
                self.dial_unasked(other, one);
            }
            What::Redial(one, other) => self.dial_unasked(one, other),
            What::Lapse(server) => self.lapses[server] += 1,
            What::Impostor(_) => self.start(self.impostor(number)),
            What::Stranger(..) => self.visits_begin(number),
            What::Unlink(..) | What::Join(..) | What::Tune(_) | What::Rotate => self.change_begins(&what),
        }
    }

    pub(crate) fn fault_ends(&mut self, number: usize) {
        let what = self.scenario.faults[number].what.clone();
        self.trace(|_| format!("fault ends: {what:?}"));
        match what {
            What::Crash(server) | What::PowerLoss(server) => self.restart(server),
            What::CrashAllBut(survivor) => {
                (0..self.servers()).filter(|server| *server != survivor).for_each(|server| self.restart(server));
            }
            What::CrashAll { .. } => (0..self.servers()).for_each(|server| self.restart(server)),
            What::Pause(server) => {
                self.kept_paused[server] -= 1;
                self.set_paused(server);
            }
            What::Partition(side) => {
                self.each_across(&side, |herd, from, to| herd.network.mend(&mut herd.queue, from, to));
            }
            What::OneWay(from, to) => self.network.mend(&mut self.queue, from, to),
            What::Slow(one, other) => {
                let slowed = self.slowed.entry((one, other)).or_default();
                *slowed -= 1;
                if *slowed == 0 {
                    self.set_slow(one, other, false);
                }
            }
            What::Lapse(server) => self.lapses[server] -= 1,
            What::Impostor(_) => self.crash(self.impostor(number), true),
            What::Stranger(..) => self.visits_end(number),
            What::Unlink(..) | What::Join(..) | What::Tune(_) | What::Rotate => self.change_ends(&what),
            What::Flap(..) | What::BlackHole(..) | What::HalfOpen(..) | What::Break(..) => {}
            What::ClockStep(..) | What::BothDial(..) | What::Redial(..) => {}
        }
    }

    /// Breaks the pair's connections now, and again soon, while the fault lasts.
    pub(crate) fn on_flap(&mut self, number: usize) {
        let fault = self.scenario.faults[number].clone();
        let What::Flap(one, other) = fault.what else { return };
        self.break_connections(one, other);
        let again = self.queue.now() + self.rng.nanos(20 * MILLIS, 700 * MILLIS);
        if again < fault.until {
            self.queue.at(again, Happening::Flap(number));
        }
    }

    /// Somebody, or a mistake, has a server dial that has not asked for it.
    fn dial_unasked(&mut self, server: usize, peer: usize) {
        if let Some(index) = self.index_of(server, peer) {
            let has_link = self.processes[server].as_ref().is_some_and(|process| process.replica.has_link(index));
            self.tally.see(if has_link { "dial beside a link" } else { "dial twice" });
            self.dial(server, index);
        }
    }

    fn crash(&mut self, server: usize, is_told: bool) {
        self.kept_down[server] += 1;
        self.powered[server] &= is_told;
        let Some(process) = self.processes[server].take() else { return };
        self.oracles.died(server);
        if let Some(disk) = self.disks.get_mut(server) {
            disk.crash();
        }
        for (conn, socket) in process.sockets {
            if is_told {
                self.network.reset(&mut self.queue, conn, socket.end.other());
            } else {
                self.network.swallow(conn);
            }
            self.network.abandon(conn, socket.end);
        }
        // Connections that the kernel had taken and the process had not.
        for input in process.inbox {
            if let super::process::Input::Accepted(conn) = input {
                self.network.reset(&mut self.queue, conn, End::Dialer);
                self.network.abandon(conn, End::Acceptor);
            }
        }
    }

    fn restart(&mut self, server: usize) {
        self.kept_down[server] -= 1;
        self.start(server);
    }

    /// Stops or continues a process, as the faults want it.
    pub(crate) fn set_paused(&mut self, server: usize) {
        let paused = self.kept_paused[server] > 0;
        let Some(process) = &mut self.processes[server] else { return };
        if std::mem::replace(&mut process.paused, paused) == paused || paused {
            return;
        }
        let (boot, inbox, timer) = (process.boot, std::mem::take(&mut process.inbox), process.timer);
        let timer_first = self.rng.once_in(2);
        if let Some(at) = timer.filter(|_| timer_first) {
            self.queue_timer_now(server, at);
        }
        for input in inbox {
            self.input(server, boot, input);
        }
        let timer = self.processes[server].as_ref().and_then(|process| process.timer);
        if let Some(at) = timer {
            self.queue_timer_now(server, at);
        }
    }

    /// The timer of a process that goes on: at once if it is overdue.
    fn queue_timer_now(&mut self, server: usize, at: u64) {
        if at <= self.queue.now() {
            self.on_timer(server, at);
        } else {
            self.queue.at(at, Happening::Timer { server, at });
        }
    }

    fn each_across(&mut self, side: &[bool], act: impl Fn(&mut Self, usize, usize)) {
        for from in 0..side.len() {
            for to in 0..side.len() {
                if side[from] != side[to] {
                    act(self, from, to);
                }
            }
        }
    }

    fn set_slow(&mut self, one: usize, other: usize, slow: bool) {
        for (from, to) in [(one, other), (other, one)] {
            self.network.slow(from, to, slow);
            if !slow {
                self.network.hurry(&mut self.queue, from, to, 50 * MILLIS);
            }
        }
    }

    /// Both ends learn that their connections are broken.
    fn break_connections(&mut self, one: usize, other: usize) {
        for conn in self.network.between(one, other) {
            for end in [End::Dialer, End::Acceptor] {
                self.network.reset(&mut self.queue, conn, end);
            }
        }
    }

    /// One end learns that its connections are broken; what the other sends vanishes.
    fn half_open(&mut self, one: usize, other: usize) {
        for conn in self.network.between(one, other) {
            let end = if self.network.server(conn, End::Dialer) == one { End::Dialer } else { End::Acceptor };
            self.network.swallow(conn);
            let boot = self.processes[one].as_ref().map(|process| process.boot);
            if let Some(boot) = boot {
                let fin = super::network::Delivery::Item(Item::Fin);
                self.input(one, boot, super::process::Input::Delivered(conn, fin));
            }
            self.trace(|herd| format!("{} lost its {end:?} of {conn:?}", herd.name(one)));
        }
    }
}
