//! Whether a link flaps: comes into service, breaks, and is back before anybody would call it down.
//!
//! Each time it comes up the next dial is soon again, so it is never down for long, and yet what it carries gets nowhere. It is so where
//! the handshake fits through a path that swallows larger packets.

use std::time::{Duration, Instant};

/// A link that holds for so long is sound.
const SOUND_AFTER: Duration = Duration::from_secs(60);
/// A link that came up so often in that time flaps. A server that has just started, and whose peer is restarted then, sees it twice.
const UPS_MAX: usize = 3;

/// When a link with one peer came up, after there was none.
#[derive(Debug, Default)]
pub(super) struct Flaps {
    /// The last times, the newest first.
    ups: [Option<Instant>; UPS_MAX],
    /// How long it must hold, where it flapped when it last came up.
    sound_after: Option<Duration>,
}

impl Flaps {
    /// The link has come up; silence for as long as `dead` would end it.
    pub(super) fn up(&mut self, now: Instant, dead: Duration) {
        // Where it takes long to notice a death, a link that only dies of silence does not come up three times in a minute.
        let sound_after = SOUND_AFTER.max(dead.saturating_mul(4));
        let was_seen = self.is_seen(now);
        self.ups.rotate_right(1);
        self.ups[0] = Some(now);
        let are_close = self.ups[UPS_MAX - 1].is_some_and(|first| now.saturating_duration_since(first) < sound_after);
        self.sound_after = (was_seen || are_close).then_some(sound_after);
    }

    /// Whether it flaps. A link that holds, or is down for good, does so no more after a minute.
    pub(super) fn is_seen(&self, now: Instant) -> bool {
        let holds = self.ups[0].map(|up| now.saturating_duration_since(up));
        holds.zip(self.sound_after).is_some_and(|(holds, sound_after)| holds < sound_after)
    }
}
