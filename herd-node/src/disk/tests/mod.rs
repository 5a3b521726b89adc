//! The disk log as a whole, over a disk that fails, forgets and waits as the test wants it to, and over the real one.

mod commit;
mod crash;
mod damage;
mod directory;
mod failure;
mod memory;
mod support;
