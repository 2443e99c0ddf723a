//! What each connection asks for: the URL, the headers and the credentials, with `{{variables}}`
//! filled in.

use std::borrow::Cow;

use super::feed::Feed;
use super::template::Template;
use crate::error::Error;
use crate::model::secret::Secret;
use crate::session::client;
use crate::wire::target::Target;

/// A plan with what varies from connection to connection.
#[derive(Debug, Clone)]
pub struct Request {
    /// For connection 1.
    plan: client::Plan,
    feed: Feed,
    url: Option<Template>,
    /// Header fields whose values vary, by their place in the plan.
    headers: Vec<(usize, Template)>,
    authorization: Option<Template>,
    /// Cookies whose values vary, by their place in the plan.
    cookies: Vec<(usize, Template)>,
}

impl Request {
    /// `url` is what was typed; `plan` holds everything else as it was typed.
    ///
    /// # Errors
    /// [`Error::Usage`] for an unknown variable, or a URL that is none once it is filled in.
    pub fn new(mut plan: client::Plan, url: Option<&str>, feed: &Feed) -> Result<Self, Error> {
        let varying = |place: &str, text: &str| {
            let template = Template::parse(text, feed)
                .map_err(|wrong| Error::usage(format!("{place}: {wrong}")))?;
            Ok::<_, Error>(template.constant().is_none().then_some(template))
        };
        let url = url
            .map(|url| varying("the URL", url))
            .transpose()?
            .flatten();
        let mut headers = Vec::new();
        for (at, (name, value)) in plan.request.headers.iter().enumerate() {
            if let Some(template) = varying(&format!("-H {name}"), value)? {
                headers.push((at, template));
            }
        }
        let given = plan.request.authorization.as_ref();
        let authorization = given
            .map(|given| varying("the credentials", given.reveal()))
            .transpose()?
            .flatten();
        let mut cookies = Vec::new();
        for (at, cookie) in plan.request.cookies.iter().enumerate() {
            if let Some(template) =
                varying(&format!("--cookie {}", cookie.name), cookie.value.reveal())?
            {
                cookies.push((at, template));
            }
        }
        if let Some(template) = &url {
            plan.target = Target::parse(&filled(template, feed, 1))?;
        }
        Ok(Self {
            plan,
            feed: feed.clone(),
            url,
            headers,
            authorization,
            cookies,
        })
    }

    /// The plan of connection 1, as it was typed but for its URL.
    pub const fn base(&self) -> &client::Plan {
        &self.plan
    }

    /// The plan of a connection.
    ///
    /// # Errors
    /// [`Error::Usage`] for a URL that is none with this connection's values.
    pub fn of(&self, connection: u64) -> Result<Cow<'_, client::Plan>, Error> {
        let varies = !(self.headers.is_empty() && self.cookies.is_empty());
        if self.url.is_none() && self.authorization.is_none() && !varies {
            return Ok(Cow::Borrowed(&self.plan));
        }
        let mut plan = self.plan.clone();
        let value = |template: &Template| filled(template, &self.feed, connection);
        if let Some(template) = &self.url {
            plan.target = Target::parse(&value(template))?;
        }
        for (at, template) in &self.headers {
            plan.request.headers[*at].1 = value(template);
        }
        for (at, template) in &self.cookies {
            plan.request.cookies[*at].value = Secret::new(value(template));
        }
        if let Some(template) = &self.authorization {
            plan.request.authorization = Some(Secret::new(value(template)));
        }
        Ok(Cow::Owned(plan))
    }
}

fn filled(template: &Template, feed: &Feed, connection: u64) -> String {
    let mut text = String::new();
    template.render(feed, connection, 1, &mut text);
    text
}
