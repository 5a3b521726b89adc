//! Five servers that are well: what is told to one is known to all, at the least cost, and a goodbye loses nothing.

use herd_node::replica::Replica;

use super::support::{TestHerd, herd, soon};

/// Waits until each pair of servers has one link: both dial, and what goes over the one that is given up is not counted twice.
pub(super) async fn wait_settled(herd: &TestHerd) {
    for name in herd.names() {
        let peers = herd.settings(&name).peers.len();
        let is_settled = |replica: &Replica| replica.link_count() == peers;
        soon("one link a peer", herd.handle(&name).wait_until(is_settled)).await;
    }
}

/// Everything has been sent to every peer, and everything that was sent has arrived.
pub(super) async fn wait_quiet(herd: &TestHerd) -> u64 {
    let is_quiet = |replica: &Replica| replica.peers().all(|(peer, _)| replica.is_caught_up(peer));
    let quiet = async {
        loop {
            for handle in herd.handles() {
                handle.wait_until(is_quiet).await;
            }
            let counters: Vec<_> = herd.handles().map(|handle| handle.look(Replica::counters)).collect();
            let sent: u64 = counters.iter().map(|counters| counters.updates_sent).sum();
            let received: u64 = counters.iter().map(|counters| counters.updates_received).sum();
            if sent == received {
                return sent;
            }
            tokio::task::yield_now().await;
        }
    };
    soon("the herd to fall quiet", quiet).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_at_any_server_is_known_at_every_one_for_at_most_eight_messages() {
    let herd = TestHerd::linked(herd::default_herd()).await;
    wait_settled(&herd).await;
    let names = herd.names();
    let mut clients = Vec::new();
    for name in &names {
        clients.push((name, herd.connect(name).await));
    }
    let mut sent = wait_quiet(&herd).await;
    for at in 0..names.len() {
        for round in 0..4 {
            // One client that moves from server to server, and one of each server's own.
            let id = if round % 2 == 0 { "kiwi".to_owned() } else { format!("client-of-{}", names[at]) };
            let told = clients[at].1.post(&id, "+34.068930-118.445127", &format!("{}", 10 * at + round)).await;
            assert!(told.starts_with(&format!("{} ", names[at])), "{told}");
            herd.wait_known(&id, &told).await;
            for (_, client) in &mut clients {
                assert_eq!(client.whereabouts(&id).await.as_ref(), Some(&told));
            }
            let before = std::mem::replace(&mut sent, wait_quiet(&herd).await);
            assert!((4..=8).contains(&(sent - before)), "{} messages for {told}", sent - before);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_stop_reaches_the_peers() {
    const POSTS: usize = 2_000;
    let mut herd = TestHerd::linked(herd::default_herd()).await;
    let mut client = herd.connect("Riley").await;
    let posts: String = (0..POSTS).map(|number| format!("IAMAT c{number} +1+2 3\n")).collect();
    let (mut writer, mut told) = (client.writer, Vec::new());
    let writing = tokio::spawn(async move {
        tokio::io::AsyncWriteExt::write_all(&mut writer, posts.as_bytes()).await.unwrap();
        writer
    });
    let mut line = String::new();
    for _ in 0..POSTS {
        line.clear();
        soon("a reply", tokio::io::AsyncBufReadExt::read_line(&mut client.reader, &mut line)).await.unwrap();
        told.push(line.trim_end().strip_prefix("AT ").unwrap().to_owned());
    }
    let stopping = herd.begin_stop("Riley");
    let _writer = writing.await.unwrap();
    for peer in ["Jaquez", "Juzang"] {
        herd.wait_link(peer, "Riley", false).await;
        // Not later, and not by another way: before its goodbye Riley has sent everything.
        herd.handle(peer).look(|replica| {
            for (number, told) in told.iter().enumerate() {
                let known = replica.find(format!("c{number}").as_bytes());
                assert_eq!(known, Some(told.as_bytes()), "{peer}");
            }
        });
    }
    soon("the stop", stopping).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_herd_stops_all_at_once() {
    let herd = herd_node::server::Herd::bind(&herd::default_herd()).await.unwrap();
    let handles: Vec<_> = herd.servers().iter().map(herd_node::server::Server::handle).collect();
    let linked = async {
        for handle in &handles {
            handle.wait_linked().await;
        }
    };
    soon("the stop", herd.run(linked)).await;
    assert!(handles.iter().all(|handle| handle.look(Replica::link_count) == 0));
}
