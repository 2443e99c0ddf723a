//! Whether a result may be believed. A generator at its limit looks like a slow server; here the two
//! are told apart. Pure.

use std::time::Duration;

use super::figures::{Figures, Latency};
use super::result::PERCENTILES;
use super::run::EndReason;
use crate::model::units::Thousands;

/// What the verdict is made from.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub figures: &'a Figures,
    /// Messages follow a schedule.
    pub open_loop: bool,
    pub measured: Duration,
    /// The busiest thread's part of its processor, 0 to 1.
    pub busiest: f64,
    /// The part of the ports of one source that was in use, 0 to 1.
    pub ports: f64,
    /// Connections that were wanted, and the most that were open.
    pub wanted: usize,
    pub peak: usize,
    /// The target is this machine: server and generator share the processor.
    pub local: bool,
    /// Messages are sent.
    pub sends: bool,
    /// Why the load ended.
    pub ended: EndReason,
    /// How long a person held the course.
    pub held: Duration,
}

/// A code that stays, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    pub code: &'static str,
    pub text: String,
}

/// Why a result is not to be believed, and what else should be known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    pub invalid: Vec<Remark>,
    pub warnings: Vec<Remark>,
}

/// A schedule that is kept this badly says nothing about the server.
const MOST_LAG: Duration = Duration::from_millis(10);
const MOST_LATE: f64 = 0.05;
const MOST_CPU: f64 = 0.95;
const MOST_PORTS: f64 = 0.9;
/// A generator that stood still for so long has made latencies of its own.
const PAUSE: Duration = Duration::from_millis(500);
/// By so much a pause may be longer than is known: it may have begun within a second that is told of.
const SECOND: Duration = Duration::from_secs(1);
/// Less than this is too short for a percentile.
const SHORT: Duration = Duration::from_secs(1);

impl Verdict {
    pub const fn is_valid(&self) -> bool {
        self.invalid.is_empty()
    }
}

/// What is known once it is over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Over {
    /// How much too long a second took: this process did nothing meanwhile.
    pub pause: Duration,
    /// It only receives.
    pub listens: bool,
}

/// Judges a run that has ended.
pub fn judge_over(facts: &Facts<'_>, over: Over) -> Verdict {
    let mut verdict = judge(facts);
    let lag = facts.figures.latency(Latency::SchedLag).max();
    let pause = over.pause.max(Duration::from_micros(lag));
    if pause >= PAUSE {
        let stood = format!(
            "this machine stood still for {} ms or more",
            pause.as_millis()
        );
        if facts.decides_tail(pause) {
            verdict.invalid.push(Remark {
                code: "pause",
                text: format!("{stood}, and the highest latencies are of that time"),
            });
        } else {
            verdict.warn("pause", format!("{stood} while it was measured"));
        }
    }
    if over.listens && facts.figures.messages.received == 0 {
        let text = "nothing was received while it was measured";
        verdict.warn("nothing_received", text.into());
    }
    verdict
}

impl Facts<'_> {
    /// Whether the last percentile that is shown of the main latency is what such a pause makes of it:
    /// a server that is slower than that by itself is not excused.
    fn decides_tail(&self, pause: Duration) -> bool {
        let Some(main) = self.figures.main() else {
            return false;
        };
        let samples = self.figures.latency(main);
        let shown = PERCENTILES.iter().rev();
        let mut shown = shown.filter(|(_, least)| samples.len() >= *least);
        shown.next().is_some_and(|(percentile, _)| {
            let tail = samples.value_at_quantile(percentile / 100.0);
            let tail = Duration::from_micros(tail);
            pause.mul_f64(0.5) <= tail && tail <= pause + SECOND
        })
    }
}

/// Judges a run.
pub fn judge(facts: &Facts<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    let messages = facts.figures.messages;
    let mut invalid = |code, text: String| verdict.invalid.push(Remark { code, text });
    let lag = facts.figures.latency(Latency::SchedLag);
    let lag = Duration::from_micros(lag.value_at_quantile(0.99));
    // A script's steps are timed by the loop that was held up.
    if lag > MOST_LAG && (facts.open_loop || facts.figures.iterations.started > 0) {
        invalid(
            "lag",
            format!(
                "what was due was begun {} ms late at p99: this machine did not keep up",
                lag.as_millis()
            ),
        );
    }
    if facts.open_loop {
        let late = messages.late as f64 / messages.sent.max(1) as f64;
        if late > MOST_LATE && facts.busiest > MOST_CPU {
            invalid(
                "late",
                format!(
                    "{:.1}% of the sends were late on a busy processor",
                    late * 100.0
                ),
            );
        }
        if messages.dropped > 0 {
            invalid(
                "dropped",
                format!(
                    "{} messages were due but not sent: too many were in flight (--max-inflight), or nothing was open",
                    messages.dropped
                ),
            );
        }
        let iterations = facts.figures.iterations.dropped;
        if iterations > 0 {
            invalid(
                "dropped",
                format!(
                    "{iterations} scripts were due but not begun: every user was busy (more: --connections)"
                ),
            );
        }
        if facts.busiest > MOST_CPU {
            invalid(
                "cpu",
                format!(
                    "the busiest thread used {:.0}% of its processor: more threads or machines would tell",
                    facts.busiest * 100.0
                ),
            );
        }
    }
    let ports = facts
        .figures
        .errors
        .keys()
        .any(|name| name.kind == "ports" || name.kind == "fds");
    if ports || facts.ports > MOST_PORTS {
        invalid(
            "ports",
            "this machine ran out of ports or file descriptors: see --source-ip and ulimit -n"
                .into(),
        );
    }
    if facts.sends && messages.sent + facts.figures.iterations.started == 0 {
        invalid("silent", "nothing was sent while it was measured".into());
    }
    match facts.ended {
        EndReason::ConnectsFailed => invalid(
            "connects_failed",
            "most connects failed for seconds, and the load was given up".into(),
        ),
        EndReason::AllLost => invalid(
            "all_lost",
            match facts.figures.fanout.published {
                0 => "every connection was lost before the end".into(),
                _ => "every connection that publishes was lost before the end".into(),
            },
        ),
        _ => {}
    }
    if facts.ended.is_cut() {
        verdict.warn(
            "partial",
            "the run was cut short: the figures are of what there was".into(),
        );
    } else if facts.measured < SHORT {
        verdict.warn(
            "short",
            format!(
                "{} ms is a short time to measure",
                facts.measured.as_millis()
            ),
        );
    }
    if !facts.open_loop && facts.busiest > MOST_CPU {
        verdict.warn(
            "cpu",
            format!(
                "the busiest thread used {:.0}% of its processor: the generator may be the limit",
                facts.busiest * 100.0
            ),
        );
    }
    if !facts.held.is_zero() {
        verdict.warn(
            "held",
            format!(
                "the course was held by hand for {:.1} s: a run without that is another one",
                facts.held.as_secs_f64()
            ),
        );
    }
    if facts.peak < facts.wanted {
        verdict.warn(
            "connections",
            format!(
                "{} of {} connections were open at the most",
                facts.peak, facts.wanted
            ),
        );
    }
    verdict.warn_of_failures(facts.figures);
    if facts.local {
        verdict.warn(
            "local_target",
            "the target is this machine: server and generator share the CPU".into(),
        );
    }
    verdict
}

impl Verdict {
    /// What the server did not do: thresholds say how much of it is too much.
    fn warn_of_failures(&mut self, figures: &Figures) {
        let Figures {
            connections,
            messages,
            iterations,
            ..
        } = figures;
        let of = |part: u64, all: u64| {
            let percent = part as f64 * 100.0 / all.max(1) as f64;
            format!("{} of {} ({percent:.1}%)", Thousands(part), Thousands(all))
        };
        let failed = of(connections.failed, connections.attempted);
        let lost = of(connections.lost, connections.opened);
        let unanswered = of(messages.unanswered, messages.sent);
        let unmet = of(iterations.failed, iterations.started);
        for (count, code, text) in [
            (
                connections.failed,
                "failed",
                format!("{failed} attempts to connect failed"),
            ),
            (
                connections.lost,
                "lost",
                format!("{lost} connections were lost"),
            ),
            (
                messages.unanswered,
                "unanswered",
                format!("{unanswered} messages were not answered"),
            ),
            (
                iterations.failed,
                "unmet",
                format!("{unmet} scripts did not come to their end"),
            ),
        ] {
            if count > 0 {
                self.warn(code, text);
            }
        }
    }

    fn warn(&mut self, code: &'static str, text: String) {
        self.warnings.push(Remark { code, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(figures: &Figures) -> Facts<'_> {
        Facts {
            figures,
            open_loop: true,
            measured: Duration::from_secs(10),
            busiest: 0.5,
            ports: 0.1,
            wanted: 10,
            peak: 10,
            local: false,
            sends: false,
            ended: EndReason::Duration,
            held: Duration::ZERO,
        }
    }

    fn codes(verdict: &Verdict) -> Vec<&'static str> {
        verdict
            .invalid
            .iter()
            .chain(&verdict.warnings)
            .map(|remark| remark.code)
            .collect()
    }

    #[test]
    fn a_generator_at_its_limit_is_suspect() {
        let mut figures = Figures::default();
        assert_eq!(judge(&facts(&figures)), Verdict::default());
        let busy = Facts {
            busiest: 0.99,
            ..facts(&figures)
        };
        assert_eq!(codes(&judge(&busy)), ["cpu"]);
        // A closed loop always runs as fast as it goes: that is said, but the result stands.
        let closed = judge(&Facts {
            open_loop: false,
            ..busy
        });
        assert!(closed.is_valid());
        assert_eq!(codes(&closed), ["cpu"]);
        figures.record(Latency::SchedLag, Duration::from_millis(50));
        figures.messages.dropped = 3;
        assert_eq!(codes(&judge(&facts(&figures))), ["lag", "dropped"]);
        figures.messages.dropped = 0;
        let closed = Facts {
            open_loop: false,
            ..facts(&figures)
        };
        assert_eq!(judge(&closed), Verdict::default());
        let mut script = figures.clone();
        script.iterations.started = 1;
        let script = Facts {
            figures: &script,
            ..closed
        };
        assert_eq!(codes(&judge(&script)), ["lag"]);
    }

    #[test]
    fn a_generator_that_stood_still_says_so() {
        fn over(figures: &Figures, pause: u64) -> Verdict {
            let closed = Facts {
                open_loop: false,
                ..facts(figures)
            };
            let pause = Duration::from_secs(pause);
            let listens = false;
            judge_over(&closed, Over { pause, listens })
        }
        let mut figures = Figures::default();
        for _ in 0..2_000 {
            figures.record(Latency::Rtt, Duration::from_micros(50));
        }
        assert_eq!(over(&figures, 0), Verdict::default());
        // A second that took three, or a message that was sent two seconds too late.
        let stopped = over(&figures, 2);
        assert!(stopped.is_valid());
        assert_eq!(codes(&stopped), ["pause"]);
        assert!(stopped.warnings[0].text.contains("2000 ms"), "{stopped:?}");
        figures.record(Latency::SchedLag, Duration::from_secs(2));
        assert_eq!(codes(&over(&figures, 0)), ["pause"]);
        assert!(over(&figures, 0).is_valid());
        // Now the last percentile is the pause.
        for _ in 0..5 {
            figures.record(Latency::Rtt, Duration::from_secs(2));
        }
        let decided = over(&figures, 0);
        assert_eq!(codes(&decided), ["pause"]);
        assert!(!decided.is_valid());
        // A server that takes far longer by itself is slow.
        for _ in 0..50 {
            figures.record(Latency::Rtt, Duration::from_secs(9));
        }
        assert!(over(&figures, 0).is_valid());
    }

    #[test]
    fn who_listens_and_hears_nothing_is_told() {
        let mut figures = Figures::default();
        let silent = Over {
            listens: true,
            ..Over::default()
        };
        let heard = |figures: &Figures| codes(&judge_over(&facts(figures), silent));
        assert_eq!(heard(&figures), ["nothing_received"]);
        figures.messages.received = 1;
        assert!(heard(&figures).is_empty());
    }

    #[test]
    fn what_should_be_known_is_said() {
        let figures = Figures::default();
        let short = Facts {
            measured: Duration::from_millis(5),
            held: Duration::from_secs(1),
            local: true,
            peak: 9,
            ..facts(&figures)
        };
        let verdict = judge(&short);
        assert!(verdict.is_valid());
        assert_eq!(
            codes(&verdict),
            ["short", "held", "connections", "local_target"]
        );
        let mut figures = Figures::default();
        figures.connections.lost = 1;
        figures.connections.opened = 8;
        figures.messages.unanswered = 2;
        let verdict = judge(&Facts {
            sends: true,
            ..facts(&figures)
        });
        assert_eq!(codes(&verdict), ["silent", "lost", "unanswered"]);
        assert_eq!(
            verdict.warnings[0].text,
            "1 of 8 (12.5%) connections were lost"
        );
    }
}
