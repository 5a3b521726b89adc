//! stub
use super::*;
#[derive(Debug)]
pub struct Embedded;
#[derive(Debug, thiserror::Error)]
#[error("no")]
pub struct LoadError;
impl Embedded {
    pub fn new(_: &Settings) -> Result<Self, LoadError> {
        Ok(Self)
    }
}
impl Places for Embedded {
    fn nearby(&self, _: &Query<'_>) -> Answer {
        Answer::Now(none_wanted())
    }
}
