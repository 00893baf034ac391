//! What people see: whole screens of an in-memory terminal, and plain lines.

mod calls;
mod crowds;
mod dropped;
mod lines;
mod scene;
mod screens;
mod surroundings;
