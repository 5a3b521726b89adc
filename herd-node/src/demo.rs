//! `herd-node demo`: a herd of five, shown at work and broken and mended before one's eyes.

mod cast;
mod script;

use herd_node::config::Config;
use herd_node::secret::Secret;

use crate::command::Failure;
use crate::run;
use cast::Cast;

/// Starts a herd of five on free ports with the embedded places, tells the story, and stops it; with `stay` it runs on
/// until a signal comes.
pub(crate) fn demo(stay: bool) -> Result<(), Failure> {
    run::runtime()?.block_on(async {
        let stop = run::stop_signal().map_err(Failure::running)?;
        tokio::pin!(stop);
        let journals = Journals::create()?;
        let mut cast = Cast::start(configuration(&journals)?).await?;
        let told = tokio::select! {
            told = script::tell(&mut cast) => told,
            () = &mut stop => Ok(()),
        };
        if stay && told.is_ok() {
            cast.say_how_to_talk();
            stop.await;
        }
        cast.stop().await;
        told
    })
}

fn configuration(journals: &Journals) -> Result<Config, Failure> {
    let mut config = Config::default_herd(&|_| None).map_err(Failure::running)?;
    // All five run in this process, so nobody else needs to know the secret.
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(Failure::running)?;
    config.secrets = vec![Secret::new(secret)];
    for server in &mut config.servers {
        server.client.set_port(0);
        server.peer.set_port(0);
        server.admin = None;
        for peer in &mut server.peers {
            peer.dial.set_port(0);
        }
    }
    if let Some(journal) = &mut config.journal {
        journal.directory.clone_from(&journals.directory);
    }
    Ok(config)
}

/// A directory of its own for the journals, removed at the end.
struct Journals {
    directory: std::path::PathBuf,
}

impl Journals {
    fn create() -> Result<Self, Failure> {
        let number = getrandom::u64().map_err(Failure::running)?;
        let directory = std::env::temp_dir().join(format!("herd-demo-{number:016x}"));
        // Not `create_dir_all`: a directory that is there already is somebody else's.
        match std::fs::create_dir(&directory) {
            Ok(()) => Ok(Self { directory }),
            Err(error) => Err(Failure::running(format!("no directory {} for journals: {error}", directory.display()))),
        }
    }
}

impl Drop for Journals {
    fn drop(&mut self) {
        // Best effort: a few kilobytes in a temporary directory.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
