//! Random servers and random users: whatever either does, every request has one outcome, and in order.

use herd_cli::ClientError;
use proptest::prelude::*;

use super::common::fake::{Deed, Fake};
use super::common::{AT, BODY};
use super::{at_most, requests, text, to};

/// Pieces of what servers say, and of what none would.
fn sayings() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(format!("{AT}\n").into_bytes()),
        Just(format!("{AT}\n{BODY}\n\n").into_bytes()),
        Just(b"? x\n".to_vec()),
        Just(b"AT ".to_vec()),
        Just(b"\n".to_vec()),
        Just(vec![b'x'; 20_000]),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_servers_say_every_request_has_one_outcome(
        sayings in prop::collection::vec(sayings(), 1..4),
        count in 1..8_usize,
    ) {
        let deeds: Vec<_> = sayings.into_iter().map(Deed::Says).chain([Deed::Serve]).collect();
        let server = Fake::new(deeds);
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let mut client = to(&[&server]).attempts_max(2).build().unwrap();
            requests(count).iter().for_each(|(line, _)| client.send_line(line.as_bytes()).unwrap());
            for left in (0..count).rev() {
                match client.next_reply().await {
                    Ok(Some(_)) | Err(ClientError::Undeliverable { .. }) => {}
                    other => panic!("{other:?}"),
                }
                assert_eq!(client.unanswered(), left);
            }
            assert_eq!(client.next_reply().await.unwrap(), None);
        });
    }
}

/// What somebody does with a client, who may lose interest after having been woken so many times.
#[derive(Clone, Debug)]
enum Act {
    Send(usize),
    Next(u8),
    Flush(u8),
    Idle(u8),
    Arrived,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        (1..6_usize).prop_map(Act::Send),
        (0..6_u8).prop_map(Act::Next),
        (0..6_u8).prop_map(Act::Flush),
        (0..6_u8).prop_map(Act::Idle),
        Just(Act::Arrived),
    ];
    prop::collection::vec(act, 1..40)
}

fn honest_faults() -> impl Strategy<Value = Deed> {
    prop_oneof![
        Just(Deed::Close),
        Just(Deed::Drip),
        (0..6_usize, 0..40_usize).prop_map(|(answers, bytes)| Deed::Cut { answers, bytes }),
        (0..6_usize).prop_map(|answers| Deed::Reset { answers }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Calls are dropped at any point, connections lost at any other.
    #[test]
    fn whatever_is_dropped_no_answer_is_lost_doubled_or_out_of_order(
        acts in acts(),
        faults in prop::collection::vec(honest_faults(), 0..6),
    ) {
        let server = Fake::new(faults.into_iter().chain([Deed::Serve]).collect::<Vec<_>>());
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let mut client = to(&[&server, &server]).attempts_max(u32::MAX).build().unwrap();
            let requests = requests(6 * acts.len());
            let (mut sent, mut answered) = (0, 0);
            for act in acts {
                let reply = match act {
                    Act::Send(count) => {
                        for (line, _) in &requests[sent..sent + count] {
                            client.send_line(line.as_bytes()).unwrap();
                        }
                        sent += count;
                        None
                    }
                    Act::Next(turns) => at_most(turns, client.next_reply()).await.and_then(Result::unwrap),
                    Act::Flush(turns) => at_most(turns, client.flush()).await.and_then(|left| left.map(|()| None).unwrap()),
                    Act::Idle(turns) => at_most(turns, client.idle()).await.and_then(Result::ok),
                    Act::Arrived => client.arrived_reply(),
                };
                if let Some(reply) = reply {
                    assert_eq!(text(reply), requests[answered].1);
                    answered += 1;
                }
                assert_eq!(client.unanswered(), sent - answered);
            }
            while let Some(reply) = client.next_reply().await.unwrap() {
                assert_eq!(text(reply), requests[answered].1);
                answered += 1;
            }
            assert_eq!((answered, client.unanswered_bytes(), client.queued()), (sent, 0, 0));
        });
    }
}
