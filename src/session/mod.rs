//! One connection's life: from CONNECTING to CLOSED, and again where reconnects are asked for.

pub mod backoff;
pub mod client;
pub mod connection;
pub mod keepalive;
mod late_answer;
pub mod opening;
pub mod reference;
pub mod secret_source;
pub mod stamp;
