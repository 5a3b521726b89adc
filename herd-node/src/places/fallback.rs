//! Two backends as one: the second answers when the first fails.

use std::sync::Arc;

use herd_proto::{Limit, Location, Radius};

use super::{Answer, Places, Query, Reply};

/// Asks `A`; when its reply has a failure, the body comes from `B` and the failure stays for the operator.
#[derive(Debug)]
pub struct Fallback<A, B: ?Sized> {
    first: A,
    second: Arc<B>,
}

impl<A: Places, B: Places + ?Sized + 'static> Fallback<A, B> {
    /// `first`, and `second` when that fails. Several servers may share the second.
    pub fn new(first: A, second: Arc<B>) -> Self {
        Self { first, second }
    }
}

impl<A: Places, B: Places + ?Sized + 'static> Places for Fallback<A, B> {
    fn nearby(&self, query: &Query<'_>) -> Answer {
        match self.first.nearby(query) {
            Answer::Now(reply) if reply.failure.is_none() => Answer::Now(reply),
            Answer::Now(failed) => instead(failed, self.second.nearby(query)),
            Answer::Later(reply) => {
                let (second, question) = (Arc::clone(&self.second), Question::of(query));
                Answer::Later(Box::pin(async move {
                    let reply = reply.await;
                    match question.query() {
                        Some(query) if reply.failure.is_some() => settle(instead(reply, second.nearby(&query))).await,
                        _ => reply,
                    }
                }))
            }
        }
    }

    fn spent(&self) -> Option<super::google::Spent> {
        self.first.spent().or_else(|| self.second.spent())
    }
}

/// The second's body with the first's failure.
fn instead(failed: Reply, second: Answer) -> Answer {
    match second {
        Answer::Now(reply) => Answer::Now(Reply { body: reply.body, failure: failed.failure }),
        Answer::Later(reply) => {
            Answer::Later(Box::pin(async move { Reply { body: reply.await.body, failure: failed.failure } }))
        }
    }
}

async fn settle(answer: Answer) -> Reply {
    match answer {
        Answer::Now(reply) => reply,
        Answer::Later(reply) => reply.await,
    }
}

/// A query that outlives the line it came in.
struct Question {
    location: Box<str>,
    radius: Box<str>,
    limit: Limit,
}

impl Question {
    fn of(query: &Query<'_>) -> Self {
        Self { location: query.location.as_str().into(), radius: query.radius.as_str().into(), limit: query.limit }
    }

    /// The query again. Always `Some`: the texts were parsed before.
    fn query(&self) -> Option<Query<'_>> {
        let (location, radius) = (Location::new(&*self.location).ok()?, Radius::new(&*self.radius).ok()?);
        Some(Query { location, radius, limit: self.limit })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use herd_proto::{Limit, Location, Radius};

    use super::super::legacy::{UNKNOWN_ERROR, failure_reply};
    use super::{Answer, Fallback, Places, Query, Reply, settle};

    /// Answers its reply, now or later, and counts how often it was asked.
    #[derive(Debug)]
    struct Fake {
        reply: Reply,
        later: bool,
        asked: AtomicUsize,
    }

    impl Fake {
        fn new(reply: Reply, later: bool) -> Self {
            Self { reply, later, asked: AtomicUsize::new(0) }
        }
    }

    impl Places for Fake {
        fn nearby(&self, query: &Query<'_>) -> Answer {
            assert_eq!((query.location.as_str(), query.radius.as_str(), query.limit.get()), ("+1.50-002", "07.0", 3));
            self.asked.fetch_add(1, Ordering::Relaxed);
            let reply = self.reply.clone();
            if self.later { Answer::Later(Box::pin(async move { reply })) } else { Answer::Now(reply) }
        }
    }

    fn good(body: &'static str) -> Reply {
        Reply { body: Bytes::from(body), failure: None }
    }

    async fn ask(first: Reply, second: Reply) -> Vec<(Reply, usize)> {
        let mut replies = Vec::new();
        for (first_later, second_later) in [(false, false), (false, true), (true, false), (true, true)] {
            let backend =
                Fallback::new(Fake::new(first.clone(), first_later), Arc::new(Fake::new(second.clone(), second_later)));
            let query = Query {
                location: Location::new("+1.50-002").unwrap(),
                radius: Radius::new("07.0").unwrap(),
                limit: Limit::from_count(3).unwrap(),
            };
            let reply = settle(backend.nearby(&query)).await;
            replies.push((reply, backend.second.asked.load(Ordering::Relaxed)));
        }
        replies
    }

    #[tokio::test]
    async fn a_success_asks_nobody_else() {
        for (reply, asked) in ask(good("first"), good("second")).await {
            assert_eq!((reply, asked), (good("first"), 0));
        }
    }

    #[tokio::test]
    async fn a_failure_is_answered_by_the_second_and_told_to_the_operator() {
        let failed = failure_reply(UNKNOWN_ERROR, "down");
        for (reply, asked) in ask(failed.clone(), good("second")).await {
            assert_eq!((reply.body, reply.failure, asked), (Bytes::from("second"), failed.failure.clone(), 1));
        }
    }
}
