//! How far commits have come, for those who wait for one.

use tokio::sync::watch;

use super::{Lost, Sequence};

/// Written by the writer, read and awaited by everybody.
#[derive(Debug)]
pub(super) struct Outlook(watch::Sender<View>);

#[derive(Clone, Copy, Debug)]
struct View {
    committed: Sequence,
    /// Whether there is hope for the rest.
    has_hope: bool,
}

impl View {
    fn of(self, sequence: Sequence) -> Option<Result<(), Lost>> {
        if sequence <= self.committed {
            Some(Ok(()))
        } else if self.has_hope {
            None
        } else {
            Some(Err(Lost))
        }
    }
}

impl Outlook {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(View { committed: Sequence::default(), has_hope: true }))
    }

    /// All that is on disk.
    pub(super) fn committed(&self) -> Sequence {
        self.0.borrow().committed
    }

    /// What became of what was appended up to `sequence`; None: that will be known.
    pub(super) fn of(&self, sequence: Sequence) -> Option<Result<(), Lost>> {
        self.0.borrow().of(sequence)
    }

    /// Waits until that is known.
    pub(super) async fn wait(&self, sequence: Sequence) -> Result<(), Lost> {
        let mut view = self.0.subscribe();
        match view.wait_for(|view| view.of(sequence).is_some()).await {
            Ok(view) => view.of(sequence).unwrap_or(Err(Lost)),
            Err(_) => Err(Lost),
        }
    }

    /// Everything up to `end` is on disk.
    pub(super) fn set_committed(&self, end: Sequence) {
        self.0.send_if_modified(|view| {
            let is_news = end > view.committed;
            view.committed = view.committed.max(end);
            is_news
        });
    }

    /// Whether what is not on disk yet will be.
    pub(super) fn set_hope(&self, has_hope: bool) {
        self.0.send_modify(|view| view.has_hope = has_hope);
    }
}
