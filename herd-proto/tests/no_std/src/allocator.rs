//! An allocator that gives out one piece of memory from front to back and takes nothing back.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const SIZE: usize = 64 * 1024;

#[global_allocator]
static ALLOCATOR: Bump = Bump { memory: UnsafeCell::new([0; SIZE]), used: AtomicUsize::new(0) };

struct Bump {
    memory: UnsafeCell<[u8; SIZE]>,
    used: AtomicUsize,
}

// SAFETY: the memory is reached through `alloc` alone, which gives each byte of it out once.
unsafe impl Sync for Bump {}

// SAFETY: what `alloc` returns lies within the memory, aligned as asked for (or it is null), and no byte is given out twice, since
// `used` only grows and each call takes what it has added to it.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let memory = self.memory.get().cast::<u8>();
        // Room enough to move its beginning to where the layout wants it.
        let Some(room) = layout.size().checked_add(layout.align()) else { return ptr::null_mut() };
        let start = self.used.fetch_add(room, Relaxed);
        match start.checked_add(room) {
            Some(end) if end <= SIZE => {
                let at = memory.wrapping_add(start);
                at.wrapping_add(at.align_offset(layout.align()))
            }
            _ => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
