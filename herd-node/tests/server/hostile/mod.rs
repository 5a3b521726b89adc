//! Peers that are hostile or broken: each test is one script of mischief, against servers that know nothing of tests.
//!
//! A villain comes by TCP, with the herd's secret or without. Whatever it does is refused, counted and told to the operator, and costs a
//! bounded amount of memory; nobody else feels it; and the store holds the honest records and no other.
//!
//! | file | what the villain does |
//! |---|---|
//! | `door` | wants to get in without what it takes, or says something else than the handshake |
//! | `lines` | sends lines that are none, or says what a peer has no right to say |
//! | `records` | sends records that are none, too long, from far away or from the far future |
//! | `digests` | lies about what it holds, and asks for what it has |
//! | `storms` | sends without end, and does not read |
//! | `crowds` | comes a thousand times, or as somebody else, or with more clients than there is room for |
//! | `dialled` | is the one who is dialled |

mod crowds;
mod dialled;
mod digests;
mod door;
mod lines;
mod records;
mod scene;
mod storms;
mod villain;

use scene::{BERNARD, RILEY, Scene};
use villain::{Villain, at, dig, list};
