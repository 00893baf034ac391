//! The parts of the peer harness. Each binary is a short program over these modules:
//! `peer-table` (progress, every server and revision), `peer-cancel` (cancellation, seen on the
//! wire and in the server), `peer-resume` (streams that break, taken up again), `peer-asks` (servers
//! that ask, and tasks), `peer-tasks` (a task that outlives the program which began it), `peer-batch` (batches of
//! calls, interrupted and not) and `wire-tee` (the proxy that writes down what passes over standard input and output).

pub mod answers;
pub mod asks;
pub mod breaker;
pub mod cutter;
pub mod exchanges;
pub mod http;
pub mod options;
pub mod pairs;
pub mod process;
pub mod proxy;
pub mod roster;
pub mod scenario;
pub mod server;
pub mod sse;
pub mod table;
pub mod verdict;
pub mod wire;
