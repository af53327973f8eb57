//! The main job, end to end: the demo's own program, a real browser, files on a real disk.

mod disclosure;
mod enrolled;
mod journey;
mod offline;
mod program;
