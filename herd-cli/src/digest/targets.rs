//! Who is to be asked.

use herd_cli::{Address, AdminToken, Server, Servers};

use super::usage;
use crate::args::{AdminArgs, ServerArgs};
use crate::fault::Fault;
use crate::token;

/// One server to ask.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// What it is called until it has said its name.
    pub(crate) name: String,
    /// The name it must say.
    pub(super) expected: Option<String>,
    /// Where it is to be asked, or why that is unknown.
    pub(crate) address: Result<Address, &'static str>,
    /// What it may want to see first.
    pub(super) token: Option<AdminToken>,
}

/// The addresses of `--admin`; else the server of `--server`; else all servers there are.
pub(crate) fn targets(whom: &AdminArgs, args: &ServerArgs) -> Result<Vec<Target>, Fault> {
    let admin = &whom.admin;
    let token = token::of(whom.token_file.as_deref())?;
    let targets = match args.server()? {
        Some(_) if !admin.is_empty() => Err(usage("--server and --admin both say whom to ask: one of them is enough")),
        Some(text) if text.contains(':') => {
            Err(usage(format!("'{text}' is where clients connect; servers say their digests at --admin ADDR")))
        }
        _ if !admin.is_empty() => by_address(admin),
        name => by_name(name, args),
    }?;
    Ok(targets.into_iter().map(|target| Target { token: token.clone(), ..target }).collect())
}

fn by_address(texts: &[String]) -> Result<Vec<Target>, Fault> {
    let mut targets: Vec<Target> = Vec::with_capacity(texts.len());
    for text in texts {
        let address: Address =
            text.parse().map_err(|source| Fault::Address { option: "--admin", text: text.clone(), source })?;
        let name = address.to_string();
        if targets.iter().all(|target| target.name != name) {
            targets.push(Target { name, expected: None, address: Ok(address), token: None });
        }
    }
    Ok(targets)
}

fn by_name(name: Option<&str>, args: &ServerArgs) -> Result<Vec<Target>, Fault> {
    let servers = match args.config() {
        Some(file) => Servers::from_config(&file)?,
        None => Servers::default_herd(),
    };
    let targets: Vec<Target> = match name {
        Some(name) => vec![target(servers.find(name)?)],
        None => servers.iter().map(target).collect(),
    };
    if targets.iter().all(|target| target.address.is_err()) {
        return Err(usage("the configuration has no admin address to ask at: admin = \"IP:PORT\" of a [[server]]"));
    }
    Ok(targets)
}

fn target(server: &Server) -> Target {
    let address = server.admin().cloned().ok_or("the configuration has no admin address of it");
    Target { name: server.name().to_owned(), expected: Some(server.name().to_owned()), address, token: None }
}
