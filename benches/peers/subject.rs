//! Who is measured: what each is made of, how it is started, what it speaks.

use std::io;
use std::path::Path;

use herd_bench::comparison::Kind;
use herd_bench::languages::{self, Language};
use herd_bench::{Encoding, Fleet, Load, blackbox, machine};
use herd_node::clock;

use crate::agreement::Agreement;
use crate::{echo, herd, memcached, nats, redis};

/// One of those that can be measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) encoding: Encoding,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Echo,
    Herd { servers: usize, journal: bool },
    Redis { replicas: usize },
    Memcached,
    Nats { subscribers: usize },
    Language(&'static Language),
}

/// One that runs.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) plan: Plan,
    pub(crate) fleet: Fleet,
    pub(crate) agreement: Agreement,
    /// Memory in use before the first post, in bytes.
    pub(crate) empty_bytes: u64,
}

/// Everybody, in the order of the table.
pub(crate) fn all() -> Vec<Plan> {
    let plan = |name, kind, encoding, what| Plan { name, kind, encoding, what };
    let ours = |name, servers, journal| plan(name, Kind::Herd, Encoding::Herd, What::Herd { servers, journal });
    let peer = |name, encoding, what| plan(name, Kind::Peer, encoding, what);
    let mut all = vec![
        plan("echo", Kind::Baseline, Encoding::Herd, What::Echo),
        ours("one", 1, false),
        ours("one+journal", 1, true),
        ours("five", 5, false),
        peer("redis SET", Encoding::RedisSet, What::Redis { replicas: 0 }),
        peer("redis GEOADD", Encoding::RedisGeoadd, What::Redis { replicas: 0 }),
        peer("redis SET + 4 replicas", Encoding::RedisSet, What::Redis { replicas: 4 }),
        peer("memcached set", Encoding::Memcached, What::Memcached),
        peer("NATS pub", Encoding::Nats, What::Nats { subscribers: 0 }),
        peer("NATS pub + 4 subscribers", Encoding::Nats, What::Nats { subscribers: 4 }),
    ];
    for language in languages::all() {
        all.push(plan(language.name(), Kind::Language, Encoding::Herd, What::Language(language)));
    }
    all
}

impl Plan {
    /// What this machine lacks for it, in a line.
    pub(crate) fn missing(&self) -> Option<String> {
        let package = match self.what {
            What::Echo | What::Herd { .. } => return None,
            What::Language(language) => return language.missing(),
            What::Redis { .. } => "redis-server",
            What::Memcached => "memcached",
            What::Nats { .. } => "nats-server",
        };
        self.version().is_none().then(|| format!("it is not installed; Debian's package is {package}"))
    }

    /// The name and the version of what it runs, if that is not of this workspace.
    pub(crate) fn version(&self) -> Option<(&'static str, String)> {
        let (name, program) = match self.what {
            What::Echo | What::Herd { .. } => return None,
            What::Language(language) => {
                return language.missing().is_none().then(|| (language.name(), language.version()));
            }
            What::Redis { .. } => ("redis", redis::PROGRAM),
            What::Memcached => ("memcached", memcached::PROGRAM),
            What::Nats { .. } => ("nats", nats::program()),
        };
        Some((name, machine::version_of(program, "--version")?))
    }

    /// How many processes it is.
    pub(crate) fn processes(&self) -> usize {
        match self.what {
            What::Echo | What::Memcached => 1,
            What::Herd { servers, .. } => servers,
            What::Redis { replicas: others } | What::Nats { subscribers: others } => 1 + others,
            What::Language(_) => 5,
        }
    }

    /// Whether it is a herd, which herd-cli can talk to.
    pub(crate) fn is_herd(&self) -> bool {
        matches!(self.kind, Kind::Herd | Kind::Language)
    }

    /// Lines of its program, of those that are compared by that.
    pub(crate) fn lines_of_code(&self) -> Option<usize> {
        match self.what {
            What::Language(language) => language.lines_of_code().ok(),
            _ => None,
        }
    }

    /// Starts it, with nothing in it. Its files go to `directory`, which must be there and its own.
    pub(crate) fn start(&self, directory: &Path) -> io::Result<Subject> {
        let (fleet, agreement) = match self.what {
            What::Echo => (echo::start()?, Agreement::Answered),
            What::Herd { servers, journal } => herd::start(directory, servers, journal)?,
            What::Redis { replicas } => redis::start(directory, replicas)?,
            What::Memcached => (memcached::start()?, Agreement::Answered),
            What::Nats { subscribers } => nats::start(directory, subscribers)?,
            What::Language(language) => (language.start(directory)?, Agreement::Asked),
        };
        if self.is_herd() && self.processes() == 5 {
            // Who is fast and wrong has not done the same work.
            blackbox::check(fleet.addresses())?;
        }
        let empty_bytes = fleet.resident_bytes()?;
        Ok(Subject { plan: self.clone(), fleet, agreement, empty_bytes })
    }
}

/// What a load took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) posts: u64,
    /// From the first post until every process had all of them.
    pub(crate) seconds: f64,
    /// Of all its processes.
    pub(crate) cpu_seconds: f64,
}

impl Subject {
    /// Makes each client known to it. Returns the memory in use then, in bytes.
    pub(crate) fn fill(&mut self, load: &Load) -> io::Result<u64> {
        let done = load.fill(self.plan.encoding, self.fleet.addresses())?;
        self.agreement.wait(&done, self.fleet.addresses())?;
        self.fleet.resident_bytes()
    }

    pub(crate) fn measure(&mut self, load: &Load) -> io::Result<Run> {
        let cpu_before = self.fleet.cpu_seconds()?;
        let done = load.run_as(self.plan.encoding, self.fleet.addresses())?;
        self.agreement.wait(&done, self.fleet.addresses())?;
        let seconds = clock::monotonic().duration_since(done.began).as_secs_f64();
        Ok(Run { posts: done.posts, seconds, cpu_seconds: self.fleet.cpu_seconds()? - cpu_before })
    }
}
