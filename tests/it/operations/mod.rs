//! Calls that go on after a response: questions in between, tasks, and tasks taken up by another client.

mod hand;
mod hostile;
mod interleaved;
mod journey;
mod relay;
mod rounds;
mod signals;
mod surroundings;
mod tasks;
