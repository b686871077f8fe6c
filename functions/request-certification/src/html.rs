//! The pages as HTML. Every text that comes from outside goes through [`Html::text`]. No script, no picture, nothing that is loaded. Pure.

use crate::link::Purpose;
use crate::request::{Request, State, StewardIs};
use crate::text::{NOTE_LIMIT, facts, lines, name, time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use ring::digest;
use workflow::Page;

/// Contrast of 4.5 to 1 at least in both colour schemes; one column, for narrow screens.
const STYLE: &str = "\
:root{color-scheme:light dark;--text:#1b1b1f;--ground:#fff;--soft:#55555e;--line:#74747e;--accent:#1f4e9c;--on-accent:#fff;--alarm:#a4141c}\
@media (prefers-color-scheme:dark){:root{--text:#e6e6ea;--ground:#17171a;--soft:#b4b4bd;--line:#8e8e99;--accent:#9fc2ff;--on-accent:#10203c;--alarm:#ff9c9c}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--ground);color:var(--text);font:17px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;overflow-wrap:anywhere}\
main{max-width:40rem;margin:0 auto;padding:1.5rem 1rem 3rem}\
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}\
dl{margin:1rem 0}\
dt{font-weight:600}\
dd{margin:0 0 .6rem}\
fieldset{border:1px solid var(--line);border-radius:.4rem;margin:1.5rem 0 1rem;padding:.5rem 1rem 1rem}\
legend{font-weight:600;padding:0 .3rem}\
.choice{display:flex;gap:.6rem;align-items:flex-start;padding:.5rem 0;min-height:2.75rem}\
.choice input{flex:none;width:1.3rem;height:1.3rem;margin:.15rem 0 0}\
label{display:block}\
textarea,.code{display:block;width:100%;margin:.3rem 0 0;padding:.5rem;font:inherit;color:inherit;background:var(--ground);border:1px solid var(--line);border-radius:.4rem}\
.code{max-width:12rem}\
button{font:inherit;font-weight:600;padding:.65rem 1.4rem;margin:1rem .6rem 0 0;border:2px solid var(--accent);border-radius:.4rem;background:var(--accent);color:var(--on-accent);cursor:pointer}\
:focus-visible{outline:3px solid var(--accent);outline-offset:3px}\
a{color:var(--accent)}\
.alarm{border-left:.3rem solid var(--alarm);padding:.1rem 0 .1rem .8rem;color:var(--alarm);font-weight:600}\
.empty{position:absolute;left:-9999px}\
.soft{color:var(--soft);font-size:.94rem}\
.note{white-space:pre-line;border-left:.2rem solid var(--line);margin:.5rem 0;padding-left:.8rem}";

/// HTML that is safe: made of our own elements and of escaped texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Html(String);

impl Html {
    /// Our own words and elements.
    fn raw(mut self, html: &'static str) -> Self {
        self.0.push_str(html);
        self
    }

    /// Any text.
    fn text(mut self, text: &str) -> Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    fn paragraph(self, text: &str) -> Self {
        self.raw("<p>").text(text).raw("</p>\n")
    }

    fn soft(self, text: &str) -> Self {
        self.raw("<p class=\"soft\">").text(text).raw("</p>\n")
    }

    fn then(mut self, other: &Self) -> Self {
        self.0.push_str(&other.0);
        self
    }
}

/// What a form was sent with, to be shown again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Typed {
    pub(crate) note: String,
    /// What is wrong with it, for the person.
    pub(crate) problem: Option<&'static str>,
    /// Whether a code was mailed, so that the page asks for it.
    pub(crate) asks_for_code: bool,
}

/// How a page tells a person that nothing was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Tableau does not answer.
    TableauDown,
    /// A person has to change something in Tableau or in the stack; the words say what.
    Setup(String),
    /// Tableau does not show the data source.
    NotFound,
    /// Tableau may still certify.
    Unknown,
    /// What came of the decision could not be noted.
    NotNoted,
    /// Another worker carries a decision out.
    Busy,
    /// The code could not be mailed.
    CodeNotSent,
    /// Too many codes were asked for.
    TooManyCodes,
}

/// The policy of the pages: nothing is loaded and no script runs; a form goes to our own address; no other page shows ours in a frame.
pub(crate) fn policy() -> String {
    let hash = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
}

fn page(status: u16, title: &str, body: &Html) -> Page {
    let title = name(title);
    let html = Html::default()
        .raw("<!doctype html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\">\n")
        .raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        .raw("<meta name=\"robots\" content=\"noindex, nofollow\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>")
        .text(&title)
        .raw("</title>\n<style>")
        .raw(STYLE)
        .raw("</style>\n</head>\n<body>\n<main>\n<h1>")
        .text(&title)
        .raw("</h1>\n")
        .then(body)
        .raw("</main>\n</body>\n</html>\n");
    Page { status, html: html.0, policy: policy(), is_misconfigured: false }
}

/// The page of any token that is not one of ours. It is the same whatever the token.
pub(crate) fn unknown() -> Page {
    let body = Html::default()
        .paragraph("This address is not one that was sent to you by mail, or a part of it is missing.")
        .paragraph("Open the link in the mail itself. If it was cut into two lines, copy both into the address line.");
    page(404, "This link does not work", &body)
}

/// The page when the table or a secret does not answer.
pub(crate) fn unavailable() -> Page {
    let body = Html::default()
        .paragraph("The page is not available just now. Nothing was decided, and your link stays valid.")
        .paragraph("Please open it again in a few minutes.");
    // Not 5xx, as in `trouble`.
    page(409, "Please try again later", &body)
}

/// The page of a form that is no form of ours.
pub(crate) fn not_a_form() -> Page {
    let body = Html::default()
        .paragraph(
            "What was sent is not the form of this page. Nothing was changed, and your link stays valid.",
        )
        .paragraph("Please open the link in the mail again, and decide on the page that it opens.");
    page(400, "Nothing was changed", &body)
}

/// The page on which the steward decides.
pub(crate) fn decide(
    request: &Request,
    decision: Purpose,
    form: &str,
    typed: &Typed,
    zone: Option<&TimeZone>,
) -> Page {
    let shown = name(&request.about.name);
    let title = match decision {
        Purpose::Certify => format!("Certify {shown}?"),
        Purpose::Decline => format!("Decline to certify {shown}?"),
    };
    let problem = match typed.problem {
        Some(problem) => Html::default()
            .raw("<p class=\"alarm\" role=\"alert\" id=\"problem\">")
            .text(problem)
            .raw("</p>\n"),
        None => Html::default(),
    };
    let what = match decision {
        Purpose::Certify => {
            "A certified data source is marked in Tableau as one that people should build on. Everyone who may see it sees the mark and the note."
        }
        Purpose::Decline => "The data source stays as it is. Its owner gets your answer by mail.",
    };
    let whom = match request.steward_is {
        StewardIs::Named => "This link was made for the data steward, ",
        StewardIs::Owner => "This link was made for the owner of the data source, ",
        StewardIs::ProjectLeader => "This link was made for the owner of the project, ",
        StewardIs::InPlace => "This link was made, in the place of the data steward, for ",
    };
    let body = Html::default()
        .then(&problem)
        .paragraph(what)
        .then(&changed(request, zone))
        .then(&about(request))
        .raw("<p>")
        .text(whom)
        .raw("<strong>")
        .text(&request.steward)
        .raw("</strong>. If that is not you, close this page: what is decided here is recorded as decided through their link.</p>\n")
        .then(&the_form(request, decision, form, typed))
        .soft(&format!(
            "The link is valid until {} and for one decision. To {} instead, use the other link in the mail.",
            time(request.expires_at, zone),
            match decision {
                Purpose::Certify => "decline",
                Purpose::Decline => "certify",
            }
        ));
    let status = if typed.problem.is_some() { 400 } else { 200 };
    page(status, &title, &body)
}

/// What a person who knows the mail has to know.
fn changed(request: &Request, zone: Option<&TimeZone>) -> Html {
    match request.changed_at {
        Some(at) => Html::default().paragraph(&format!(
            "What Tableau says about the data source has changed since the mail, the last time on {}.",
            time(at, zone)
        )),
        None => Html::default(),
    }
}

/// The first and the last answer change nothing, for machines that take one of these. The field that people do not see has to stay empty.
/// Nothing in it is chosen beforehand, so a machine that sends the form as it finds it decides nothing.
fn the_form(request: &Request, decision: Purpose, form: &str, typed: &Typed) -> Html {
    let (yes, no, note, button) = match decision {
        Purpose::Certify => (
            "Certify: people should build on it",
            "Not now: change nothing",
            "Note, which everyone who may see the data source can read (optional)",
            "Send my decision",
        ),
        Purpose::Decline => (
            "Decline: it stays uncertified",
            "Not now: change nothing",
            "Reason, which the owner gets by mail (optional)",
            "Send my decision",
        ),
    };
    let described = if typed.problem.is_some() { " aria-describedby=\"problem\"" } else { "" };
    let choice = |value: &'static str, label: &'static str| {
        Html::default()
            .raw("<div class=\"choice\"><input type=\"radio\" name=\"choice\" required id=\"")
            .raw(value)
            .raw("\" value=\"")
            .raw(value)
            .raw("\"><label for=\"")
            .raw(value)
            .raw("\">")
            .raw(label)
            .raw("</label></div>\n")
    };
    let code = match (request.confirm, typed.asks_for_code) {
        (false, _) => Html::default(),
        (true, false) => Html::default().soft(
            "Next, a code is mailed to the address above, and this page asks for it. So it is not enough to have the link.",
        ),
        (true, true) => Html::default()
            .raw("<p><label for=\"code\">Code from the mail that was just sent (six digits)</label>\n")
            .raw("<input class=\"code\" id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"12\"></p>\n")
            .soft("Leave the code empty to have a new one mailed."),
    };
    Html::default()
        .raw("<form method=\"post\" accept-charset=\"utf-8\">\n<input type=\"hidden\" name=\"form\" value=\"")
        .text(form)
        .raw("\">\n<fieldset")
        .raw(described)
        .raw(">\n<legend>Your decision</legend>\n")
        .then(&choice("no", no))
        .then(&choice("yes", yes))
        .then(&choice("unsure", "I am not sure: change nothing"))
        .raw("</fieldset>\n<p><label for=\"note\">")
        .raw(note)
        .raw("</label>\n<textarea id=\"note\" name=\"note\" rows=\"4\" maxlength=\"")
        .text(&NOTE_LIMIT.to_string())
        // A line break after the element's start is not part of its text.
        .raw("\">\n")
        .text(&typed.note)
        .raw("</textarea></p>\n<div class=\"empty\" aria-hidden=\"true\"><label for=\"website\">Leave this empty</label>")
        .raw("<input id=\"website\" name=\"website\" tabindex=\"-1\" autocomplete=\"off\"></div>\n")
        .then(&code)
        .raw("<button type=\"submit\">")
        .raw(button)
        .raw("</button>\n</form>\n")
}

fn about(request: &Request) -> Html {
    let mut html = Html::default().raw("<dl>\n");
    for (label, value) in facts(&request.about) {
        html = html.raw("<dt>").text(&label).raw("</dt><dd>").text(&value).raw("</dd>\n");
    }
    html = html.raw("</dl>\n");
    // The link's scheme was checked when Tableau gave it.
    match request
        .about
        .link
        .as_deref()
        .filter(|link| link.starts_with("https://") || link.starts_with("http://"))
    {
        Some(link) => html
            .raw("<p><a rel=\"noreferrer noopener\" href=\"")
            .text(link)
            .raw("\">Open the data source in Tableau</a></p>\n"),
        None => html,
    }
}

/// The page of a person who chose to change nothing.
pub(crate) fn nothing_chosen(request: &Request) -> Page {
    let body = Html::default()
        .paragraph("Nothing was changed, as you chose. Your link stays valid.")
        .paragraph(&format!("The data source is {}.", name(&request.about.name)));
    page(200, "Nothing was changed", &body)
}

/// The page when nothing could be decided, or it is not known, and what to do. With the form again, where that helps.
pub(crate) fn trouble(trouble: &Trouble, again: Option<(&Request, Purpose, &str, &Typed)>) -> Page {
    // Not 5xx: the alarm of the HTTP API rings for events that were not stored, and this is none.
    let (status, title, text, is_open) = match trouble {
        Trouble::TableauDown => (
            409,
            "Tableau does not answer",
            "Nothing was decided, and nothing is lost: your link stays valid. Please try again in a few minutes.".to_owned(),
            true,
        ),
        Trouble::Setup(what) => (
            409,
            "Tableau refuses it",
            format!("Nothing was decided, and your link stays valid. Please tell your Tableau administrator: {what}."),
            true,
        ),
        Trouble::NotFound => (
            409,
            "Tableau does not show the data source",
            "It was deleted, or this service lacks the right to see it. Nothing was decided, and your link stays valid. Please tell your Tableau \
             administrator if the data source exists."
                .to_owned(),
            true,
        ),
        Trouble::Unknown => (
            409,
            "It is not known yet what came of it",
            "Tableau has not said whether it has certified the data source, and may still do it. Open the link again in two minutes to see what \
             came of it."
                .to_owned(),
            false,
        ),
        Trouble::NotNoted => (
            409,
            "Please look again in a few minutes",
            "What came of your decision could not be noted yet. Open the link again in a few minutes to see it.".to_owned(),
            false,
        ),
        Trouble::Busy => (
            409,
            "A decision is being carried out",
            "This takes a few seconds, or up to two minutes if Tableau does not answer. Open the link again then to see what was decided."
                .to_owned(),
            false,
        ),
        Trouble::CodeNotSent => (
            409,
            "The code could not be mailed",
            "Nothing was decided, and your link stays valid. Please try again in a few minutes.".to_owned(),
            true,
        ),
        Trouble::TooManyCodes => (
            429,
            "Too many codes",
            "No more codes are mailed for this request today. Please try again tomorrow, or certify or decline in Tableau itself."
                .to_owned(),
            true,
        ),
    };
    let mut body =
        Html::default().raw("<p role=\"alert\" class=\"alarm\" id=\"problem\">").text(&text).raw("</p>\n");
    if let Some((request, decision, form, typed)) = again.filter(|_| is_open) {
        body = body.then(&about(request)).then(&the_form(request, decision, form, typed));
    }
    let is_misconfigured = matches!(trouble, Trouble::Setup(_));
    Page { is_misconfigured, ..page(status, title, &body) }
}

/// The page of a request that has ended. `just_now`: by this very form. `None` while it has not ended.
pub(crate) fn ended(
    request: &Request,
    decision: Purpose,
    just_now: bool,
    zone: Option<&TimeZone>,
) -> Option<Page> {
    let shown = name(&request.about.name);
    let link = format!("through the link of {}", request.steward);
    let (status, title, said, note) = match &request.state {
        State::Open | State::Deciding { .. } => return None,
        State::Certified { at, note } => (
            200,
            format!("{shown} is certified"),
            format!("It was certified on {}, {link}. Tableau shows it as certified.", time(*at, zone)),
            note.as_str(),
        ),
        State::Declined { at, note } => (
            200,
            format!("{shown} stays uncertified"),
            format!("The certification was declined on {}, {link}.", time(*at, zone)),
            note.as_str(),
        ),
        State::CertifiedElsewhere { at } => (
            200,
            format!("{shown} is certified already"),
            format!(
                "A person has certified it in Tableau, as was seen on {}. Nothing was changed here.",
                time(*at, zone)
            ),
            "",
        ),
        State::Deleted { at } => (
            410,
            format!("{shown} is gone"),
            format!(
                "The data source was deleted in Tableau, as was seen on {}, so there is nothing to decide.",
                time(*at, zone)
            ),
            "",
        ),
        State::Expired { at } => (
            410,
            "This link has expired".to_owned(),
            format!("There was no decision about {shown} before {}.", time(*at, zone)),
            "",
        ),
        State::Superseded { at } => (
            410,
            "Another person is asked now".to_owned(),
            format!(
                "Since {} another data steward decides about {shown}. Your link does nothing any more.",
                time(*at, zone)
            ),
            "",
        ),
    };
    let mut body = Html::default().paragraph(&said);
    let note = lines(note);
    if !note.is_empty() {
        body = body.raw("<p class=\"note\">").text(&note).raw("</p>\n");
    }
    let was = match &request.state {
        State::Certified { .. } => Some(Purpose::Certify),
        State::Declined { .. } => Some(Purpose::Decline),
        _ => None,
    };
    if just_now {
        body = body.paragraph(
            "You can close this page. The result is mailed to the address of the link, and to the owner.",
        );
    } else if was.is_some() {
        body = body.soft(match was == Some(decision) {
            true => "This link was used. If you did not decide, tell your administrator: another person has your link.",
            false => "The decision was made through the other link of the same mail, so this one does nothing any more. To change it, use Tableau.",
        });
    }
    // Not what the mail said about owner, servers and workbooks: who opens a used link needs to know what was done, and no more.
    Some(page(status, &title, &body))
}

/// The page of a link that was not used in time, before anything has noted it.
pub(crate) fn expired(request: &Request, decision: Purpose, zone: Option<&TimeZone>) -> Page {
    let expired = Request { state: State::Expired { at: request.expires_at }, ..request.clone() };
    ended(&expired, decision, false, zone).unwrap_or_else(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_the_style_and_nothing_else() {
        let policy = policy();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.ends_with("form-action 'self'; frame-ancestors 'none'; base-uri 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
        let page = unknown();
        assert_eq!(page.html.matches("<style>").count(), 1);
        assert!(!page.html.contains(" style=") && !page.html.contains("<script"), "{}", page.html);
    }

    #[test]
    fn any_text_is_shown_as_text() {
        let shown = Html::default().text("<script>\"'&").0;
        assert_eq!(shown, "&lt;script&gt;&quot;&#39;&amp;");
    }
}
