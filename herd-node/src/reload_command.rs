//! `herd-node reload`: has servers that run read their configuration file again, and says what came of it.

use std::io;
use std::path::{Path, PathBuf};

use herd_node::config::{Config, ConfigError};

use crate::command::Failure;
use crate::control::{self, Request, Whose};
use crate::run::{runtime, say};

/// Asks the process that runs `server` of the file, or every one that runs any of its servers. Says a line for each.
pub(crate) fn reload(file: Option<&Path>, server: Option<&str>, request: Request) -> Result<(), Failure> {
    let (sockets, trouble) = Sockets::of_file(file)?;
    runtime()?.block_on(async {
        // The process of that one server, or of all of the herd.
        for server in server.into_iter().map(Some).chain([None]) {
            if let Some(answer) = sockets.ask(server, request).await? {
                return answer.map(|text| say(&text)).map_err(Failure::running);
            }
        }
        if server.is_none() && !sockets.servers.is_empty() {
            return reload_each(&sockets, request).await;
        }
        Err(trouble.map_or_else(|| sockets.nobody(server), Failure::running))
    })
}

/// Asks the process of each server of the file that runs here by itself.
async fn reload_each(sockets: &Sockets<'_>, request: Request) -> Result<(), Failure> {
    let (mut answers, mut failures) = (0, Vec::new());
    for name in &sockets.servers {
        match sockets.ask(Some(name), request).await? {
            None => continue,
            Some(Ok(text)) => say(&text),
            Some(Err(text)) => failures.push(text),
        }
        answers += 1;
    }
    match (answers, failures.is_empty()) {
        (0, _) => Err(sockets.nobody(None)),
        (_, true) => Ok(()),
        (_, false) => Err(Failure::running(failures.join("; "))),
    }
}

/// Where servers of a file are reached.
struct Sockets<'a> {
    file: Option<&'a Path>,
    directory: Option<PathBuf>,
    /// The names of its servers.
    servers: Vec<String>,
}

impl<'a> Sockets<'a> {
    /// Of a file that can't be read, servers may still be at the place where they are if it says nothing; and what is wrong with it.
    fn of_file(file: Option<&'a Path>) -> Result<(Self, Option<ConfigError>), Failure> {
        let Some(path) = file else {
            let herd = Config::default_herd(&|_| None).map_err(Failure::running)?;
            let servers = herd.servers.into_iter().map(|server| server.name).collect();
            return Ok((Self { file, directory: None, servers }, None));
        };
        let (found, trouble) = match Config::whereabouts(path) {
            Ok(found) => (found, None),
            Err(error) => (Default::default(), Some(error)),
        };
        Ok((Self { file, directory: found.0, servers: found.1 }, trouble))
    }

    fn of(&self, server: Option<&str>) -> Result<PathBuf, Failure> {
        let whose = Whose { file: self.file, directory: self.directory.as_deref(), server };
        whose.socket().map_err(Failure::running)
    }

    async fn ask(&self, server: Option<&str>, request: Request) -> Result<Option<Result<String, String>>, Failure> {
        let socket = self.of(server)?;
        let at = |error: io::Error| Failure::running(format!("{}: {error}", socket.display()));
        control::ask(&socket, request).await.map_err(at)
    }

    fn nobody(&self, server: Option<&str>) -> Failure {
        let of = self.file.map_or_else(|| "the default herd".to_owned(), |file| file.display().to_string());
        let at = match self.of(server) {
            Ok(socket) => socket.display().to_string(),
            Err(failure) => return failure,
        };
        let (who, answers) = server.map_or(("no server", "answers"), |server| (server, "does not answer"));
        let hint = "is it running, as this user, with this file and this herd.control?";
        Failure::running(format!("{who} of {of} {answers} at {at}: {hint}"))
    }
}
