//! Outcomes as people and programs read them.

pub mod text;
