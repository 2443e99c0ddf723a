//! `< /exactly {...}`: JSON that is equal as a value.

use super::json::Json;
use super::{Matcher, Places};

pub(super) const MATCHER: Matcher = Matcher {
    name: "/exactly",
    args: "{...}",
    about: "JSON that is equal as a value, however it is written",
    places: Places::Everywhere,
    block: true,
    compile: |text| Ok(Box::new(Json::compile(text, false)?)),
};
