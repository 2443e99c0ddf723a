//! A validating scanner of JSON (RFC 8259), fed byte by byte.
//!
//! It says of each byte what that belongs to, and keeps a stack of the open brackets and no text,
//! so it can cut a stream into values as well as colour one.

/// Brackets that may be open at once.
pub const MAX_DEPTH: usize = 128;

/// What a byte of a JSON text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Space,
    Open,
    Close,
    Comma,
    Colon,
    /// The name of a member, quotes included.
    Key,
    String,
    Number,
    Literal,
}

/// Why a text is not JSON, in words: what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault(pub &'static str);

/// A validating scanner of one JSON value (RFC 8259), fed byte by byte.
#[derive(Debug, Clone)]
pub struct Scanner {
    open: Vec<Bracket>,
    expect: Expect,
    inside: Inside,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Object,
    Array,
}

/// What may come next, outside of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// After `[`.
    ValueOrClose,
    /// After `{`.
    KeyOrClose,
    /// After a comma in an object.
    Key,
    Colon,
    CommaOrClose,
    /// After the whole value.
    Nothing,
}

/// The token that is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    Text {
        class: Class,
        escape: Escape,
    },
    Number(Digits),
    /// What is left of `true`, `false` or `null`.
    Literal(&'static [u8]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    None,
    Backslash,
    /// This many hex digits are to come.
    Unicode(u8),
}

/// How far a number has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Digits {
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    Power,
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    pub const fn new() -> Self {
        Self {
            open: Vec::new(),
            expect: Expect::Value,
            inside: Inside::Nothing,
        }
    }

    /// Nothing but white space has come.
    pub fn is_untouched(&self) -> bool {
        self.expect == Expect::Value && self.inside == Inside::Nothing && self.open.is_empty()
    }

    /// A whole value has come. A number may go on nevertheless: see [`Self::is_closed`].
    pub fn is_whole(&self) -> bool {
        match self.inside {
            Inside::Nothing => self.expect == Expect::Nothing,
            Inside::Number(digits) => self.open.is_empty() && digits.may_end(),
            Inside::Text { .. } | Inside::Literal(_) => false,
        }
    }

    /// A whole value has come, and only white space may follow.
    pub fn is_closed(&self) -> bool {
        self.expect == Expect::Nothing && self.inside == Inside::Nothing
    }

    /// The next byte belongs to a string or to a member's name.
    pub const fn is_in_string(&self) -> bool {
        matches!(self.inside, Inside::Text { .. })
    }

    /// What may come next, in words.
    pub fn expectation(&self) -> &'static str {
        match self.inside {
            Inside::Text { .. } => "expected the closing quote of a string",
            _ => self.expected().0,
        }
    }

    /// # Errors
    /// The byte cannot stand here.
    pub fn step(&mut self, byte: u8) -> Result<Class, Fault> {
        match self.inside {
            Inside::Nothing => self.start(byte),
            Inside::Text { class, escape } => self.text(byte, class, escape),
            Inside::Number(digits) => match digits.step(byte) {
                Some(digits) => {
                    self.inside = Inside::Number(digits);
                    Ok(Class::Number)
                }
                None if digits.may_end() => {
                    self.end_value();
                    self.start(byte)
                }
                None => Err(Fault("expected a digit")),
            },
            Inside::Literal(rest) => match rest.split_first() {
                Some((expected, rest)) if *expected == byte => {
                    if rest.is_empty() {
                        self.end_value();
                    } else {
                        self.inside = Inside::Literal(rest);
                    }
                    Ok(Class::Literal)
                }
                _ => Err(Fault("expected true, false or null")),
            },
        }
    }

    /// A byte outside of a token.
    fn start(&mut self, byte: u8) -> Result<Class, Fault> {
        match (byte, self.expect) {
            (b' ' | b'\t' | b'\n' | b'\r', _) => Ok(Class::Space),
            (b'{', Expect::Value | Expect::ValueOrClose) => {
                self.open(Bracket::Object, Expect::KeyOrClose)
            }
            (b'[', Expect::Value | Expect::ValueOrClose) => {
                self.open(Bracket::Array, Expect::ValueOrClose)
            }
            (b'"', Expect::Key | Expect::KeyOrClose) => Ok(self.begin_text(Class::Key)),
            (b'"', Expect::Value | Expect::ValueOrClose) => Ok(self.begin_text(Class::String)),
            (_, Expect::Value | Expect::ValueOrClose) if self.begin_scalar(byte) => {
                Ok(match self.inside {
                    Inside::Literal(_) => Class::Literal,
                    _ => Class::Number,
                })
            }
            (b':', Expect::Colon) => {
                self.expect = Expect::Value;
                Ok(Class::Colon)
            }
            (b',', Expect::CommaOrClose) => {
                self.expect = match self.open.last() {
                    Some(Bracket::Object) => Expect::Key,
                    _ => Expect::Value,
                };
                Ok(Class::Comma)
            }
            (b'}' | b']', Expect::KeyOrClose | Expect::ValueOrClose | Expect::CommaOrClose) => {
                self.close(byte)
            }
            _ => Err(self.expected()),
        }
    }

    fn expected(&self) -> Fault {
        Fault(match (self.expect, self.open.last()) {
            (Expect::Value, _) => "expected a value",
            (Expect::ValueOrClose, _) => "expected a value or ]",
            (Expect::KeyOrClose, _) => "expected a member name in quotes or }",
            (Expect::Key, _) => "expected a member name in quotes",
            (Expect::Colon, _) => "expected :",
            (Expect::CommaOrClose, Some(Bracket::Object)) => "expected , or }",
            (Expect::CommaOrClose, _) => "expected , or ]",
            (Expect::Nothing, _) => "expected the end of the value",
        })
    }

    fn open(&mut self, bracket: Bracket, expect: Expect) -> Result<Class, Fault> {
        if self.open.len() == MAX_DEPTH {
            return Err(Fault("nested too deeply"));
        }
        self.open.push(bracket);
        self.expect = expect;
        Ok(Class::Open)
    }

    fn close(&mut self, byte: u8) -> Result<Class, Fault> {
        let fits = match self.open.last() {
            Some(Bracket::Object) => byte == b'}',
            Some(Bracket::Array) => byte == b']',
            None => false,
        };
        if !fits {
            return Err(self.expected());
        }
        self.open.pop();
        self.end_value();
        Ok(Class::Close)
    }

    fn begin_text(&mut self, class: Class) -> Class {
        self.inside = Inside::Text {
            class,
            escape: Escape::None,
        };
        class
    }

    fn begin_scalar(&mut self, byte: u8) -> bool {
        self.inside = match byte {
            b't' => Inside::Literal(b"rue"),
            b'f' => Inside::Literal(b"alse"),
            b'n' => Inside::Literal(b"ull"),
            b'-' => Inside::Number(Digits::Minus),
            b'0' => Inside::Number(Digits::Zero),
            b'1'..=b'9' => Inside::Number(Digits::Whole),
            _ => return false,
        };
        true
    }

    fn text(&mut self, byte: u8, class: Class, escape: Escape) -> Result<Class, Fault> {
        let escape = match (escape, byte) {
            (Escape::None, b'"') => {
                if class == Class::Key {
                    self.inside = Inside::Nothing;
                    self.expect = Expect::Colon;
                } else {
                    self.end_value();
                }
                return Ok(class);
            }
            (Escape::None, b'\\') => Escape::Backslash,
            (Escape::None, 0..=0x1f) => {
                return Err(Fault("a control character must be escaped in a string"));
            }
            (Escape::None, _) => Escape::None,
            (Escape::Backslash, b'u') => Escape::Unicode(4),
            (Escape::Backslash, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')
            | (Escape::Unicode(1), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => Escape::None,
            (Escape::Unicode(left), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                Escape::Unicode(left - 1)
            }
            (Escape::Backslash | Escape::Unicode(_), _) => {
                return Err(Fault("a wrong escape in a string"));
            }
        };
        self.inside = Inside::Text { class, escape };
        Ok(class)
    }

    fn end_value(&mut self) {
        self.inside = Inside::Nothing;
        self.expect = if self.open.is_empty() {
            Expect::Nothing
        } else {
            Expect::CommaOrClose
        };
    }
}

impl Digits {
    const fn step(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Minus, b'0') => Some(Self::Zero),
            (Self::Minus, b'1'..=b'9') | (Self::Whole, b'0'..=b'9') => Some(Self::Whole),
            (Self::Zero | Self::Whole, b'.') => Some(Self::Point),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::Zero | Self::Whole | Self::Fraction, b'e' | b'E') => Some(Self::Exponent),
            (Self::Exponent, b'+' | b'-') => Some(Self::ExponentSign),
            (Self::Exponent | Self::ExponentSign | Self::Power, b'0'..=b'9') => Some(Self::Power),
            _ => None,
        }
    }

    const fn may_end(self) -> bool {
        matches!(
            self,
            Self::Zero | Self::Whole | Self::Fraction | Self::Power
        )
    }
}
