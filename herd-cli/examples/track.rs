//! A tracker: walks once around a point, posts every step pipelined, then asks what is near where it stopped.
//!
//!     cargo run -p herd-cli --example track -- 127.0.0.1:12000

use std::error::Error;
use std::time::Duration;

use herd_cli::{Address, Connection, Reply, Servers, now};
use herd_proto::{ClientId, Iamat, Limit, Location, PosixTime, Radius, Response, Timestamp};

/// Steps of the way round.
const STEPS: u32 = 36;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => Servers::default_herd().find("Riley")?.address().clone(),
    };
    track(&address).await
}

async fn track(address: &Address) -> Result<(), Box<dyn Error>> {
    let mut client = Connection::connect(address, Duration::from_secs(10)).await?;
    let id = ClientId::new("tracker.example")?;

    // All steps leave at once; nobody waits for a reply before the next.
    let start = now();
    for step in 0..STEPS {
        let (location, time) = (location(step), time(start, step));
        client.send(&Iamat::new(id, Location::new(&location)?, Timestamp::new(&time)?).into());
    }
    while let Some(reply) = client.next_reply().await? {
        match reply {
            Reply::Response(Response::At(at)) => println!("{} at {}", at.location(), at.time()),
            other => return Err(format!("not an AT: {other:?}").into()),
        }
    }

    let nearby = client.whatsat(id, Radius::new("10")?, Limit::new("5")?).await?;
    println!("near {}: {} bytes of JSON", nearby.at.location(), nearby.body.len());
    Ok(())
}

/// A kilometre around a point, in decimal degrees with their signs.
fn location(step: u32) -> String {
    let (sin, cos) = (f64::from(step) / f64::from(STEPS) * std::f64::consts::TAU).sin_cos();
    format!("{:+010.6}{:+011.6}", 34.068_930 + 0.009 * sin, -118.445_127 + 0.0109 * cos)
}

/// The steps of a walk that ends now, a second apart.
fn time(end: PosixTime, step: u32) -> String {
    let seconds = end.seconds().saturating_sub(u64::from(STEPS - step));
    PosixTime::new(seconds, end.nanos()).unwrap_or_default().to_string()
}
