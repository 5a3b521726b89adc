//! Lines out, replies in, both at once: so any number of lines works, whoever of the two sides is slower.

use std::io::ErrorKind;
use std::time::Duration;

use herd_cli::{Client, ClientError, Reply};
use herd_proto::Response;

use crate::choice::Choice;
use crate::exit::ExitCode;
use crate::fault::{Fault, complain};
use crate::input::{InputError, Lines};
use crate::output::Output;

/// The most lines that may be without their reply.
const UNANSWERED_MAX: usize = 1024;

/// The most bytes of lines without their reply before more lines are taken: they are kept, to be sent again elsewhere.
const UNANSWERED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The most bytes that wait to leave before more lines are taken.
const QUEUED_MAX: usize = 64 * 1024;

/// The most lines taken at once.
const BATCH: usize = 64;

/// One run of the program against one server, or against the others once it fails.
pub(crate) struct Conversation<'a> {
    client: Client,
    choice: &'a Choice,
    lines: Lines,
    /// More lines may come.
    open: bool,
    output: Output,
    replies: u64,
    worst: ExitCode,
}

impl<'a> Conversation<'a> {
    pub(crate) const fn new(client: Client, choice: &'a Choice, lines: Lines, output: Output) -> Self {
        Self { client, choice, lines, open: true, output, replies: 0, worst: ExitCode::Answered }
    }

    /// Sends every line and shows every reply. A reader who goes away early ends it, and that is no error.
    pub(crate) async fn run(mut self) -> Result<ExitCode, Fault> {
        match self.talk().await {
            Err(Fault::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(self.worst),
            Err(fault) => Err(fault),
            Ok(()) => Ok(self.worst),
        }
    }

    async fn talk(&mut self) -> Result<(), Fault> {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            self.show_arrived()?;
            if self.is_over() {
                return Ok(());
            }
            let room = BATCH.min(UNANSWERED_MAX.saturating_sub(self.client.unanswered()));
            let (kept, queued) = (self.client.unanswered_bytes(), self.client.queued());
            let wants_lines = self.open && room > 0 && kept < UNANSWERED_BYTES_MAX && queued < QUEUED_MAX;
            tokio::select! {
                // Lines first, up to the bounds: what is known to be wanted is sent before an end of the connection is seen,
                // and then counts as unanswered.
                biased;
                count = self.lines.recv_many(&mut batch, room), if wants_lines => {
                    self.open = count > 0;
                    if let Err(fault) = self.send(&mut batch) {
                        return self.show_the_rest().await.and(Err(fault));
                    }
                }
                event = next_event(&mut self.client, self.choice) => self.take_event(event).await?,
            }
        }
    }

    fn send(&mut self, batch: &mut Vec<Result<Vec<u8>, InputError>>) -> Result<(), Fault> {
        for line in batch.drain(..) {
            self.client.send_line(&line?)?;
        }
        Ok(())
    }

    async fn take_event(&mut self, event: Result<Reply, ClientError>) -> Result<(), Fault> {
        match event {
            Ok(reply) => self.show(&reply),
            Err(error) => {
                self.output.flush().map_err(Fault::Output)?;
                let fault = self.choice.fault(error);
                Err(if self.has_lines_left().await { Fault::CutShort(fault.into()) } else { fault })
            }
        }
    }

    /// Whether there are lines that were not sent. A file tells at once; somebody at a terminal has not said so yet.
    async fn has_lines_left(&mut self) -> bool {
        const MOMENT: Duration = Duration::from_millis(100);
        self.open && matches!(tokio::time::timeout(MOMENT, self.lines.recv()).await, Ok(Some(_)))
    }

    fn is_over(&self) -> bool {
        !self.open && self.client.unanswered() == 0
    }

    /// What came together is shown together, before anything is waited for. Whatever a server says after its last reply is
    /// left alone, or the outcome would hang on whether it came in the same segment.
    fn show_arrived(&mut self) -> Result<(), Fault> {
        while !self.is_over()
            && let Some(reply) = self.client.arrived_reply()
        {
            self.show(&reply)?;
        }
        self.output.flush().map_err(Fault::Output)
    }

    /// After a fault of the input: what was sent is still answered.
    async fn show_the_rest(&mut self) -> Result<(), Fault> {
        while let Some(reply) = self.client.next_reply().await.map_err(|error| self.choice.fault(error))? {
            self.show(&reply)?;
        }
        self.output.flush().map_err(Fault::Output)
    }

    fn show(&mut self, reply: &Reply) -> Result<(), Fault> {
        self.replies += 1;
        self.output.reply(reply).map_err(Fault::Output)?;
        match reply {
            Reply::Response(Response::Invalid(_)) => self.worst = self.worst.max(ExitCode::Refused),
            Reply::Response(_) => {}
            Reply::Unreadable(invalid) => {
                self.worst = ExitCode::Unanswered;
                complain(&format!("reply {} is none of the protocol's: {}", self.replies, invalid.error));
            }
        }
        Ok(())
    }
}

/// The next reply; while none is awaited, the end of the connection or something nobody asked for. An end is no fault where
/// there are other servers: the next line finds one.
async fn next_event(client: &mut Client, choice: &Choice) -> Result<Reply, ClientError> {
    if let Some(reply) = client.next_reply().await? {
        return Ok(reply);
    }
    match client.idle().await {
        Err(_) if choice.is_several() => std::future::pending().await,
        event => event,
    }
}
