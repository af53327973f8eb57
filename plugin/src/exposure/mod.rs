//! Which versions are affected: the verdict for one component and one advisory.
//!
//! The semantics are OSV's. A verdict is never a guess: what cannot be read or compared is
//! `unknown`, and says why.

mod flaws;
mod index;
mod range;

pub(crate) use flaws::merge;
pub(crate) use index::gravity;
pub use index::{Index, Statement};
pub use range::{Installed, Judgement, Ranges};
pub use spacecp_contract::version::compare;
