//! Asks what is near any number of clients at once: questions pipelined, answers as a stream.
//!
//!     cargo run -p herd-cli --example nearby -- kiwi.cs.ucla.edu emu

use std::error::Error;

use futures_util::StreamExt;
use herd_cli::{Client, Reply, Servers};
use herd_proto::{ClientId, Limit, Radius, Response, Whatsat};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let ids: Vec<String> = std::env::args().skip(1).collect();
    let mut client = Client::builder().servers(&Servers::default_herd()).connect().await?;
    nearby(&mut client, &ids).await
}

pub(crate) async fn nearby(client: &mut Client, ids: &[String]) -> Result<(), Box<dyn Error>> {
    for id in ids {
        client.send(&Whatsat::new(ClientId::new(id)?, Radius::new("10")?, Limit::new("5")?).into())?;
    }
    // One answer for each, in order.
    let mut replies = client.replies();
    for id in ids {
        match replies.next().await.transpose()? {
            Some(Reply::Response(Response::Nearby { at, body })) => {
                println!("{id} is at {}: {} bytes of JSON about what is near", at.location(), body.len());
            }
            Some(Reply::Response(Response::Invalid(_))) => println!("nobody has said where {id} is"),
            other => return Err(format!("not what was asked for: {other:?}").into()),
        }
    }
    Ok(())
}
