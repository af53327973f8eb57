//! Notifications: who is told what, when, and how often; over real HTTP and a real mail server on
//! this machine, with the time passed in.

mod chats;
mod crash;
mod embargo;
mod events;
mod mail;
pub(crate) mod mail_server;
mod page;
mod program;
mod reading;
mod receiver;
mod retries;
mod served;
mod stage;
mod timing;
mod written;
