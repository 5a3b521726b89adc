//! Which servers are meant, in which order, and what is said when one of them fails.

use std::time::Duration;

use herd_cli::{Builder, Client, ClientError, Event, Server, Servers, TlsSettings};

use crate::args::ServerArgs;
use crate::fault::{Fault, causes, complain};

/// Asked first when none is named.
const DEFAULT: &str = "Riley";

/// The servers that may answer: the first that does. Never empty.
#[derive(Debug)]
pub(crate) struct Choice {
    servers: Vec<Server>,
    /// They were found by name, and errors name them.
    named: bool,
    tls: Option<TlsSettings>,
}

impl Choice {
    /// Those of `--server`, in their order; without it Riley, or the first of the configuration. That is only read where it
    /// is needed: an address needs none.
    pub(crate) fn of(args: &ServerArgs) -> Result<Self, Fault> {
        let (addresses, names): (Vec<_>, Vec<_>) = args.servers.iter().partition(|text| text.contains(':'));
        let herd = match args.config() {
            Some(file) if addresses.is_empty() || !names.is_empty() => Servers::from_config(&file)?,
            _ => Servers::default_herd(),
        };
        let servers = match &args.servers[..] {
            [] => vec![herd.find(DEFAULT).or_else(|error| herd.iter().next().ok_or(error))?.clone()],
            texts => texts.iter().map(|text| server(&herd, text)).collect::<Result<_, _>>()?,
        };
        Ok(Self { servers, named: addresses.is_empty(), tls: args.tls(&herd)? })
    }

    /// A client of them. `timeout` is for each connection and each reply.
    pub(crate) fn client(&self, timeout: Duration) -> Builder {
        let builder = Client::builder().timeout(timeout).connect_timeout(timeout);
        let builder = self.servers.iter().fold(builder, Builder::server);
        match &self.tls {
            Some(tls) => builder.tls(tls.clone()),
            None => builder,
        }
    }

    /// The same for one conversation: no server is tried twice without an answer in between. One alone is not tried again;
    /// of several it is said on standard error which has failed and who is next.
    pub(crate) fn client_for_once(&self, timeout: Duration) -> Builder {
        // How much is sent ahead is the conversation's to bound.
        let builder = self.client(timeout).give_up_after(Duration::ZERO).unanswered_bytes_max(usize::MAX);
        if self.is_several() { builder.on_event(narrator(false)) } else { builder }
    }

    /// The same for a program that stays: it tries them again and again, gives up only for a time, and says on standard error how
    /// it goes. Of its requests none can be what servers fail over.
    pub(crate) fn client_for_long(&self, timeout: Duration) -> Builder {
        self.client(timeout).give_up_after(timeout).attempts_max(u32::MAX).on_event(narrator(true))
    }

    /// The one that is asked first.
    pub(crate) fn first(&self) -> &Server {
        &self.servers[0]
    }

    /// Whether there is another one to go on with.
    pub(crate) const fn is_several(&self) -> bool {
        self.servers.len() > 1
    }

    /// What to say of an error. That a single server was tried once needs no words.
    pub(crate) fn fault(&self, error: ClientError) -> Fault {
        let ClientError::GaveUp { server, source, .. } = error else { return Fault::Client(error) };
        let unreached = matches!(
            *source,
            ClientError::Unreachable { .. } | ClientError::ConnectTimedOut { .. } | ClientError::Insecure { .. }
        );
        if self.is_several() || (self.named && unreached) {
            Fault::Server { name: server, source: *source }
        } else {
            Fault::Client(*source)
        }
    }
}

fn server(herd: &Servers, text: &str) -> Result<Server, Fault> {
    use herd_cli::TargetError;
    herd.target(text).map_err(|error| match error {
        TargetError::Address { text, source } => Fault::Address { option: "--server", text, source },
        TargetError::Unknown(unknown) => unknown.into(),
        other => Fault::Client(other.into()),
    })
}

/// Says what failed and who is next, once both are known; and that nothing new until there is a connection again, which is
/// said, too, if `returns`.
fn narrator(returns: bool) -> impl FnMut(&Event<'_>) + Send + 'static {
    let mut failed: Option<String> = None;
    let mut said: Vec<String> = Vec::new();
    move |event| match event {
        Event::Failed { server, error } | Event::Lost { server, error } => {
            failed = Some(format!("{}: {}", server.name(), causes(*error)));
        }
        Event::Retrying { .. } => {
            if let Some(what) = failed.take().filter(|what| !said.contains(what)) {
                complain(&format!("{what}; {event}"));
                said.push(what);
            }
        }
        Event::Connected { .. } => {
            match failed.take() {
                // While nothing was asked.
                Some(what) => complain(&format!("{what}; {event} again")),
                None if returns && !said.is_empty() => complain(&event.to_string()),
                None => {}
            }
            said.clear();
        }
        _ => {}
    }
}
