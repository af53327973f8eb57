//! The vendor's side: what may be published, how it is signed, and peers that nobody here wrote.

mod apart;
mod ceremony;
mod desk;
mod foreign;
mod peers;
mod publishing;
mod seeds;
mod versions;
