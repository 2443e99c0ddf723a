//! Load on a server: many connections at once, true latencies, a verdict that can be trusted.
//!
//! [`probe`] opens one connection and says at once why nothing would work. Then [`run`] starts one
//! [`worker`] for each processor: an event loop over connections of its own, each of them a [`user`]
//! that says and hears what the [`plan`] wants, through the scanner and encoder of `protocol/`. No
//! event, task or channel is used for a message; each thread counts into its own [`figures`], which
//! are merged once a second. What came out is a [`result`], which [`report`] shows, [`verdict`] says
//! whether to believe, and [`threshold`] judges.

mod alarm;
pub mod codec;
pub mod compare;
pub mod distribution;
pub mod failure;
pub mod fanout;
pub mod feed;
pub mod figures;
pub mod hold;
pub mod live;
pub mod machine;
pub mod merge;
mod opener;
pub mod pacer;
pub mod payload;
pub mod plan;
pub mod preflight;
pub mod probe;
pub mod reply;
pub mod report;
pub mod request;
pub mod result;
pub mod run;
pub mod schedule;
pub mod script;
pub mod search;
pub mod shard;
pub mod shared;
pub mod slow;
pub mod spread;
pub mod stages;
pub mod start;
pub mod storm;
pub mod template;
pub mod threshold;
mod timer;
pub mod user;
pub mod verdict;
pub mod worker;
