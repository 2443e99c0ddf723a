//! Scenarios: what is shown, where, when, and what comes of it.

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;

const START: Duration = Duration::from_secs(1_000_000);

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + START + Duration::from_secs(seconds)
}

fn plan() -> Plan {
    Plan {
        token: Some(Secret::new("s3cret".into())),
        jwt: Some(Secret::new(b"key".to_vec())),
        users: vec![("ann".into(), Secret::new("pw:1".into()))],
        basic: true,
        bans: vec!["eve".into()],
        ..Plan::default()
    }
}

fn request(target: &str, headers: &[(&str, &str)]) -> RequestHead {
    RequestHead {
        method: "GET".into(),
        target: target.into(),
        headers: headers.iter().map(|&(k, v)| (k.into(), v.into())).collect(),
    }
}

fn token(claims: &serde_json::Value, key: &[u8]) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(key)).unwrap()
}

fn user(name: &str) -> Result<Identity, Rejection> {
    Ok(Identity {
        user: Some(name.into()),
    })
}

#[test]
fn a_token_may_stand_in_four_places() {
    let mut keys = Keys::new(plan());
    for (target, headers) in [
        ("/?room=1&token=s3cret", &[][..]),
        ("/", &[("Authorization", "Bearer s3cret")]),
        ("/", &[("Cookie", "a=b; token=s3cret")]),
        ("/", &[("Sec-WebSocket-Protocol", "chat, bearer, s3cret")]),
    ] {
        let verdict = keys.judge(&request(target, headers), at(0));
        assert_eq!(verdict, Ok(Identity::default()), "{target} {headers:?}");
    }
    for (target, headers, why) in [
        ("/?token=s3cre", &[][..], Rejection::Wrong),
        ("/?token=s3cret2", &[], Rejection::Wrong),
        ("/?token=", &[], Rejection::Wrong),
        ("/?tokens=s3cret", &[], Rejection::Missing),
        (
            "/",
            &[("Authorization", "Digest s3cret")],
            Rejection::Missing,
        ),
        (
            "/",
            &[("Sec-WebSocket-Protocol", "s3cret")],
            Rejection::Missing,
        ),
    ] {
        assert_eq!(
            keys.judge(&request(target, headers), at(0)),
            Err(why),
            "{target}"
        );
    }
    let nothing = Keys::new(Plan::default()).judge(&request("/", &[]), at(0));
    assert_eq!(nothing, Ok(Identity::default()), "nothing has to be shown");
}

#[test]
fn a_jwt_counts_by_the_second_and_only_with_its_algorithm() {
    let mut keys = Keys::new(plan());
    let mut judge =
        |token: &str, seconds| keys.judge(&request(&format!("/?token={token}"), &[]), at(seconds));
    let start = START.as_secs();
    let bob = token(
        &json!({"sub": "bob", "nbf": start + 5, "exp": start + 10}),
        b"key",
    );
    assert_eq!(judge(&bob, 4), Err(Rejection::Wrong));
    assert_eq!(judge(&bob, 5), user("bob"));
    assert_eq!(judge(&bob, 9), user("bob"));
    assert_eq!(judge(&bob, 10), Err(Rejection::Expired));
    let eve = token(&json!({"sub": "eve", "aud": "x"}), b"key");
    assert_eq!(judge(&eve, 0), Err(Rejection::Banned("eve".into())));
    assert_eq!(
        judge(&token(&json!({"sub": "bob"}), b"other"), 0),
        Err(Rejection::Wrong)
    );
    // {"alg":"none"} and {"sub":"bob"}, with no signature and with a right one of another head.
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IifQ.";
    assert_eq!(judge(none, 0), Err(Rejection::Wrong));
    let signed = token(&json!({"sub": "bob"}), b"key");
    let tail = signed.split_once('.').unwrap().1;
    assert_eq!(
        judge(&format!("eyJhbGciOiJub25lIn0.{tail}"), 0),
        Err(Rejection::Wrong)
    );
    assert_eq!(judge("a.b.c", 0), Err(Rejection::Wrong));
    let critical = Header {
        crit: Some(vec!["http://example.invalid/UNDEFINED".to_owned()]),
        ..Header::default()
    };
    let key = EncodingKey::from_secret(b"key");
    let critical = encode(&critical, &json!({"sub": "bob"}), &key).unwrap();
    assert_eq!(judge(&critical, 0), Err(Rejection::Wrong));
}

#[test]
fn users_come_in_by_basic_where_that_is_on_and_by_a_session() {
    let ann = "Basic YW5uOnB3OjE=";
    let basic = |keys: &mut Keys, value: &str| {
        keys.judge(&request("/", &[("Authorization", value)]), at(0))
    };
    let mut keys = Keys::new(plan());
    assert_eq!(basic(&mut keys, ann), user("ann"));
    assert_eq!(basic(&mut keys, "Basic YW5uOnB3"), Err(Rejection::Wrong));
    assert_eq!(basic(&mut keys, "Basic !"), Err(Rejection::Missing));
    let mut keys = Keys::new(Plan {
        basic: false,
        ..plan()
    });
    assert_eq!(basic(&mut keys, ann), Err(Rejection::Wrong));

    assert_eq!(keys.judge_password("ann", "nope"), Err(Rejection::Wrong));
    let who = keys.judge_password("ann", "pw:1").unwrap();
    keys.grant_session(who, "word".into(), at(0));
    assert_eq!(keys.judge_token("word", at(3599)), user("ann"));
    assert_eq!(keys.judge_token("word", at(3600)), Err(Rejection::Expired));
}

#[test]
fn a_ticket_is_good_once_and_for_half_a_minute() {
    let mut keys = Keys::new(plan());
    let ticket = |keys: &mut Keys, word: &str, seconds| {
        keys.judge(&request(&format!("/?ticket={word}"), &[]), at(seconds))
    };
    let ann = Identity {
        user: Some("ann".into()),
    };
    keys.grant_ticket(ann.clone(), "once".into(), at(0));
    assert_eq!(
        keys.judge_token("once", at(0)),
        Err(Rejection::Wrong),
        "it is no token"
    );
    assert_eq!(ticket(&mut keys, "once", 29), user("ann"));
    assert_eq!(ticket(&mut keys, "once", 29), Err(Rejection::Wrong));
    keys.grant_ticket(ann, "late".into(), at(0));
    assert_eq!(ticket(&mut keys, "late", 30), Err(Rejection::Expired));
    for number in 0..20_000 {
        keys.grant_ticket(Identity::default(), number.to_string(), at(0));
    }
    assert_eq!(
        ticket(&mut keys, "0", 0),
        Err(Rejection::Wrong),
        "forgotten"
    );
    assert_eq!(ticket(&mut keys, "19999", 0), Ok(Identity::default()));
}

#[test]
fn secrets_do_not_show() {
    let shown = format!("{:?}", Keys::new(plan()));
    for secret in ["s3cret", "pw:1", "[107, 101, 121]"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_known_secret_is_hidden_wherever_it_stands_in_the_target() {
    let plan = Plan {
        token: Some(Secret::new("tokSECRET1".to_owned())),
        ..Plan::default()
    };
    let request = RequestHead {
        target: "/a?token=other&y=tokSECRET1&z=other".to_owned(),
        ..RequestHead::default()
    };
    assert_eq!(plan.shown_target(&request), "/a?token=***&y=***&z=***");
    assert_eq!(Plan::default().shown_target(&request), request.target);
}
