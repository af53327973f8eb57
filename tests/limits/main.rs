//! What holds a plugin: each limit has a test that keeps it and one that breaks it, with a guest
//! that is a real component and does its worst.

mod manifest;
mod panel;
mod worst;
