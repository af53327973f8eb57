//! Ways in which the world ends once a step has been reached.

use spacecp_advisories::apply::{Interrupted, Step, Steps};

/// Ends everything after one step: nothing more is written, and nothing cleaned up.
#[derive(Debug)]
pub(crate) struct EndAfter(pub(crate) Step);

impl Steps for EndAfter {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if step == self.0 {
            return Err(Interrupted(step));
        }
        Ok(())
    }
}

/// Ends this process, as `kill -9` would.
#[derive(Debug)]
pub(crate) struct AbortAfter(Step);

impl AbortAfter {
    /// After the step of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut steps = Step::ALL.into_iter();
        steps.find(|step| format!("{step:?}") == name).map(Self)
    }
}

impl Steps for AbortAfter {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        if step == self.0 {
            std::process::abort();
        }
        Ok(())
    }
}
