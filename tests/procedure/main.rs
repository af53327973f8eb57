//! The vendor's side: what may be published, how it is signed, and peers that nobody here wrote.

mod apart;
mod ceremony;
mod desk;
mod disclosure;
mod external;
mod follower;
mod from_nothing;
mod killed;
mod mistakes;
mod packages;
mod peers;
mod policy;
mod private;
mod private_files;
mod published_folder;
mod publishing;
mod record;
mod restored_desk;
mod seeds;
mod stolen_desk;
mod versions;
