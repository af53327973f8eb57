//! The pages, over real HTTP and from a real terminal program: how they are drawn, who may see
//! them, who may act, and what the browser is told.

mod acting;
mod configuration;
mod drawing;
mod guard;
mod login;
mod panel;
mod program;
mod reading;
mod visitor;
