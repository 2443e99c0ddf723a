//! `--script FILE`: the server's side of a transcript. What its clients expect is sent, what they send
//! is expected; a client that says something else is told so and closed with 1008.
//!
//! Clients take the places of the transcript's peers in the order in which those connect, each at its
//! path. When all places of a run are taken, the next client begins another run: a file with one peer
//! is played for every client.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::{Action, Behaviour, Control, Departure, Entry, Mode, Scene};
use crate::model::close::{CloseCode, CloseFrame, MAX_REASON};
use crate::model::command::Command;
use crate::model::event::{ConnId, Problem, What};
use crate::model::message::Message;
use crate::model::secret::known::Known;
use crate::serve::roster::Client;
use crate::text::sanitize;
use crate::transcript::excerpt::{around, quoted};
use crate::transcript::mirror::{Act, Mirror, Said, is_same};

pub(super) const ENTRY: Entry = Entry {
    name: "script",
    help: "the server's side of a transcript (--script FILE)",
    takes_rate: false,
    behaviour: Behaviour::Kept(|plan| {
        Box::new(Script {
            mirror: plan.script.clone().unwrap_or_default(),
            runs: Vec::new(),
        })
    }),
};

/// Messages of one client that wait for their turn at most.
const MOST_WAITING: usize = 1000;

struct Script {
    mirror: Arc<Mirror>,
    runs: Vec<Run>,
}

/// One playing of the transcript.
struct Run {
    /// The next step.
    at: usize,
    places: Vec<Place>,
    /// When the `wait` that is under way is over.
    waits_until: Option<Instant>,
}

/// The place of one of its clients.
#[derive(Default)]
struct Place {
    conn: Option<ConnId>,
    /// How it left.
    gone: Option<Departure>,
    /// What it sent and nobody looked at yet.
    inbox: VecDeque<Said>,
}

impl Mode for Script {
    fn connected(&mut self, client: &Client, scene: &Scene<'_>) -> Vec<Action> {
        let conn = client.member.conn;
        let place = self.free_place(&client.path).or_else(|| {
            self.runs.push(Run::new(&self.mirror));
            let place = self.free_place(&client.path);
            if place.is_none() {
                self.runs.pop();
            }
            place
        });
        let Some((run, place)) = place else {
            let path = self.mirror.secrets.redacted(&client.path);
            let problem = format!("the script has no client at {path}");
            return refuse(conn, &problem);
        };
        self.runs[run].places[place].conn = Some(conn);
        self.go_on(run, scene.now)
    }

    fn message(&mut self, from: &Client, message: Message, scene: &Scene<'_>) -> Vec<Action> {
        let conn = from.member.conn;
        match self.place_of(conn) {
            Some((run, place)) => self.said(run, place, Said::Message(message), scene.now),
            None => Vec::new(),
        }
    }

    fn control(&mut self, from: &Client, control: Control, scene: &Scene<'_>) -> Vec<Action> {
        let said = match &control {
            Control::Ping(payload) => Said::Ping(payload.clone()),
            Control::Pong(payload) => Said::Pong(payload.clone()),
        };
        let conn = from.member.conn;
        let place = self.place_of(conn);
        if let Some((run, place)) = place.filter(|(run, place)| self.awaits(*run, *place, &said)) {
            return self.said(run, place, said, scene.now);
        }
        match control {
            // The script says nothing of it: a heartbeat, for example.
            Control::Ping(payload) => vec![Action::Send {
                to: conn,
                command: Command::Pong(payload),
            }],
            Control::Pong(_) => Vec::new(),
        }
    }

    fn gone(&mut self, client: &Client, departure: Departure, scene: &Scene<'_>) -> Vec<Action> {
        let Some((run, place)) = self.place_of(client.member.conn) else {
            return Vec::new();
        };
        self.runs[run].places[place].gone = Some(departure);
        let actions = self.go_on(run, scene.now);
        if self.runs[run].is_over() {
            self.runs.swap_remove(run);
        }
        actions
    }

    fn tick(&mut self, scene: &Scene<'_>) -> Vec<Action> {
        let due = |run: &Run| run.waits_until.is_some_and(|until| until <= scene.now);
        let due: Vec<usize> = (0..self.runs.len())
            .filter(|at| due(&self.runs[*at]))
            .collect();
        due.into_iter()
            .flat_map(|run| self.go_on(run, scene.now))
            .collect()
    }

    fn deadline(&self) -> Option<Instant> {
        self.runs.iter().filter_map(|run| run.waits_until).min()
    }
}

impl Script {
    /// The first place at a path that nobody has taken.
    fn free_place(&self, path: &str) -> Option<(usize, usize)> {
        self.runs.iter().enumerate().find_map(|(run, it)| {
            let mut places = it.places.iter().zip(&self.mirror.clients);
            let free = places.position(|(place, at)| {
                place.conn.is_none() && at.as_deref().is_none_or(|at| at == path)
            });
            Some((run, free?))
        })
    }

    fn place_of(&self, conn: ConnId) -> Option<(usize, usize)> {
        self.runs.iter().enumerate().find_map(|(run, it)| {
            let place = it.places.iter().position(|place| place.conn == Some(conn));
            Some((run, place?))
        })
    }

    fn said(&mut self, run: usize, place: usize, said: Said, now: Instant) -> Vec<Action> {
        let place = &mut self.runs[run].places[place];
        if let Some(conn) = place.conn
            && place.inbox.len() == MOST_WAITING
        {
            return refuse(conn, "more messages than the script can wait for");
        }
        place.inbox.push_back(said);
        self.go_on(run, now)
    }

    /// Whether a step is still to come that expects this of that client.
    fn awaits(&self, run: usize, place: usize, said: &Said) -> bool {
        let run = &self.runs[run];
        let steps = self.mirror.steps.get(run.at..).unwrap_or_default();
        let expected = steps.iter().filter(|turn| {
            turn.client == place && matches!(&turn.act, Act::Expect(expected) if expected == said)
        });
        let waiting = run.places[place].inbox.iter();
        expected.count() > waiting.filter(|waiting| *waiting == said).count()
    }

    /// Plays a run as far as it goes now.
    fn go_on(&mut self, run: usize, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        let run = &mut self.runs[run];
        let secrets = &self.mirror.secrets;
        let shown = |said: &Said| shown(said, secrets);
        while let Some(turn) = self.mirror.steps.get(run.at) {
            let place = &mut run.places[turn.client];
            let Some(conn) = place.conn else {
                break;
            };
            let problem = match &turn.act {
                Act::Connect => None,
                Act::Send(_) if place.gone.is_some() => Some("this could not be sent".into()),
                Act::Send(command) => {
                    actions.push(Action::Send {
                        to: conn,
                        command: command.clone(),
                    });
                    None
                }
                Act::Expect(expected) => match (place.inbox.pop_front(), &place.gone) {
                    (Some(got), _) => (!is_same(expected, &got))
                        .then(|| format!("expected {}, got {}", shown(expected), shown(&got))),
                    (None, Some(_)) => Some(format!("expected {}", shown(expected))),
                    (None, None) => break,
                },
                Act::ExpectClose(expected) => match (place.inbox.front(), &place.gone) {
                    (Some(got), _) => Some(format!("expected a Close, got {}", shown(got))),
                    (None, Some(departure)) => {
                        closes_otherwise(expected.as_ref(), departure, secrets)
                    }
                    (None, None) => break,
                },
                Act::Wait(time) => {
                    let until = *run.waits_until.get_or_insert(now + *time);
                    if until > now {
                        break;
                    }
                    run.waits_until = None;
                    None
                }
            };
            if let Some(problem) = problem {
                let problem = format!("{}: {problem}", turn.place);
                match place.gone {
                    Some(_) => {
                        let problem = format!("{problem}; client {conn} has left");
                        actions.push(tell(conn, problem));
                    }
                    None => actions.extend(refuse(conn, &problem)),
                }
                run.at = self.mirror.steps.len();
                break;
            }
            run.at += 1;
        }
        if run.at >= self.mirror.steps.len() {
            run.waits_until = None;
        }
        actions
    }
}

impl Run {
    fn new(mirror: &Mirror) -> Self {
        let places = mirror.clients.iter().map(|_| Place::default());
        Self {
            at: 0,
            places: places.collect(),
            waits_until: None,
        }
    }

    /// Everyone who came has gone.
    fn is_over(&self) -> bool {
        self.places
            .iter()
            .all(|place| place.gone.is_some() || place.conn.is_none())
    }
}

/// The client is told what is wrong, and so is the log.
fn refuse(conn: ConnId, problem: &str) -> Vec<Action> {
    let mut reason = sanitize::line(problem).into_owned();
    while reason.len() > MAX_REASON {
        reason.pop();
    }
    let close = CloseFrame {
        code: CloseCode::POLICY,
        reason,
    };
    vec![
        tell(conn, problem.to_owned()),
        Action::Send {
            to: conn,
            command: Command::Close(Some(close)),
        },
    ]
}

fn tell(conn: ConnId, message: String) -> Action {
    let problem = Problem {
        kind: "script",
        message,
        hint: None,
    };
    Action::Tell(Some(conn), What::Error(Box::new(problem)))
}

fn shown(said: &Said, secrets: &Known) -> String {
    let beginning = |text: &str| around(text, 0, secrets);
    match said {
        Said::Message(message) => match message.as_text() {
            Some(text) => beginning(&text),
            None => format!("{} bytes of binary", message.payload.len()),
        },
        Said::Ping(payload) => format!("a ping {}", beginning(&String::from_utf8_lossy(payload))),
        Said::Pong(payload) => format!("a pong {}", beginning(&String::from_utf8_lossy(payload))),
    }
}

/// In what way a client did not close as it was expected to.
fn closes_otherwise(
    expected: Option<&CloseFrame>,
    departure: &Departure,
    secrets: &Known,
) -> Option<String> {
    let wanted = match expected {
        Some(frame) => frame.clone(),
        None => CloseFrame::bare(CloseCode::NO_STATUS),
    };
    let words = |frame: &CloseFrame| match frame.reason.as_str() {
        "" => format!("a Close with code {}", frame.code),
        reason => format!(
            "a Close with code {} {}",
            frame.code,
            quoted(reason, secrets)
        ),
    };
    match departure {
        Departure::Closed(frame) if *frame == wanted => None,
        Departure::Closed(frame) => {
            Some(format!("expected {}, got {}", words(&wanted), words(frame)))
        }
        Departure::Lost => Some(format!(
            "expected {}, got the end of the connection without one",
            words(&wanted)
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::model::secret::Secret;
    use crate::model::secret::known::Named;
    use crate::serve::bus::Member;
    use crate::serve::roster::Roster;
    use crate::transcript::mirror::Turn;

    fn client(conn: ConnId, path: &str) -> Client {
        Client {
            member: Member::local(conn),
            path: path.into(),
            user: None,
        }
    }

    fn script(clients: &[&str], acts: Vec<(usize, Act)>) -> Script {
        let steps = acts
            .into_iter()
            .enumerate()
            .map(|(at, (client, act))| Turn {
                client,
                act,
                place: format!("t.wst:{}", at + 1),
            });
        let mirror = Mirror {
            clients: clients
                .iter()
                .map(|path| Some((*path).to_owned()))
                .collect(),
            steps: steps.collect(),
            hears_control: true,
            secrets: Known::default(),
        };
        Script {
            mirror: Arc::new(mirror),
            runs: Vec::new(),
        }
    }

    fn scene(roster: &Roster, now: Instant) -> Scene<'_> {
        Scene {
            roster,
            now,
            time: || SystemTime::UNIX_EPOCH,
            is_stored: false,
        }
    }

    fn bye(code: u16) -> CloseFrame {
        CloseFrame::bare(CloseCode(code))
    }

    fn closed(code: u16) -> Departure {
        Departure::Closed(bye(code))
    }

    fn told(actions: &[Action]) -> Vec<&str> {
        let problems = actions.iter().filter_map(|action| match action {
            Action::Tell(_, What::Error(problem)) => Some(problem.message.as_str()),
            _ => None,
        });
        problems.collect()
    }

    fn text(to: ConnId, text: &str) -> Action {
        Action::send(to, Message::text(text))
    }

    #[test]
    fn clients_take_their_places_and_a_full_run_begins_anew() {
        let expect = |text: &str| Act::Expect(Said::Message(Message::text(text)));
        let send = |text: &str| Act::Send(Command::Send(Message::text(text)));
        let mut script = script(
            &["/a", "/b"],
            vec![
                (0, Act::Connect),
                (1, Act::Connect),
                (0, expect("hi")),
                (1, send("hi from a")),
            ],
        );
        let roster = Roster::default();
        let scene = scene(&roster, Instant::now());
        assert_eq!(script.connected(&client(1, "/b"), &scene), []);
        assert_eq!(script.connected(&client(2, "/a"), &scene), []);
        assert_eq!(script.connected(&client(3, "/a"), &scene), []);
        let said = script.message(&client(2, "/a"), Message::text("hi"), &scene);
        assert_eq!(said, [text(1, "hi from a")]);
        let said = script.message(&client(3, "/a"), Message::text("hi"), &scene);
        assert_eq!(said, []);
        let said = script.connected(&client(4, "/b"), &scene);
        assert_eq!(said, [text(4, "hi from a")]);
        let said = script.connected(&client(5, "/c"), &scene);
        assert!(matches!(
            &said[..],
            [Action::Tell(..), Action::Send { to: 5, .. }]
        ));
        for (conn, path) in [(1, "/b"), (2, "/a"), (3, "/a"), (4, "/b")] {
            script.gone(&client(conn, path), closed(1000), &scene);
        }
        assert_eq!(script.runs.len(), 0);
    }

    #[test]
    fn what_is_not_as_written_closes_with_1008_and_a_wait_is_waited() {
        let acts = || {
            vec![
                (0, Act::Connect),
                (0, Act::Wait(Duration::from_secs(1))),
                (0, Act::Expect(Said::Message(Message::text("{\"a\":1}")))),
            ]
        };
        let roster = Roster::default();
        let now = Instant::now();
        let mut script = script(&["/"], acts());
        let one = client(1, "/");
        assert_eq!(script.connected(&one, &scene(&roster, now)), []);
        let deadline = script.deadline().unwrap();
        assert_eq!(deadline, now + Duration::from_secs(1));
        let said = script.message(&one, Message::text("{}"), &scene(&roster, now));
        assert_eq!(said, []);
        let said = script.tick(&scene(&roster, deadline));
        let [
            Action::Tell(Some(1), What::Error(problem)),
            Action::Send { command, .. },
        ] = &said[..]
        else {
            panic!("{said:?}");
        };
        assert_eq!(
            problem.message,
            "t.wst:3: expected \"{\\\"a\\\":1}\", got \"{}\""
        );
        let Command::Close(Some(close)) = command else {
            panic!("{command:?}");
        };
        assert_eq!(close.code, CloseCode::POLICY);
        assert_eq!(script.deadline(), None);
    }

    #[test]
    fn a_wrong_guess_is_not_answered_with_the_secret() {
        let secret = "b\"idden".repeat(9);
        let known = Named::declared("t".into(), Secret::new(secret.clone()));
        for expected in [
            Said::Message(Message::text(secret.clone())),
            Said::Ping(secret.into()),
        ] {
            let mut script = script(&["/"], vec![(0, Act::Connect), (0, Act::Expect(expected))]);
            let mirror = Mirror {
                secrets: Known::new([known.clone()]).unwrap(),
                ..(*script.mirror).clone()
            };
            script.mirror = Arc::new(mirror);
            let roster = Roster::default();
            let scene = scene(&roster, Instant::now());
            let one = client(1, "/");
            script.connected(&one, &scene);
            let said = script.message(&one, Message::text("guess"), &scene);
            assert!(
                told(&said)[0].contains("\"***\", got \"guess\""),
                "{said:?}"
            );
            assert!(!format!("{said:?}").contains("idden"), "{said:?}");
        }
    }

    #[test]
    fn who_leaves_too_early_is_told_of() {
        let mut script = script(
            &["/"],
            vec![
                (0, Act::Connect),
                (0, Act::Expect(Said::Message(Message::text("a")))),
                (0, Act::ExpectClose(Some(bye(4000)))),
            ],
        );
        let roster = Roster::default();
        let scene = scene(&roster, Instant::now());
        let one = client(1, "/");
        script.connected(&one, &scene);
        let said = script.gone(&one, closed(4000), &scene);
        assert_eq!(told(&said), ["t.wst:2: expected \"a\"; client 1 has left"]);
        script.connected(&one, &scene);
        script.message(&one, Message::text("a"), &scene);
        assert_eq!(script.gone(&one, closed(4000), &scene), []);
        script.connected(&one, &scene);
        script.message(&one, Message::text("a"), &scene);
        let said = script.gone(&one, closed(1000), &scene);
        let expected = "t.wst:3: expected a Close with code 4000, got a Close with code 1000; client 1 has left";
        assert_eq!(told(&said), [expected]);
        script.connected(&one, &scene);
        script.message(&one, Message::text("a"), &scene);
        let said = script.gone(&one, Departure::Lost, &scene);
        assert!(told(&said)[0].contains("without one"), "{said:?}");
    }

    #[test]
    fn what_a_client_said_before_it_left_still_counts() {
        let mut script = script(
            &["/"],
            vec![
                (0, Act::Connect),
                (0, Act::Wait(Duration::from_secs(1))),
                (0, Act::Expect(Said::Message(Message::text("a")))),
                (0, Act::ExpectClose(Some(bye(1000)))),
            ],
        );
        let roster = Roster::default();
        let now = Instant::now();
        let one = client(1, "/");
        script.connected(&one, &scene(&roster, now));
        script.message(&one, Message::text("a"), &scene(&roster, now));
        assert_eq!(script.gone(&one, closed(1000), &scene(&roster, now)), []);
        let later = now + Duration::from_secs(1);
        assert_eq!(script.tick(&scene(&roster, later)), []);
    }

    #[test]
    fn a_ping_is_answered_where_its_pong_stands_and_others_at_once() {
        let pong = |payload: &str| Command::Pong(payload.to_owned().into());
        let send = |command: Command| Action::Send { to: 1, command };
        let mut script = script(
            &["/"],
            vec![
                (0, Act::Connect),
                (0, Act::Expect(Said::Ping("x".into()))),
                (0, Act::Send(Command::Send(Message::text("first")))),
                (0, Act::Send(pong("x"))),
            ],
        );
        let roster = Roster::default();
        let scene = scene(&roster, Instant::now());
        let one = client(1, "/");
        script.connected(&one, &scene);
        let said = script.control(&one, Control::Ping("heartbeat".into()), &scene);
        assert_eq!(said, [send(pong("heartbeat"))]);
        let said = script.control(&one, Control::Pong("x".into()), &scene);
        assert_eq!(said, []);
        let said = script.control(&one, Control::Ping("x".into()), &scene);
        assert_eq!(said, [text(1, "first"), send(pong("x"))]);
        let said = script.control(&one, Control::Ping("x".into()), &scene);
        assert_eq!(said, [send(pong("x"))]);
    }
}
