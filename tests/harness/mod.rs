//! What the end-to-end tests stand on: the program as a child with a clean environment, servers and
//! clients that are not ours (raw TCP, node `ws`, python `websockets`), and a pseudo-terminal.
//!
//! Nothing here sleeps to wait for something: every wait is for an event (a byte, a line, an end)
//! and gives up after [`DEADLINE`] with what was seen so far. Servers listen on 127.0.0.1, on a port
//! that the system picks.

#![expect(
    dead_code,
    unreachable_pub,
    reason = "each test file holds the whole harness and uses its own part of it"
)]

use std::time::Duration;

pub mod captured;
pub mod certificates;
pub mod golden;
pub mod handshakes;
pub mod junit;
pub mod peers;
pub mod program;
pub mod raw;
pub mod running;
pub mod served;
pub mod terminal;

/// When a test gives up on an event. Far more than any of them takes, so that a slow machine does
/// not fail a test, and short enough that a hang is told from slowness.
pub const DEADLINE: Duration = Duration::from_secs(30);
