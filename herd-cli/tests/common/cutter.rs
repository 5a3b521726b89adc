//! A way to a server on which every connection is cut after so many bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// How many bytes come through one connection, towards the server and back, before it is cut in both directions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) there: usize,
    pub(crate) back: usize,
}

/// Leads to `target`. One connection for each cut, in order; those after them are whole.
pub(crate) fn start(target: SocketAddr, cuts: Vec<Cut>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let whole = Cut { there: usize::MAX, back: usize::MAX };
        let cuts = cuts.into_iter().chain(std::iter::repeat(whole));
        for (near, cut) in listener.incoming().map_while(Result::ok).zip(cuts) {
            let Ok(far) = TcpStream::connect(target) else { return };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            pass_on(&near, &far, cut.there);
            pass_on(&far, &near, cut.back);
        }
    });
    address
}

fn pass_on(from: &TcpStream, to: &TcpStream, most: usize) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread::spawn(move || {
        let mut left = most;
        let mut bytes = [0; 4096];
        while left > 0 {
            let room = left.min(bytes.len());
            let Ok(read @ 1..) = from.read(&mut bytes[..room]) else { break };
            if to.write_all(&bytes[..read]).is_err() {
                break;
            }
            left -= read;
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}
