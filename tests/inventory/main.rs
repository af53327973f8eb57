//! What is found on a machine, and what could not be read.
