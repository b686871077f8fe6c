//! A request for a decision, and what may happen to it. Pure.

use crate::link::Purpose;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// For how long one worker may carry a decision out, or send mails, before another takes over.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often an open request is looked at: the data source may be gone, or certified by a person.
const LOOK: SignedDuration = SignedDuration::from_hours(24);
/// How long an end waits for an answer of Tableau, and how often it is asked meanwhile.
const LONGEST_WAIT_FOR_END: SignedDuration = SignedDuration::from_hours(24);
const LOOK_AT_END: SignedDuration = SignedDuration::from_hours(1);
/// How many mails with a code one request may have sent in a day.
pub(crate) const MOST_CODES: u32 = 10;
const CODES_PER: SignedDuration = SignedDuration::from_hours(24);
/// How long no second mail with a code is sent.
const CODE_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// How many certifications that may have reached Tableau are kept.
const MOST_TRIED: usize = 20;
/// How the line in a certification's note in Tableau ends that is ours, without the mark of the request.
pub(crate) const OURS: &str = "(tableau-webhooks";
/// How often one code may be typed wrongly.
pub(crate) const MOST_TRIES: u32 = 5;
/// How long a mailed code is valid.
const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(30);

/// One request, from the mail to the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Random; part of the links.
    pub(crate) id: String,
    pub(crate) site: String,
    /// The site's time zone, as the rules say it.
    #[serde(default)]
    pub(crate) timezone: Option<String>,
    pub(crate) datasource: String,
    /// The address that the links were sent to.
    pub(crate) steward: String,
    pub(crate) steward_is: StewardIs,
    /// The owner's address, for the result. None: Tableau has none.
    pub(crate) owner: Option<String>,
    /// What the mail and the page say about the data source.
    pub(crate) about: About,
    pub(crate) requested_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// When reminders are due that were not sent yet.
    pub(crate) reminders: Vec<Timestamp>,
    pub(crate) state: State,
    /// Mails that are still to be sent, in this order.
    #[serde(default)]
    pub(crate) outbox: Vec<Outgoing>,
    /// Until when one worker sends them.
    #[serde(default)]
    pub(crate) sending_until: Option<Timestamp>,
    /// When the request is to be looked at, and the number of that timer.
    pub(crate) wake_at: Option<Timestamp>,
    pub(crate) generation: u64,
    /// Whether a code is asked for.
    #[serde(default)]
    pub(crate) confirm: bool,
    #[serde(default)]
    pub(crate) code: Option<MailedCode>,
    /// How many mails with a code were sent since `codes_from`.
    #[serde(default)]
    pub(crate) codes: u32,
    #[serde(default)]
    pub(crate) codes_from: Option<Timestamp>,
    /// The code over [`Self::bound`], which only the holder of the key can make.
    #[serde(default)]
    pub(crate) seal: String,
    /// Certifications that were sent to Tableau, or may have been.
    #[serde(default)]
    pub(crate) tried: Vec<Tried>,
    /// How many there were, also of those that are certain not to have been sent.
    #[serde(default)]
    pub(crate) attempts: u32,
    /// When what is known about the data source changed after the mail, the last time.
    #[serde(default)]
    pub(crate) changed_at: Option<Timestamp>,
    /// What happened in this change and belongs into the log, beside an end.
    #[serde(skip)]
    pub(crate) happened: Vec<&'static str>,
}

/// A certification that was sent to Tableau, or may have been.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tried {
    /// What the note in Tableau has at its end, and no other request's note.
    pub(crate) mark: String,
    pub(crate) at: Timestamp,
    /// The steward's words.
    pub(crate) note: String,
}

/// A data source as Tableau shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InTableau {
    /// It is deleted, or the user of the credential may not see it: Tableau answers both in the same way.
    NotShown,
    Certified {
        note: String,
    },
    Uncertified {
        note: String,
    },
}

/// What came of a look at Tableau, or of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Open,
    /// It has ended, now or before.
    Ended {
        now: bool,
    },
    /// A worker carries a decision out, until then at most.
    Busy(Timestamp),
}

/// Why the steward is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum StewardIs {
    /// A rule names the address.
    Named,
    Owner,
    ProjectLeader,
    /// In the place of a person whose address Tableau does not say.
    InPlace,
}

/// A data source, as it is described: untrusted texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct About {
    pub(crate) name: String,
    pub(crate) project: Option<String>,
    pub(crate) owner: Option<String>,
    /// Its page in Tableau.
    pub(crate) link: Option<String>,
    /// What it reads from, or why that is not known.
    pub(crate) connections: Listed,
    /// The workbooks that use it, or why that is not known.
    pub(crate) used_by: Listed,
}

/// Names, or why they are not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Listed {
    pub(crate) names: Vec<String>,
    /// How many there are in all.
    pub(crate) total: usize,
    pub(crate) unknown: Option<String>,
}

/// Where a request stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub(crate) enum State {
    /// It waits for the steward.
    Open,
    /// A worker carries a decision out.
    Deciding {
        decision: Purpose,
        note: String,
        /// When the steward decided. It also tells one worker's decision from another's.
        at: Timestamp,
        until: Timestamp,
        /// When the request was to be looked at without this decision.
        #[serde(default)]
        look_at: Option<Timestamp>,
    },
    Certified {
        at: Timestamp,
        note: String,
    },
    Declined {
        at: Timestamp,
        note: String,
    },
    /// A person has certified the data source in Tableau.
    CertifiedElsewhere {
        at: Timestamp,
    },
    /// The data source is gone.
    Deleted {
        at: Timestamp,
    },
    /// There was no decision.
    Expired {
        at: Timestamp,
    },
    /// Another steward is asked.
    Superseded {
        at: Timestamp,
    },
}

/// A mail that is still to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outgoing {
    Request,
    Reminder,
    ResultToSteward,
    ResultToOwner,
}

/// A code that was mailed to the steward. The code itself is made of this with the key of the links, so it can be mailed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MailedCode {
    pub(crate) at: Timestamp,
    /// The one decision that it is for.
    pub(crate) decision: Purpose,
    pub(crate) mailed_at: Timestamp,
    pub(crate) tries: u32,
}

/// What to do when a code is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeMail {
    /// Mail the code of this time.
    Send(Timestamp),
    /// It was mailed a moment ago.
    Recent,
    TooMany,
}

/// Why nothing can be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// Another worker carries a decision out.
    Busy,
    Expired,
    /// It has ended, as its state says.
    Ended,
}

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeCheck {
    Right,
    Wrong,
    /// There is none, or it is too old, or it was typed wrongly too often.
    None,
}

/// What a worker may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    Nothing,
    /// Another worker sends until then.
    Busy(Timestamp),
    Send(Outgoing),
}

impl Request {
    /// The time zone in which times are shown.
    pub(crate) fn zone(&self) -> Option<TimeZone> {
        TimeZone::get(self.timezone.as_deref()?).ok()
    }

    /// Whether it still waits for the steward at `now`.
    pub(crate) fn is_open(&self, now: Timestamp) -> bool {
        self.closed(now).is_none()
    }

    /// Why nothing can be decided at `now`; `None` if it can.
    pub(crate) fn closed(&self, now: Timestamp) -> Option<Closed> {
        match &self.state {
            State::Deciding { until, .. } if now < *until => Some(Closed::Busy),
            // A worker that died has decided nothing.
            State::Open | State::Deciding { .. } if now >= self.expires_at => Some(Closed::Expired),
            State::Open | State::Deciding { .. } => None,
            State::Expired { .. } => Some(Closed::Expired),
            _ => Some(Closed::Ended),
        }
    }

    /// Whether it has not ended, whatever the time.
    pub(crate) fn is_unended(&self) -> bool {
        matches!(self.state, State::Open | State::Deciding { .. })
    }

    /// What the request's seal is over: all that decides what a link can do. One text for each set of values.
    pub(crate) fn bound(&self) -> String {
        let expires_at = self.expires_at.as_microsecond();
        format!("{:?}", (&self.id, &self.site, &self.datasource, &self.steward, expires_at, self.confirm))
    }

    /// What a person decides about: if it changes, the page has to be looked at again.
    pub(crate) fn shown(&self) -> String {
        let About { name, project, owner, connections, .. } = &self.about;
        format!("{:?}", (name, project, owner, connections, self.changed_at))
    }

    /// When it ended; `None` while it has not.
    pub(crate) fn ended_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Open | State::Deciding { .. } => None,
            State::Certified { at, .. }
            | State::Declined { at, .. }
            | State::CertifiedElsewhere { at }
            | State::Deleted { at }
            | State::Expired { at }
            | State::Superseded { at } => Some(*at),
        }
    }

    /// Begins to carry a decision out. Of several workers one may.
    pub(crate) fn begin(&mut self, decision: Purpose, note: &str, now: Timestamp) -> Result<(), Closed> {
        if let Some(closed) = self.closed(now) {
            return Err(closed);
        }
        if decision == Purpose::Certify {
            self.attempts += 1;
            let id: String = self.id.chars().take(8).collect();
            let mark = format!("{OURS} {id}.{})", self.attempts);
            self.tried.push(Tried { mark, at: now, note: note.to_owned() });
            let surplus = self.tried.len().saturating_sub(MOST_TRIED);
            self.tried.drain(..surplus);
        }
        let until = now.checked_add(LEASE).unwrap_or(now);
        let look_at = match &self.state {
            State::Deciding { look_at, .. } => *look_at,
            _ => self.wake_at,
        };
        self.state = State::Deciding { decision, note: note.to_owned(), at: now, until, look_at };
        // If this worker dies, the sweep looks at the request. The timer that is set stays the one that counts.
        self.wake_at = Some(until);
        Ok(())
    }

    fn is_decided_at(&self, began: Timestamp) -> bool {
        matches!(&self.state, State::Deciding { at, .. } if *at == began)
    }

    /// Ends what [`Self::begin`] began at `began`, of which nothing has reached Tableau: it can be decided again.
    pub(crate) fn give_back(&mut self, began: Timestamp, now: Timestamp) {
        if self.is_decided_at(began) {
            self.tried.retain(|tried| tried.at != began);
            self.reopen(now);
        }
    }

    fn reopen(&mut self, now: Timestamp) {
        if let State::Deciding { look_at, .. } = self.state {
            self.state = State::Open;
            self.wake(Some(look_at.unwrap_or(now).max(now)));
        }
    }

    /// Keeps what [`Self::begin`] began until its lease is over, because Tableau may still carry it out. Then Tableau is asked.
    pub(crate) fn keep(&mut self, began: Timestamp) {
        if let State::Deciding { at, until, .. } = self.state
            && at == began
        {
            self.wake(Some(until));
        }
    }

    /// Ends what [`Self::begin`] began at `began`. Whether it did: another worker may have taken over.
    pub(crate) fn finish(&mut self, began: Timestamp, state: State, now: Timestamp) -> bool {
        let is_it = self.is_decided_at(began);
        if is_it {
            self.close(state, now);
        }
        is_it
    }

    /// Until when a worker carries a decision out.
    fn busy(&self, now: Timestamp) -> Option<Timestamp> {
        match &self.state {
            State::Deciding { until, .. } if now < *until => Some(*until),
            _ => None,
        }
    }

    /// Whether what was decided is not certain, and no worker is at it any more.
    pub(crate) fn is_left(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Deciding { .. }) && self.busy(now).is_none()
    }

    /// The certification of this request that a note in Tableau is of.
    pub(crate) fn tried_in(&self, note: &str) -> Option<&Tried> {
        self.tried.iter().find(|tried| note.lines().any(|line| line.ends_with(&tried.mark)))
    }

    /// How it ends if Tableau shows the data source as certified with this note.
    pub(crate) fn certified(&self, note: &str, now: Timestamp) -> State {
        match self.tried_in(note) {
            Some(Tried { at, note, .. }) => State::Certified { at: *at, note: note.clone() },
            None => State::CertifiedElsewhere { at: now },
        }
    }

    /// Draws the conclusion of what Tableau shows, unless a worker carries a decision out.
    pub(crate) fn settle(&mut self, found: &InTableau, now: Timestamp) -> Settled {
        if !self.is_unended() {
            return Settled::Ended { now: false };
        }
        if let Some(until) = self.busy(now) {
            return Settled::Busy(until);
        }
        let end = match (found, &self.state) {
            (InTableau::Certified { note }, _) => self.certified(note, now),
            // Its worker has died, and what the steward decided needs nothing of Tableau.
            (InTableau::Uncertified { .. }, State::Deciding { decision: Purpose::Decline, note, at, .. }) => {
                State::Declined { at: *at, note: note.clone() }
            }
            (InTableau::Uncertified { .. }, State::Deciding { .. }) => {
                self.reopen(now);
                return Settled::Open;
            }
            _ => return Settled::Open,
        };
        self.end(end, now)
    }

    /// Ends it, unless it has ended or a worker carries a decision out.
    pub(crate) fn end(&mut self, state: State, now: Timestamp) -> Settled {
        if !self.is_unended() {
            return Settled::Ended { now: false };
        }
        if let Some(until) = self.busy(now) {
            return Settled::Busy(until);
        }
        self.close(state, now);
        Settled::Ended { now: true }
    }

    /// The steward and the owner get a mail about the end, if they should.
    fn close(&mut self, state: State, now: Timestamp) {
        let tells_steward =
            matches!(state, State::Certified { .. } | State::Declined { .. } | State::Expired { .. });
        // A reminder or request that was not sent yet has nothing to ask for any more.
        self.outbox.clear();
        if tells_steward {
            self.outbox.push(Outgoing::ResultToSteward);
            let owner = self.owner.as_deref().filter(|owner| !owner.eq_ignore_ascii_case(&self.steward));
            self.outbox.extend(owner.map(|_| Outgoing::ResultToOwner));
        }
        self.state = state;
        self.reminders.clear();
        self.code = None;
        self.wake(if self.outbox.is_empty() { None } else { Some(now) });
    }

    /// What is due at `now`: a reminder, or the end. Then the next look is set. `is_known`: Tableau was asked just now. Without its answer an
    /// end waits for a day.
    pub(crate) fn advance(&mut self, is_known: bool, now: Timestamp) {
        if now >= self.expires_at {
            if is_known || now.duration_since(self.expires_at) >= LONGEST_WAIT_FOR_END {
                self.end(State::Expired { at: now }, now);
            }
            return;
        }
        if self.is_open(now) && self.reminders.first().is_some_and(|due| *due <= now) {
            self.reminders.retain(|due| *due > now);
            if !self.outbox.contains(&Outgoing::Reminder) && !self.outbox.contains(&Outgoing::Request) {
                self.outbox.push(Outgoing::Reminder);
            }
        }
    }

    /// Sets the next look, once nothing is left to be sent.
    pub(crate) fn set_next_look(&mut self, now: Timestamp) {
        let after = |by| now.checked_add(by).unwrap_or(self.expires_at);
        let next = match self.busy(now) {
            Some(until) => Some(until),
            None if !self.is_unended() => None,
            None if now >= self.expires_at => Some(after(LOOK_AT_END)),
            None => {
                let due = self.reminders.first().copied().unwrap_or(self.expires_at);
                Some(due.min(self.expires_at).min(after(LOOK)).max(now))
            }
        };
        self.wake(next);
    }

    fn wake(&mut self, at: Option<Timestamp>) {
        self.wake_at = at;
        self.generation += 1;
    }

    /// Takes the next mail to send, for a while alone.
    pub(crate) fn take(&mut self, now: Timestamp) -> Take {
        let Some(next) = self.outbox.first().cloned() else { return Take::Nothing };
        if let Some(until) = self.sending_until.filter(|until| now < *until) {
            return Take::Busy(until);
        }
        self.sending_until = now.checked_add(LEASE).ok();
        Take::Send(next)
    }

    /// Notes that the mail was sent.
    pub(crate) fn sent(&mut self, mail: &Outgoing) {
        self.drop_mail(mail);
        if *mail == Outgoing::Reminder {
            self.happened.push("reminded");
        }
    }

    fn drop_mail(&mut self, mail: &Outgoing) {
        if let Some(at) = self.outbox.iter().position(|waiting| waiting == mail) {
            self.outbox.remove(at);
        }
        self.sending_until = None;
    }

    /// Notes that no mail was sent.
    pub(crate) fn not_sent(&mut self) {
        self.sending_until = None;
    }

    /// Notes that the mail cannot be sent. The question itself stays, for the event that a person hands over again; until the links end, no timer
    /// tries it. Any other mail is given up.
    pub(crate) fn undeliverable(&mut self, mail: &Outgoing) {
        self.happened.push("not-delivered");
        match mail {
            Outgoing::Request => {
                self.sending_until = None;
                self.wake(Some(self.expires_at));
            }
            _ => self.drop_mail(mail),
        }
    }

    fn is_valid(code: &MailedCode, decision: Purpose, now: Timestamp) -> bool {
        code.decision == decision && code.tries < MOST_TRIES && now.duration_since(code.at) <= CODE_LIFETIME
    }

    /// Whether a code may be mailed. A code that is still valid is mailed again, so no one can make it void.
    pub(crate) fn take_code(&mut self, decision: Purpose, now: Timestamp) -> CodeMail {
        let valid = self.code.as_ref().filter(|code| Self::is_valid(code, decision, now));
        if valid.is_some_and(|code| now.duration_since(code.mailed_at) < CODE_PAUSE) {
            return CodeMail::Recent;
        }
        if self.codes_from.is_none_or(|from| now.duration_since(from) >= CODES_PER) {
            self.codes_from = Some(now);
            self.codes = 0;
        }
        if self.codes >= MOST_CODES {
            return CodeMail::TooMany;
        }
        self.codes += 1;
        let code = match valid {
            Some(code) => MailedCode { mailed_at: now, ..code.clone() },
            None => MailedCode { at: now, decision, mailed_at: now, tries: 0 },
        };
        let at = code.at;
        self.code = Some(code);
        CodeMail::Send(at)
    }

    /// Notes that the code did not leave: it may be asked for at once.
    pub(crate) fn code_not_mailed(&mut self) {
        if let Some(code) = &mut self.code {
            code.mailed_at = code.mailed_at.checked_sub(CODE_PAUSE).unwrap_or(code.at);
        }
    }

    /// Checks a code. A wrong one counts. A right one stays valid until the request ends, so that a decision that failed can be made again.
    pub(crate) fn check_code(
        &mut self,
        is_right: impl Fn(Timestamp) -> bool,
        decision: Purpose,
        now: Timestamp,
    ) -> CodeCheck {
        let Some(code) = self.code.as_mut().filter(|code| Self::is_valid(code, decision, now)) else {
            return CodeCheck::None;
        };
        if is_right(code.at) {
            return CodeCheck::Right;
        }
        code.tries += 1;
        CodeCheck::Wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + hours * 3_600).unwrap()
    }

    fn request() -> Request {
        Request {
            id: "r".to_owned(),
            site: "s".to_owned(),
            timezone: None,
            datasource: "d".to_owned(),
            steward: "steward@example.com".to_owned(),
            steward_is: StewardIs::Named,
            owner: Some("ana@example.com".to_owned()),
            about: About::default(),
            requested_at: at(0),
            expires_at: at(14 * 24),
            reminders: vec![at(3 * 24), at(7 * 24)],
            state: State::Open,
            outbox: vec![Outgoing::Request],
            sending_until: None,
            wake_at: Some(at(0)),
            generation: 1,
            confirm: false,
            code: None,
            codes: 0,
            codes_from: None,
            seal: String::new(),
            tried: Vec::new(),
            attempts: 0,
            changed_at: None,
            happened: Vec::new(),
        }
    }

    fn sent() -> Request {
        let mut request = request();
        assert_eq!(request.take(at(0)), Take::Send(Outgoing::Request));
        request.sent(&Outgoing::Request);
        request.set_next_look(at(0));
        request
    }

    #[test]
    fn one_worker_sends_at_a_time_and_another_takes_over_after_a_minute() {
        let mut request = request();
        let until = at(0) + LEASE;
        assert_eq!(request.take(at(0)), Take::Send(Outgoing::Request));
        assert_eq!(request.take(at(0)), Take::Busy(until));
        assert_eq!(request.take(until), Take::Send(Outgoing::Request));
        request.not_sent();
        assert_eq!(request.take(until), Take::Send(Outgoing::Request));
        request.sent(&Outgoing::Request);
        assert_eq!(request.take(until), Take::Nothing);
    }

    #[test]
    fn one_decision_is_carried_out_and_a_dead_worker_blocks_no_other() {
        let mut request = sent();
        let look_at = request.wake_at;
        assert_eq!(request.begin(Purpose::Certify, "", at(1)), Ok(()));
        assert_eq!(request.wake_at, Some(at(1) + LEASE), "the sweep finds it if the worker dies");
        assert_eq!(request.begin(Purpose::Certify, "", at(1)), Err(Closed::Busy));
        assert_eq!(request.begin(Purpose::Decline, "", at(1)), Err(Closed::Busy));
        assert_eq!(request.begin(Purpose::Decline, "no", at(2)), Ok(()), "the worker has died");
        request.give_back(at(1), at(2));
        assert!(matches!(request.state, State::Deciding { .. }), "it is another worker's decision");
        assert!(!request.finish(at(1), State::Declined { at: at(1), note: String::new() }, at(2)));
        request.give_back(at(2), at(2));
        assert_eq!((&request.state, request.wake_at), (&State::Open, look_at));
        assert_eq!(request.tried.len(), 1, "the dead worker may have certified");
        assert_eq!(request.begin(Purpose::Certify, "", at(3)), Ok(()));
        assert!(request.finish(at(3), State::Certified { at: at(3), note: String::new() }, at(3)));
        assert_eq!(request.begin(Purpose::Decline, "", at(4)), Err(Closed::Ended));
        let deleted = State::Deleted { at: at(4) };
        assert_eq!(request.end(deleted, at(4)), Settled::Ended { now: false }, "it stays certified");
        assert_eq!(request.outbox, [Outgoing::ResultToSteward, Outgoing::ResultToOwner]);
        request.give_back(at(3), at(4));
        assert!(matches!(request.state, State::Certified { .. }));
    }

    #[test]
    fn nothing_ends_a_request_while_a_decision_is_carried_out_and_then_tableau_says_how_it_ended() {
        let shown = |request: &Request, number: usize| InTableau::Certified {
            note: format!("Checked\nCertified on … {}", request.tried[number].mark),
        };
        let mut request = sent();
        request.begin(Purpose::Certify, "first", at(1)).unwrap();
        let now = at(1) + SignedDuration::from_secs(1);
        let busy = Settled::Busy(at(1) + LEASE);
        assert_eq!(request.end(State::Superseded { at: now }, now), busy);
        let found = shown(&request, 0);
        assert_eq!(request.settle(&found, now), busy);
        let mut left = request.clone();
        assert_eq!(left.settle(&found, at(2)), Settled::Ended { now: true });
        assert_eq!(left.state, State::Certified { at: at(1), note: "first".to_owned() });
        // A note of another request of the same steward is not ours.
        let mut elsewhere = request.clone();
        let note = format!("Certified on … {OURS} AAAAAAAA.1)");
        elsewhere.settle(&InTableau::Certified { note }, at(2));
        assert_eq!(elsewhere.state, State::CertifiedElsewhere { at: at(2) });
        // It was not certified: it is open again. A late certification is still recognised.
        let uncertified = InTableau::Uncertified { note: String::new() };
        assert_eq!(request.settle(&uncertified, at(2)), Settled::Open);
        assert_eq!(request.state, State::Open);
        request.begin(Purpose::Certify, "second", at(3)).unwrap();
        let mut late = request.clone();
        let first = shown(&late, 0);
        late.settle(&first, at(4));
        assert_eq!(late.state, State::Certified { at: at(1), note: "first".to_owned() });
        // A decline is complete without Tableau.
        let mut declined = sent();
        declined.begin(Purpose::Decline, "why", at(1)).unwrap();
        assert_eq!(declined.settle(&InTableau::NotShown, at(2)), Settled::Open);
        declined.settle(&uncertified, at(2));
        assert_eq!(declined.state, State::Declined { at: at(1), note: "why".to_owned() });
    }

    #[test]
    fn a_reminder_that_is_due_during_a_decision_waits_for_its_end() {
        let mut request = sent();
        request.begin(Purpose::Certify, "", at(3 * 24)).unwrap();
        let now = at(3 * 24) + SignedDuration::from_secs(1);
        request.advance(true, now);
        assert!(request.outbox.is_empty());
        request.set_next_look(now);
        assert_eq!(request.wake_at, Some(at(3 * 24) + LEASE));
    }

    #[test]
    fn an_end_waits_a_day_for_tableau() {
        let mut request = sent();
        let end = at(14 * 24);
        request.advance(false, end);
        assert!(request.is_unended());
        request.set_next_look(end);
        assert_eq!(request.wake_at, Some(end + LOOK_AT_END));
        request.advance(false, end + LONGEST_WAIT_FOR_END);
        assert!(matches!(request.state, State::Expired { .. }));
    }

    #[test]
    fn a_mail_that_cannot_be_sent_is_given_up_and_the_next_one_goes() {
        let mut request = sent();
        request.end(State::Expired { at: at(1) }, at(1));
        assert_eq!(request.take(at(1)), Take::Send(Outgoing::ResultToSteward));
        request.undeliverable(&Outgoing::ResultToSteward);
        assert_eq!(request.take(at(1)), Take::Send(Outgoing::ResultToOwner));
        assert_eq!(request.happened, ["not-delivered"]);
        let mut asked = self::request();
        asked.undeliverable(&Outgoing::Request);
        assert_eq!(
            (asked.outbox.as_slice(), asked.wake_at),
            ([Outgoing::Request].as_slice(), Some(at(14 * 24)))
        );
    }

    #[test]
    fn there_are_two_reminders_and_then_the_end() {
        let mut request = sent();
        assert_eq!(request.wake_at, Some(at(24)), "it is looked at daily");
        let mut reminded = Vec::new();
        let mut now = at(0);
        while request.is_unended() {
            now = request.wake_at.unwrap();
            request.advance(true, now);
            if request.outbox == [Outgoing::Reminder] {
                reminded.push(now);
                request.sent(&Outgoing::Reminder);
            }
            if request.is_unended() {
                request.set_next_look(now);
            }
        }
        assert_eq!(reminded, [at(3 * 24), at(7 * 24)]);
        assert_eq!((now, &request.state), (at(14 * 24), &State::Expired { at: at(14 * 24) }));
        assert_eq!(request.outbox, [Outgoing::ResultToSteward, Outgoing::ResultToOwner]);
    }

    #[test]
    fn reminders_that_were_missed_together_are_one() {
        let mut request = sent();
        request.advance(true, at(9 * 24));
        assert_eq!(request.outbox, [Outgoing::Reminder]);
        assert!(request.reminders.is_empty());
    }

    #[test]
    fn an_owner_who_is_the_steward_gets_one_mail_and_no_one_gets_one_about_what_is_gone() {
        let mut own = Request { owner: Some("Steward@example.com".to_owned()), ..sent() };
        own.end(State::Declined { at: at(1), note: "why".to_owned() }, at(1));
        assert_eq!(own.outbox, [Outgoing::ResultToSteward]);
        for state in [
            State::Deleted { at: at(1) },
            State::CertifiedElsewhere { at: at(1) },
            State::Superseded { at: at(1) },
        ] {
            let mut request = request();
            request.end(state, at(1));
            assert!(request.outbox.is_empty() && request.wake_at.is_none(), "{request:?}");
        }
    }

    #[test]
    fn a_link_expires_also_if_nothing_noticed() {
        let mut request = sent();
        assert_eq!(request.closed(at(14 * 24) - SignedDuration::from_secs(1)), None);
        assert_eq!(request.closed(at(14 * 24)), Some(Closed::Expired));
        assert_eq!(request.begin(Purpose::Certify, "", at(14 * 24)), Err(Closed::Expired));
    }

    // M13
    #[test]
    fn a_code_can_be_typed_wrongly_five_times_and_is_valid_for_half_an_hour_and_for_one_decision() {
        let certify = Purpose::Certify;
        let mut request = sent();
        assert_eq!(request.check_code(|_| true, certify, at(1)), CodeCheck::None);
        assert_eq!(request.take_code(certify, at(1)), CodeMail::Send(at(1)));
        assert_eq!(request.take_code(certify, at(1)), CodeMail::Recent);
        let two_minutes = at(1) + SignedDuration::from_mins(2);
        assert_eq!(request.take_code(certify, two_minutes), CodeMail::Send(at(1)), "the same code again");
        assert_eq!(request.check_code(|code| code == at(1), certify, two_minutes), CodeCheck::Right);
        assert_eq!(
            request.check_code(|_| true, certify, two_minutes),
            CodeCheck::Right,
            "until the request ends"
        );
        assert_eq!(request.check_code(|_| true, Purpose::Decline, two_minutes), CodeCheck::None);
        assert_eq!(request.check_code(|_| true, certify, at(2)), CodeCheck::None, "it is too old");
        assert_eq!(request.take_code(certify, at(2)), CodeMail::Send(at(2)));
        for _ in 0..MOST_TRIES {
            assert_eq!(request.check_code(|_| false, certify, at(2)), CodeCheck::Wrong);
        }
        assert_eq!(request.check_code(|_| true, certify, at(2)), CodeCheck::None, "it was tried too often");
        for hours in 3..10 {
            assert_eq!(request.take_code(certify, at(hours)), CodeMail::Send(at(hours)));
        }
        assert_eq!(request.take_code(certify, at(10)), CodeMail::TooMany);
        assert_eq!(request.take_code(certify, at(25)), CodeMail::Send(at(25)), "a day later");
    }
}
