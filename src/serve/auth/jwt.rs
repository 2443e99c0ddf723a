//! JSON Web Tokens (RFC 7519) signed with HS256, the only algorithm that is taken: one whose
//! header names another, or `none`, is wrong whatever its signature. Its times are compared here,
//! without leeway, so that tests of a client's refresh know when a token ends.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use super::{Identity, Rejection};

#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
}

/// Whether a token has the three parts of one.
pub(super) fn looks_like_one(token: &str) -> bool {
    token.matches('.').count() == 2
}

/// Checks the signature and the times; the subject is the user.
pub(super) fn check(token: &str, secret: &[u8], now: SystemTime) -> Result<Identity, Rejection> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let key = DecodingKey::from_secret(secret);
    let decoded = decode::<Claims>(token, &key, &validation).map_err(|_| Rejection::Wrong)?;
    // Whoever signed it says that it means nothing to who does not know these extensions, and none is
    // known here (RFC 7515, section 4.1.11).
    if decoded.header.crit.is_some() {
        return Err(Rejection::Wrong);
    }
    let claims = decoded.claims;
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = now.as_secs_f64();
    if claims.exp.is_some_and(|exp| now >= exp) {
        return Err(Rejection::Expired);
    }
    if claims.nbf.is_some_and(|nbf| now < nbf) {
        return Err(Rejection::Wrong);
    }
    Ok(Identity {
        user: claims.sub.map(Into::into),
    })
}
