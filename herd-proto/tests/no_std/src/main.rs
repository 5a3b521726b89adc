//! A program without the standard library that reads and writes the herd's messages: `./dev features` builds it, runs it and
//! looks at its symbols.
//!
//! Were `std` linked, there would be two panic handlers, and the build would fail. Were anything allocated without the
//! feature `alloc`, there would be no allocator, and the build would fail. It exits with 0, or with the number of the first check
//! that does not hold. With an argument it makes a check that can't hold, so that its user sees that checks are made.
#![no_std]
#![no_main]

#[cfg(feature = "alloc")]
mod allocator;
mod borrowed;
#[cfg(feature = "alloc")]
mod owned;

use core::ffi::{c_char, c_int};
use core::panic::PanicInfo;

/// What the system's start-up code, in C, calls.
// SAFETY: the program has no other symbol of this name, and this is the signature that the C standard gives it.
#[unsafe(no_mangle)]
pub extern "C" fn main(argument_count: c_int, _arguments: *const *const c_char) -> c_int {
    let mut checks = Checks { made: 0, failed: 0 };
    borrowed::check(&mut checks);
    #[cfg(feature = "alloc")]
    owned::check(&mut checks);
    if argument_count > 1 {
        checks.holds(false);
    }
    checks.failed
}

// Of the C library the program uses its start-up code, and this to end when a check panics.
#[link(name = "c")]
// SAFETY: the C standard gives it this signature, and it has no precondition.
unsafe extern "C" {
    safe fn abort() -> !;
}

/// The compiled `core` and `alloc` name it, being made for programs that unwind. This one aborts, so it is never called.
// SAFETY: nothing else here has this name: it is the standard library's, which is not linked.
#[unsafe(no_mangle)]
pub extern "C" fn rust_eh_personality() {}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    abort()
}

struct Checks {
    made: c_int,
    /// The number of the first that failed.
    failed: c_int,
}

impl Checks {
    fn holds(&mut self, is_so: bool) {
        self.made += 1;
        if !is_so && self.failed == 0 {
            self.failed = self.made;
        }
    }
}
