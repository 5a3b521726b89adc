//! A tracker: says where it is, step by step, to whichever server of the herd is there.
//!
//!     cargo run -p herd-cli --example track -- Riley Campbell
//!
//! Stop one server while it runs, and see it go on with the other. Without a name it has all of the default herd.

use std::error::Error;
use std::time::Duration;

use herd_cli::{Builder, Client, ClientError, Servers, now};
use herd_proto::{ClientId, Location, Timestamp};

/// Steps of the way round.
const STEPS: u32 = 36;

/// Between two steps.
const PAUSE: Duration = Duration::from_millis(500);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let herd = Servers::default_herd();
    let mut client = Client::builder();
    for target in std::env::args().skip(1) {
        client = client.server(herd.target(&target)?);
    }
    if std::env::args().len() == 1 {
        client = client.servers(&herd);
    }
    track(client.on_event(|event| eprintln!("{event}")), STEPS, PAUSE).await
}

/// Walks around a point, and posts every step.
pub(crate) async fn track(client: Builder, steps: u32, pause: Duration) -> Result<(), Box<dyn Error>> {
    let mut client = client.connect().await?;
    let id = ClientId::new("tracker.example")?;
    for step in 0..steps {
        let (location, time) = (location(step, steps), now().to_string());
        match client.iamat(id, Location::new(&location)?, Timestamp::new(&time)?).await {
            Ok(at) => println!("{} at {}, told to {}", at.location(), at.time(), at.origin()),
            // Positions grow old: the next one is worth more than this.
            Err(error @ (ClientError::GaveUp { .. } | ClientError::Undeliverable { .. })) => eprintln!("{error}"),
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// A kilometre around a point, in decimal degrees with their signs.
fn location(step: u32, steps: u32) -> String {
    let (sin, cos) = (f64::from(step) / f64::from(steps) * std::f64::consts::TAU).sin_cos();
    format!("{:+010.6}{:+011.6}", 34.068_930 + 0.009 * sin, -118.445_127 + 0.0109 * cos)
}
