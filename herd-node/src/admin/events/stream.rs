//! The body of an answer that ends with its reader only: asked for the next bytes when there is room to send them, and never before.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::reader::Reader;

/// See the module.
pub(in crate::admin) struct Stream(State);

type Next = Pin<Box<dyn Future<Output = Option<(Reader, Bytes)>> + Send>>;

enum State {
    Resting(Reader),
    Working(Next),
    /// For the moment in which it is neither, and once it has ended.
    Between,
}

impl Stream {
    pub(in crate::admin) const fn new(reader: Reader) -> Self {
        Self(State::Resting(reader))
    }

    pub(in crate::admin) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut next: Next = match std::mem::replace(&mut self.0, State::Between) {
            State::Resting(mut reader) => Box::pin(async move {
                let bytes = reader.next().await?;
                Some((reader, bytes))
            }),
            State::Working(next) => next,
            State::Between => return Poll::Ready(None),
        };
        match next.as_mut().poll(context) {
            Poll::Ready(Some((reader, bytes))) => {
                self.0 = State::Resting(reader);
                Poll::Ready(Some(bytes))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                self.0 = State::Working(next);
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream(..)")
    }
}
