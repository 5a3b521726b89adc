//! Waits until a moment, to some microseconds where the system can do that: tokio's own timers have milliseconds.

#[cfg(not(target_os = "linux"))]
pub(super) use coarse::Pacer;
#[cfg(target_os = "linux")]
pub(super) use fine::Pacer;

#[cfg(target_os = "linux")]
mod fine {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::task::{Context, Poll, ready};

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    /// A timer of the system's that is waited for like a socket.
    #[derive(Debug)]
    pub(crate) struct Pacer {
        timer: AsyncFd<OwnedFd>,
        /// For when it is set.
        set: Option<u64>,
    }

    impl Pacer {
        pub(crate) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            // Its successor is unsafe for the sake of descriptors that are closed meanwhile: this one is owned and stays.
            #[allow(deprecated, reason = "there is no unsafe code here")]
            let timer = AsyncFd::new(timer)?;
            Ok(Self { timer, set: None })
        }

        /// Ready at `moment`, or earlier: whoever waits looks at the clock again. Both are nanoseconds of one clock.
        pub(crate) fn poll_until(&mut self, cx: &mut Context<'_>, moment: u64, now: u64) -> Poll<io::Result<()>> {
            if moment <= now {
                return Poll::Ready(Ok(()));
            }
            if self.set != Some(moment) {
                let wait = moment - now;
                let value = Timespec { tv_sec: (wait / 1_000_000_000) as _, tv_nsec: (wait % 1_000_000_000) as _ };
                let never_again = Timespec { tv_sec: 0, tv_nsec: 0 };
                // Setting it takes back that it went off before.
                timerfd_settime(
                    &self.timer,
                    TimerfdTimerFlags::empty(),
                    &Itimerspec { it_interval: never_again, it_value: value },
                )?;
                self.set = Some(moment);
            }
            ready!(self.timer.poll_read_ready(cx))?.clear_ready();
            self.set = None;
            Poll::Ready(Ok(()))
        }
    }
}

#[cfg(any(not(target_os = "linux"), test))]
#[cfg_attr(target_os = "linux", allow(dead_code, reason = "compiled here so that it can't rot elsewhere"))]
mod coarse {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use tokio::time::{Sleep, sleep};

    /// A timer of tokio's.
    #[derive(Debug)]
    pub(crate) struct Pacer {
        timer: Option<(u64, Pin<Box<Sleep>>)>,
    }

    impl Pacer {
        pub(crate) const fn new() -> io::Result<Self> {
            Ok(Self { timer: None })
        }

        /// Ready at `moment`, or earlier: whoever waits looks at the clock again. Both are nanoseconds of one clock.
        pub(crate) fn poll_until(&mut self, cx: &mut Context<'_>, moment: u64, now: u64) -> Poll<io::Result<()>> {
            if moment <= now {
                return Poll::Ready(Ok(()));
            }
            if self.timer.as_ref().is_none_or(|(set, _)| *set != moment) {
                self.timer = Some((moment, Box::pin(sleep(Duration::from_nanos(moment - now)))));
            }
            let Some((_, timer)) = &mut self.timer else { return Poll::Ready(Ok(())) };
            let is_ready = timer.as_mut().poll(cx).map(Ok);
            if is_ready.is_ready() {
                self.timer = None;
            }
            is_ready
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Duration;

    use super::*;
    use crate::bench::run::Run;

    #[test]
    fn it_waits_again_and_again_and_never_too_short() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let run = Run::new(Duration::ZERO, None);
            let (mut pacer, mut coarse) = (Pacer::new().unwrap(), coarse::Pacer::new().unwrap());
            let mut moment = 0;
            for step in [50_000, 0, 700_000, 1, 2_000_000, 130_000] {
                moment += step;
                while run.now() < moment {
                    poll_fn(|cx| pacer.poll_until(cx, moment, run.now())).await.unwrap();
                }
                moment += step;
                while run.now() < moment {
                    poll_fn(|cx| coarse.poll_until(cx, moment, run.now())).await.unwrap();
                }
            }
            // What is set anew holds, whether the timer has gone off or not.
            let far = run.now() + u64::MAX / 4;
            let mut look = async || poll_fn(|cx| Poll::Ready(pacer.poll_until(cx, far, run.now()))).await.is_pending();
            // It may tell once more that it went off for what was waited for before.
            assert!(look().await || look().await);
            poll_fn(|cx| pacer.poll_until(cx, run.now() + 1_000, run.now())).await.unwrap();
        });
    }
}
