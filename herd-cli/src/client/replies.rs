//! The replies of a client as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::Client;
use crate::{ClientError, Reply};

type Next<'a> = Pin<Box<dyn Future<Output = (&'a mut Client, Item)> + Send + 'a>>;
type Item = Option<Result<Reply, ClientError>>;

/// The answers to a [`Client`]'s requests in the order of these, one each; made by [`Client::replies`].
///
/// It ends when nothing is unanswered. It goes on after an error, as [`Client::next_reply`] does. Dropping it loses
/// nothing: the client has the rest.
pub struct Replies<'a>(State<'a>);

enum State<'a> {
    Between(&'a mut Client),
    Waiting(Next<'a>),
    /// Only while a state gives way to the next.
    Nothing,
}

impl<'a> Replies<'a> {
    pub(super) const fn new(client: &'a mut Client) -> Self {
        Self(State::Between(client))
    }
}

impl Stream for Replies<'_> {
    type Item = Result<Reply, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Item> {
        let mut next: Next<'_> = match std::mem::replace(&mut self.0, State::Nothing) {
            State::Between(client) => {
                // What is here already costs no allocation.
                if let Some(reply) = client.arrived_reply() {
                    self.0 = State::Between(client);
                    return Poll::Ready(Some(Ok(reply)));
                }
                Box::pin(async move {
                    let item = client.next_reply().await.transpose();
                    (client, item)
                })
            }
            State::Waiting(next) => next,
            State::Nothing => return Poll::Ready(None),
        };
        match next.as_mut().poll(context) {
            Poll::Pending => {
                self.0 = State::Waiting(next);
                Poll::Pending
            }
            Poll::Ready((client, item)) => {
                self.0 = State::Between(client);
                Poll::Ready(item)
            }
        }
    }
}

impl fmt::Debug for Replies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            State::Between(client) => f.debug_tuple("Replies").field(client).finish(),
            State::Waiting(_) | State::Nothing => f.write_str("Replies(waiting)"),
        }
    }
}
