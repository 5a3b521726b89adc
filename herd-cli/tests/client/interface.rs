//! What is there for who uses it: whom to ask, futures for any thread, replies as a stream, and what happens told as it does.

use std::sync::mpsc;
use std::time::Duration;

use futures_util::StreamExt;
use herd_cli::{AtFault, BackOff, Builder, Client, ClientError, Connection, Event};

use super::common::fake::{Deed, Fake};
use super::common::herd;
use super::{are_answered, nobody, quick, requests, text, to};

const fn is_send<T: Send + 'static>() {}
const _: () = {
    is_send::<Client>();
    is_send::<Connection>();
    is_send::<Builder>();
    is_send::<ClientError>();
};

#[test]
fn its_futures_can_be_spawned() {
    fn is_send(_: impl Send) {}
    let mut client = quick().server(nobody()).build().unwrap();
    is_send(client.next_reply());
    is_send(client.flush());
    is_send(client.idle());
    is_send(client.replies());
    is_send(quick().server(nobody()).connect());
}

#[tokio::test]
async fn replies_are_a_stream() {
    let server = Fake::new([Deed::Cut { answers: 3, bytes: 2 }, Deed::Drip]);
    let mut client = to(&[&server]).build().unwrap();
    let requests = requests(9);
    requests.iter().for_each(|(line, _)| client.send_line(line.as_bytes()).unwrap());
    let mut answers = Vec::new();
    {
        let mut replies = client.replies();
        for _ in 0..4 {
            answers.push(text(replies.next().await.unwrap().unwrap()));
        }
    }
    // Dropped; another one goes on where it was.
    let mut replies = client.replies();
    while let Some(reply) = replies.next().await {
        answers.push(text(reply.unwrap()));
    }
    assert!(answers.iter().eq(requests.iter().map(|(_, answer)| answer)));
}

#[tokio::test]
async fn what_happens_can_be_watched() {
    let (tell, told) = mpsc::channel();
    let closed = nobody();
    let server = Fake::new([Deed::Cut { answers: 1, bytes: 1 }, Deed::Close, Deed::Serve]);
    let (first, second) = (closed.to_string(), server.address.to_string());
    let mut client = Client::builder()
        .server(closed)
        .server(server.address)
        .back_off(BackOff::new(Duration::ZERO, Duration::ZERO))
        .on_event(move |event| {
            let kind = match event {
                Event::Connected { .. } => "connected",
                Event::Failed { .. } => "failed",
                Event::Lost { .. } => "lost",
                Event::Retrying { .. } => "retrying",
                _ => "other",
            };
            let _ = tell.send((kind, event.to_string()));
        })
        .connect()
        .await
        .unwrap();
    are_answered(&mut client, &requests(2)).await;
    drop(client);
    let told: Vec<_> = told.iter().map(|(kind, text)| format!("{kind}: {text}")).collect();
    let refused = format!("failed: {first}: can't connect to {first}");
    let expected = [
        refused.clone(),
        format!("retrying: trying {second}"),
        format!("connected: connected to {second}"),
        // It had answered: so it is tried once more, at once.
        format!("lost: {second}: the server closed the connection: 1 line is unanswered"),
        format!("retrying: trying {second}"),
        format!("connected: connected to {second}"),
        // It had not.
        format!("lost: {second}: the server closed the connection: 1 line is unanswered"),
        format!("retrying: trying {first}"),
        refused,
        format!("retrying: trying {second}"),
        format!("connected: connected to {second}"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn whom_to_ask_has_to_be_said() {
    assert!(matches!(Client::builder().connect().await, Err(ClientError::NoServer)));
    let error = Client::connect("riley").await.unwrap_err();
    assert!(error.to_string().starts_with("no server is called 'riley' in the default herd"), "{error}");
    let error = Client::connect("localhost:x").await.unwrap_err();
    assert_eq!((error.to_string(), error.at_fault()), ("server 'localhost:x'".to_owned(), AtFault::Caller));
    let mut client = Client::connect(&herd().to_string()).await.unwrap();
    are_answered(&mut client, &requests(5)).await;
}
