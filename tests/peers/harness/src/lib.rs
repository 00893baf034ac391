//! The parts of the peer harness. Each binary is a short program over these modules:
//! `peer-table` (progress, every server and revision), `peer-cancel` (cancellation, seen on the
//! wire and in the server) and `wire-tee` (the proxy that writes down what passes).

pub mod options;
pub mod process;
pub mod roster;
pub mod scenario;
pub mod table;
pub mod verdict;
pub mod wire;
