//! One connection's life: from CONNECTING to CLOSED, and again where reconnects are asked for.

pub mod backoff;
pub mod client;
mod closing;
pub mod connection;
pub mod keepalive;
mod late_answer;
mod link;
pub mod opening;
mod plan;
pub mod reference;
pub mod secret_source;
pub mod stamp;
