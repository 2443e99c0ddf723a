//! The two sides of the negotiation (RFC 7692, sections 5 and 7): the server answers a list of
//! offers, the client checks the answer against what it offered.

use super::extensions::{self, Extension};
use super::parameters::LARGEST_WINDOW;
use super::{Agreed, NAME, Parameters, Wrong};

/// A server's answer to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    pub agreed: Agreed,
    /// Its text is the value of Sec-WebSocket-Extensions.
    pub answer: Parameters,
}

/// Server: answers the values of a request's Sec-WebSocket-Extensions. The first offer that is
/// valid is taken, with everything it asks for; `None` where there is none.
///
/// # Errors
/// The header is no list of extensions: the handshake has failed (RFC 6455, section 9.1).
pub fn accept<'a>(offers: impl IntoIterator<Item = &'a str>) -> Result<Option<Accepted>, Wrong> {
    let offers = extensions::parse(offers)?;
    // An offer that is not valid is declined, and the next one is a fallback (section 7).
    let offer = offers
        .iter()
        .filter(|offer| is_deflate(offer))
        .find_map(|offer| Parameters::of_offer(offer).ok());
    Ok(offer.map(|offer| {
        // Whatever window the client chooses we can read, so only one that it named is confirmed.
        let client_max_window_bits = offer
            .client_max_window_bits
            .filter(|bits| *bits < LARGEST_WINDOW);
        let answer = Parameters {
            client_max_window_bits,
            ..offer
        };
        let agreed = Agreed {
            own: answer.server(),
            peer: answer.client(),
        };
        Accepted { agreed, answer }
    }))
}

/// Client: what the values of a response's Sec-WebSocket-Extensions mean for a request that
/// offered `offered`, its values of that header. `None` where the server does not compress.
///
/// # Errors
/// The answer is not valid, or is none to that offer: the handshake has failed (section 7).
pub fn check<'a>(
    offered: impl IntoIterator<Item = &'a str>,
    answered: impl IntoIterator<Item = &'a str>,
) -> Result<Option<Agreed>, Wrong> {
    let answers = extensions::parse(answered)?;
    let mut answers = answers.iter().filter(|answer| is_deflate(answer));
    let Some(answer) = answers.next() else {
        return Ok(None);
    };
    if answers.next().is_some() {
        return Err(of_server("it chose it twice"));
    }
    let answer = Parameters::of_answer(answer).map_err(|Wrong(why)| of_server(&why))?;
    let offers = extensions::parse(offered)?;
    let Some(offer) = offers.iter().find(|offer| is_deflate(offer)) else {
        return Err(of_server("it was not offered"));
    };
    agree(&Parameters::of_offer(offer)?, &answer).map(Some)
}

fn agree(offer: &Parameters, answer: &Parameters) -> Result<Agreed, Wrong> {
    if offer.server_no_context_takeover && !answer.server_no_context_takeover {
        return Err(of_server("server_no_context_takeover was asked for"));
    }
    let peer = answer.server();
    if let Some(asked) = offer.server_max_window_bits
        && peer.window_bits > asked
    {
        return Err(of_server(&format!(
            "server_max_window_bits is {}, asked for was {asked}",
            peer.window_bits
        )));
    }
    if offer.client_max_window_bits.is_none() && answer.client_max_window_bits.is_some() {
        return Err(of_server("client_max_window_bits was not offered"));
    }
    // What the client said of itself holds, whether the server confirms it or not (sections
    // 7.1.1.2 and 7.1.2.2).
    let (said, told) = (offer.client(), answer.client());
    let own = super::Side {
        context_takeover: said.context_takeover && told.context_takeover,
        window_bits: said.window_bits.min(told.window_bits),
    };
    Ok(Agreed { own, peer })
}

fn is_deflate(extension: &Extension) -> bool {
    extension.name.eq_ignore_ascii_case(NAME)
}

fn of_server(why: &str) -> Wrong {
    Wrong(format!("the server's answer for {NAME} is wrong: {why}"))
}

#[cfg(test)]
mod tests {
    use super::super::Side;
    use super::*;

    fn side(context_takeover: bool, window_bits: u8) -> Side {
        Side {
            context_takeover,
            window_bits,
        }
    }

    fn accepted(offers: &[&str]) -> Option<String> {
        let accepted = accept(offers.iter().copied()).unwrap()?;
        Some(accepted.answer.to_string())
    }

    #[test]
    fn a_server_takes_the_first_offer_that_is_valid() {
        const P: &str = "permessage-deflate";
        for (offers, expected) in [
            (&[][..], None),
            (&["x-webkit-deflate-frame"], None),
            (&["permessage-deflate"], Some(String::new())),
            (&["x, Permessage-Deflate"], Some(String::new())),
            (
                &["permessage-deflate; client_max_window_bits"],
                Some(String::new()),
            ),
            (
                &["permessage-deflate; client_max_window_bits=15"],
                Some(String::new()),
            ),
            (
                &["permessage-deflate; client_max_window_bits=\"8\""],
                Some("; client_max_window_bits=8".into()),
            ),
            (
                &["permessage-deflate; server_max_window_bits=8"],
                Some("; server_max_window_bits=8".into()),
            ),
            (
                &["permessage-deflate; server_max_window_bits=15"],
                Some("; server_max_window_bits=15".into()),
            ),
            (
                &[
                    "permessage-deflate; client_no_context_takeover; server_no_context_takeover; \
                   client_max_window_bits=10; server_max_window_bits=9",
                ],
                Some(
                    "; server_no_context_takeover; client_no_context_takeover; \
                      server_max_window_bits=9; client_max_window_bits=10"
                        .into(),
                ),
            ),
            (
                &[
                    "permessage-deflate; server_max_window_bits=7",
                    "permessage-deflate; server_max_window_bits=9, permessage-deflate",
                ],
                Some("; server_max_window_bits=9".into()),
            ),
        ] {
            let expected = expected.map(|params| format!("{P}{params}"));
            assert_eq!(accepted(offers), expected, "{offers:?}");
        }
    }

    #[test]
    fn a_server_declines_what_is_not_valid() {
        for params in [
            "server_max_window_bits",
            "server_max_window_bits=7",
            "server_max_window_bits=16",
            "server_max_window_bits=08",
            "server_max_window_bits=+9",
            "server_max_window_bits=1e1",
            "client_max_window_bits=99999999999999999999",
            "client_max_window_bits; client_max_window_bits=9",
            "server_no_context_takeover=1",
            "client_no_context_takeover; client_no_context_takeover",
            "mux",
        ] {
            let offer = format!("permessage-deflate; {params}");
            assert_eq!(accepted(&[offer.as_str()]), None, "{offer}");
        }
        let wrong = accept(["permessage-deflate; =9"]).unwrap_err();
        assert!(wrong.to_string().contains("is not a list"), "{wrong}");
    }

    #[test]
    fn a_server_sees_what_it_answered() {
        let offer = "permessage-deflate; server_max_window_bits=9; client_no_context_takeover";
        let agreed = accept([offer]).unwrap().unwrap().agreed;
        let (own, peer) = (side(true, 9), side(false, 15));
        assert_eq!(agreed, Agreed { own, peer });
    }

    #[test]
    fn a_client_takes_an_answer_to_its_offer() {
        let plain = Agreed {
            own: side(true, 15),
            peer: side(true, 15),
        };
        let offer = Parameters::OFFER.to_string();
        assert_eq!(offer, "permessage-deflate; client_max_window_bits");
        for (offer, answer, expected) in [
            (offer.as_str(), "", None),
            (&offer, "other", None),
            (&offer, "permessage-deflate", Some(plain)),
            (
                &offer,
                "permessage-deflate; client_max_window_bits=8; client_no_context_takeover",
                Some(Agreed {
                    own: side(false, 8),
                    ..plain
                }),
            ),
            (
                &offer,
                "permessage-deflate; server_max_window_bits=\"12\"; server_no_context_takeover",
                Some(Agreed {
                    peer: side(false, 12),
                    ..plain
                }),
            ),
            (
                "permessage-deflate; client_no_context_takeover; client_max_window_bits=10",
                "permessage-deflate; client_max_window_bits=12",
                Some(Agreed {
                    own: side(false, 10),
                    ..plain
                }),
            ),
            (
                "permessage-deflate; server_max_window_bits=10",
                "permessage-deflate; server_max_window_bits=9",
                Some(Agreed {
                    peer: side(true, 9),
                    ..plain
                }),
            ),
        ] {
            assert_eq!(check([offer], [answer]).unwrap(), expected, "{answer}");
        }
    }

    #[test]
    fn a_client_refuses_every_other_answer() {
        let offer = "permessage-deflate; server_no_context_takeover; server_max_window_bits=10";
        let granted = |rest: &str| {
            format!(
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=10{rest}"
            )
        };
        let cases = [
            (String::from("permessage-deflate;"), "is not a list"),
            (
                granted("; client_max_window_bits=9"),
                "client_max_window_bits was not offered",
            ),
            (granted(", permessage-deflate"), "it chose it twice"),
            (granted("; client_max_window_bits"), "has no value"),
            (granted("; client_max_window_bits=16"), "is \"16\" and not"),
            (granted("; server_max_window_bits=10"), "is there twice"),
            (granted("; x=\"1\""), "has no parameter \"x\""),
            (
                "permessage-deflate; server_max_window_bits=10".into(),
                "server_no_context_takeover was asked for",
            ),
            (
                "permessage-deflate; server_no_context_takeover".into(),
                "server_max_window_bits is 15, asked for was 10",
            ),
        ];
        for (answer, why) in &cases {
            let wrong = check([offer], [answer.as_str()]).unwrap_err();
            assert!(wrong.to_string().contains(why), "{answer}: {wrong}");
        }
        let wrong = check([], ["permessage-deflate"]).unwrap_err();
        assert!(wrong.to_string().ends_with("it was not offered"), "{wrong}");
    }

    /// Every offer of ours is answered, and the answer is taken: both ends then see the same.
    #[test]
    fn both_sides_agree_on_every_combination() {
        let bits = || (7..=15).map(|bits| (bits > 7).then_some(bits));
        let flags = [false, true];
        for server_max_window_bits in bits() {
            for client_max_window_bits in bits() {
                for (server, client) in flags.map(|a| flags.map(|b| (a, b))).as_flattened() {
                    let offer = Parameters {
                        server_no_context_takeover: *server,
                        client_no_context_takeover: *client,
                        server_max_window_bits,
                        client_max_window_bits,
                    };
                    let offer = offer.to_string();
                    let accepted = accept([offer.as_str()]).unwrap().unwrap();
                    let answer = accepted.answer.to_string();
                    let agreed = check([offer.as_str()], [answer.as_str()]).unwrap().unwrap();
                    assert_eq!(agreed.own, accepted.agreed.peer, "{offer}");
                    assert_eq!(agreed.peer, accepted.agreed.own, "{offer}");
                }
            }
        }
    }
}
