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
    let asked = runtime()?.block_on(async {
        match server {
            // Its own process, or the one that runs all of the herd.
            Some(_) => match sockets.ask(server, request).await {
                None => sockets.ask(None, request).await,
                asked => asked,
            },
            None => ask_all(&sockets, request).await,
        }
    });
    match asked {
        Some(answer) => answer.map_err(Failure::running),
        None => Err(trouble.map_or_else(|| sockets.nobody(server), Failure::running)),
    }
}

/// What came of asking; `None`: nobody is there. What servers did is said already.
type Asked = Option<Result<(), String>>;

/// Asks the process of all servers of the file, or else that of each that runs here by itself. One that fails keeps no other from being
/// asked: they may do it, and the command fails for its sake.
async fn ask_all(sockets: &Sockets<'_>, request: Request) -> Asked {
    let of_all = sockets.ask(None, request).await;
    if of_all == Some(Ok(())) {
        return of_all;
    }
    let mut asked = vec![of_all];
    for name in &sockets.servers {
        asked.push(sockets.ask(Some(name), request).await);
    }
    let answers: Vec<Result<(), String>> = asked.into_iter().flatten().collect();
    if answers.is_empty() {
        return None;
    }
    let failures: Vec<String> = answers.into_iter().filter_map(Result::err).collect();
    Some(if failures.is_empty() { Ok(()) } else { Err(failures.join("; ")) })
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

    fn of(&self, server: Option<&str>) -> io::Result<PathBuf> {
        Whose { file: self.file, directory: self.directory.as_deref(), server }.socket()
    }

    /// Asks at one place, and says what was done there.
    async fn ask(&self, server: Option<&str>, request: Request) -> Asked {
        let whose = server.map(|server| format!("{server}: ")).unwrap_or_default();
        let answer = match self.of(server) {
            Ok(socket) => {
                let answer = control::ask(&socket, request).await;
                answer.map_err(|error| format!("{whose}{}: {error}", socket.display()))
            }
            Err(error) => Err(format!("{whose}{error}")),
        };
        match answer.transpose()? {
            Ok(Ok(text)) => {
                say(&text);
                Some(Ok(()))
            }
            Ok(Err(failure)) | Err(failure) => Some(Err(failure)),
        }
    }

    fn nobody(&self, server: Option<&str>) -> Failure {
        let of = self.file.map_or_else(|| "the default herd".to_owned(), |file| file.display().to_string());
        let at = match self.of(server) {
            Ok(socket) => socket.display().to_string(),
            Err(error) => return Failure::running(error),
        };
        let (who, answers) = server.map_or(("no server", "answers"), |server| (server, "does not answer"));
        let hint = "is it running, as this user, with this file and this herd.control?";
        Failure::running(format!("{who} of {of} {answers} at {at}: {hint}"))
    }
}
