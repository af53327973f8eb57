//! The vendor's side: what may be published, how it is signed, and peers that nobody here wrote.

mod apart;
mod ceremony;
mod desk;
mod disclosure;
mod foreign;
mod mistakes;
mod peers;
mod private;
mod publishing;
mod seeds;
mod versions;
