//! Cookies for the opening handshake: `K=V` words and Netscape cookie files (RFC 6265, section 5.4).

use std::net::IpAddr;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::target::Target;
use crate::error::Error;
use crate::model::secret::Secret;
use crate::text::bounded;

/// What curl writes before the domain of a cookie that scripts must not read.
const HTTP_ONLY: &str = "#HttpOnly_";

/// A cookie and the requests that it belongs to.
#[derive(Debug, Clone)]
pub struct Cookie {
    pub name: String,
    pub value: Secret<String>,
    /// `None`: sent to every host.
    pub domain: Option<String>,
    pub include_subdomains: bool,
    pub path: String,
    pub secure: bool,
}

impl Cookie {
    /// Whether the cookie goes to `target` (domain, path, secure).
    pub fn matches(&self, target: &Target) -> bool {
        (!self.secure || target.is_tls())
            && self.covers_host(target.host())
            && self.covers_path(target.path())
    }

    /// RFC 6265, section 5.1.3.
    fn covers_host(&self, host: &str) -> bool {
        let Some(domain) = &self.domain else {
            return true;
        };
        let host = host.to_ascii_lowercase();
        host == *domain
            || self.include_subdomains
                && host.parse::<IpAddr>().is_err()
                && host
                    .strip_suffix(domain.as_str())
                    .is_some_and(|sub| sub.ends_with('.'))
    }

    /// RFC 6265, section 5.1.4.
    fn covers_path(&self, path: &str) -> bool {
        path.strip_prefix(self.path.as_str()).is_some_and(|rest| {
            rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/')
        })
    }
}

/// The value of the Cookie header for `target`: longer paths first (RFC 6265, section 5.4).
pub(super) fn header_value(cookies: &[Cookie], target: &Target) -> Option<String> {
    let mut matching: Vec<&Cookie> = cookies.iter().filter(|c| c.matches(target)).collect();
    matching.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
    let pairs: Vec<String> = matching
        .iter()
        .map(|cookie| format!("{}={}", cookie.name, cookie.value.reveal()))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

/// `K=V`, several joined by `; ` allowed.
///
/// # Errors
/// [`Error::Usage`] that names the word, never its value.
pub fn parse_words(text: &str) -> Result<Vec<Cookie>, Error> {
    let mut cookies = Vec::new();
    for word in text.split(';').map(str::trim).filter(|w| !w.is_empty()) {
        let (name, value) = word
            .split_once('=')
            .ok_or_else(|| Error::usage_hint("a cookie has no =", "try --cookie NAME=VALUE"))?;
        let name = name.trim();
        check(name, value).map_err(|why| Error::usage(format!("cookie {name:?}: {why}")))?;
        cookies.push(Cookie {
            name: name.to_owned(),
            value: Secret::new(value.trim().to_owned()),
            domain: None,
            include_subdomains: false,
            path: "/".to_owned(),
            secure: false,
        });
    }
    if cookies.is_empty() {
        return Err(Error::usage_hint(
            "the cookie is empty",
            "try --cookie NAME=VALUE",
        ));
    }
    Ok(cookies)
}

/// Bytes of a cookie file.
const MOST: u64 = 16 << 20;

/// Reads a Netscape cookie file; expired cookies are left out.
///
/// # Errors
/// [`Error::Usage`] that names the file and the line.
pub fn read_file(path: &Path) -> Result<Vec<Cookie>, Error> {
    let wrong = |why: String| {
        Error::usage(format!(
            "cannot read the cookie file {}: {why}",
            path.display()
        ))
    };
    let bytes = bounded::read(path, MOST).map_err(|cause| wrong(cause.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8".into()))?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let mut cookies = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let cookie = parse_line(line, now).map_err(|why| {
            Error::usage_hint(
                format!("{}:{number}: {why}", path.display()),
                "a cookie file has seven fields a line, with tabs between them, as curl -c writes",
            )
        })?;
        cookies.extend(cookie);
    }
    Ok(cookies)
}

/// Domain, subdomains too, path, secure, expiry in Unix seconds, name, value. `None` for comments,
/// blank lines and cookies that expired before `now`.
fn parse_line(line: &str, now: u64) -> Result<Option<Cookie>, String> {
    let line = line.strip_prefix(HTTP_ONLY).unwrap_or(line);
    if line.trim().is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let fields: Vec<&str> = line.split('\t').collect();
    let &[domain, subdomains, path, secure, expires, name, value] = fields.as_slice() else {
        return Err(format!("{} fields instead of 7", fields.len()));
    };
    let expires: u64 = expires
        .parse()
        .map_err(|_| format!("the expiry {expires:?} is not a number"))?;
    let subdomains = flag(subdomains)?;
    let secure = flag(secure)?;
    check(name, value).map_err(|why| format!("cookie {name:?}: {why}"))?;
    // Zero is a cookie of the browser's session: it does not expire by date.
    if expires != 0 && expires <= now {
        return Ok(None);
    }
    let bare = domain.trim_start_matches('.');
    Ok(Some(Cookie {
        name: name.to_owned(),
        value: Secret::new(value.to_owned()),
        domain: Some(bare.to_ascii_lowercase()),
        include_subdomains: subdomains || bare.len() < domain.len(),
        path: path.to_owned(),
        secure,
    }))
}

fn flag(text: &str) -> Result<bool, String> {
    match text {
        "TRUE" => Ok(true),
        "FALSE" => Ok(false),
        _ => Err(format!("{text:?} is neither TRUE nor FALSE")),
    }
}

/// What would not survive in a Cookie header.
fn check(name: &str, value: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("the name is empty");
    }
    if name.contains(|c: char| c.is_control() || c.is_whitespace() || ";=,".contains(c)) {
        return Err("the name holds a character that cookies cannot have");
    }
    if value.contains(|c: char| c.is_control() || c == ';') {
        return Err("the value holds a ; or a control character");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn line(text: &str) -> Option<Cookie> {
        parse_line(text, 1_000).unwrap()
    }

    fn target(text: &str) -> Target {
        Target::parse(text).unwrap()
    }

    #[test]
    fn words_go_everywhere() {
        let cookies = parse_words("a=1; b=x=y;").unwrap();
        assert_eq!(
            header_value(&cookies, &target("ws://any/p")).as_deref(),
            Some("a=1; b=x=y")
        );
        for wrong in ["", "novalue", "=v", "a b=1", "a=1\r\nX: y"] {
            assert_eq!(parse_words(wrong).unwrap_err().kind(), "usage", "{wrong:?}");
        }
    }

    #[test]
    fn a_cookie_goes_where_it_belongs() {
        let exact = line("Example.com\tFALSE\t/api\tFALSE\t0\tn\tv").unwrap();
        let wide = line(".example.com\tTRUE\t/\tFALSE\t0\tn\tv").unwrap();
        let secure = line("#HttpOnly_example.com\tFALSE\t/\tTRUE\t0\tn\tv").unwrap();
        let address = line("0.0.1\tTRUE\t/\tFALSE\t0\tn\tv").unwrap();
        let rows = [
            (&exact, "ws://example.com/api", true),
            (&exact, "ws://example.com/api/x?y", true),
            (&exact, "ws://example.com/apis", false),
            (&exact, "ws://example.com/", false),
            (&exact, "ws://sub.example.com/api", false),
            (&wide, "ws://example.com/", true),
            (&wide, "ws://a.b.example.com/x", true),
            (&wide, "ws://badexample.com/", false),
            (&secure, "ws://example.com/", false),
            (&secure, "wss://example.com/", true),
            (&address, "ws://127.0.0.1/", false),
        ];
        for (cookie, url, want) in rows {
            assert_eq!(cookie.matches(&target(url)), want, "{url} {cookie:?}");
        }
    }

    #[test]
    fn longer_paths_come_first() {
        let cookies = [
            line("h\tFALSE\t/\tFALSE\t0\troot\t1").unwrap(),
            line("h\tFALSE\t/a\tFALSE\t0\tdeep\t2").unwrap(),
        ];
        assert_eq!(
            header_value(&cookies, &target("ws://h/a")).as_deref(),
            Some("deep=2; root=1")
        );
        assert_eq!(header_value(&cookies, &target("ws://other/a")), None);
    }

    #[test]
    fn the_expired_and_the_comments_are_left_out() {
        assert!(line("# Netscape HTTP Cookie File").is_none());
        assert!(line("").is_none());
        assert!(line("h\tFALSE\t/\tFALSE\t1000\tn\tv").is_none());
        assert!(line("h\tFALSE\t/\tFALSE\t1001\tn\t").is_some());
    }

    #[test]
    fn a_bad_line_is_named() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "# fine\r\nh\tFALSE\t/\tFALSE\t0\tn\tv\r\nh FALSE /").unwrap();
        let error = read_file(file.path()).unwrap_err();
        assert!(
            error.to_string().ends_with(":3: 1 fields instead of 7"),
            "{error}"
        );
        for wrong in [
            "h\tyes\t/\tFALSE\t0\tn\tv",
            "h\tTRUE\t/\tFALSE\tsoon\tn\tv",
            "h\tTRUE\t/\tFALSE\t0\t\tv",
            "h\tTRUE\t/\tFALSE\t0\tn\ta;b",
        ] {
            assert!(parse_line(wrong, 0).is_err(), "{wrong}");
        }
        let missing = read_file(Path::new("/nonexistent/jar")).unwrap_err();
        assert_eq!(missing.kind(), "usage");
    }
}
