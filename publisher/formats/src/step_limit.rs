//! A bound on the work that a document makes.
//!
//! Within its size a document may still name everything in it again and again, so that the work
//! grows with the square of it. Whoever follows such names counts the steps.

use std::cell::Cell;

use super::{Refusal, limits::MOST_STEPS};

/// How many steps are left for one document.
#[derive(Debug)]
pub(super) struct Steps(Cell<usize>);

impl Steps {
    /// All of them.
    pub(super) fn new() -> Self {
        Self(Cell::new(MOST_STEPS))
    }

    /// Takes this many.
    ///
    /// # Errors
    ///
    /// [`Refusal::Steps`] where fewer are left.
    pub(super) fn take(&self, steps: usize) -> Result<(), Refusal> {
        let left = self.0.get().checked_sub(steps);
        self.0.set(left.ok_or(Refusal::Steps { most: MOST_STEPS })?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_steps_as_there_are_can_be_taken_and_not_one_more() {
        let steps = Steps::new();
        assert_eq!(steps.take(MOST_STEPS - 1), Ok(()));
        assert_eq!(steps.take(1), Ok(()));
        assert_eq!(steps.take(1), Err(Refusal::Steps { most: MOST_STEPS }));
    }
}
