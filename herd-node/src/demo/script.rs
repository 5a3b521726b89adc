//! What happens in the demo, in order.

use herd_node::clock;

use super::cast::Cast;
use crate::command::Failure;

const KIWI: &str = "kiwi.cs.ucla.edu";

/// Posts, asks elsewhere, kills a server, shows the way around, brings it back, shows that it knows what it missed.
pub(super) async fn tell(cast: &mut Cast) -> Result<(), Failure> {
    cast.narrate("Five servers are up and linked, on free ports of this machine.");
    PICTURE.lines().for_each(crate::run::say);

    cast.narrate("A client tells Riley where it is. Riley tells its peers, and they tell theirs.");
    post(cast, "Riley", KIWI, "+34.068930-118.445127").await?;
    cast.show_flood("Riley", KIWI).await?;

    cast.narrate("Campbell never met that client. Ask it what is near: at most 5 places within 10 km.");
    expect(cast, "Campbell", &format!("WHATSAT {KIWI} 10 5"), "AT Riley").await?;

    cast.narrate("Juzang is killed: no goodbye, its memory is gone. The client moves on and tells Riley again.");
    cast.kill("Juzang").await;
    post(cast, "Riley", KIWI, "+34.021122-118.396467").await?;
    cast.show_flood("Riley", KIWI).await?;

    cast.narrate("That went around by Jaquez and Bernard. Campbell knows:");
    expect(cast, "Campbell", &format!("WHATSAT {KIWI} 10 1"), "AT Riley").await?;

    cast.narrate("Juzang comes back with nothing, and its peers bring it what it missed:");
    cast.revive("Juzang", KIWI).await?;
    expect(cast, "Juzang", &format!("WHATSAT {KIWI} 10 1"), "AT Riley").await?;

    cast.narrate("What is no message gets a question mark and harms nobody; least of all an AT from a client:");
    expect(cast, "Jaquez", &format!("AT Riley +0.0 {KIWI} +0.0+0.0 1.0"), "? AT").await
}

const PICTURE: &str = "
    Riley ------- Jaquez
      |             |
    Juzang ------ Bernard
       \\           /
         Campbell";

async fn post(cast: &Cast, server: &str, client: &str, location: &str) -> Result<(), Failure> {
    expect(cast, server, &format!("IAMAT {client} {location} {}", clock::posix()), &format!("AT {server} +")).await
}

/// Asks, and makes sure that the demo shows what it says it shows.
async fn expect(cast: &Cast, server: &str, line: &str, start: &str) -> Result<(), Failure> {
    let reply = cast.ask(server, line).await?;
    if reply.starts_with(start.as_bytes()) {
        return Ok(());
    }
    Err(Failure::running(format!("{server} should have answered {start:?}")))
}
