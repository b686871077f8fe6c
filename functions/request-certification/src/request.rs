//! A request for a decision, and what may happen to it. Pure.

use crate::link::Purpose;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// For how long one worker may carry a decision out, or send mails, before another takes over.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often an open request is looked at: the data source may be gone, or certified by a person.
const LOOK: SignedDuration = SignedDuration::from_hours(24);
/// How many codes one request may have mailed.
pub(crate) const MOST_CODES: u32 = 5;
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
    /// How many codes were mailed.
    #[serde(default)]
    pub(crate) codes: u32,
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
        until: Timestamp,
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

/// A code that was mailed to the steward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MailedCode {
    pub(crate) hash: String,
    pub(crate) at: Timestamp,
    pub(crate) tries: u32,
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

    /// Begins to carry a decision out. Of several workers one may.
    pub(crate) fn begin(&mut self, decision: Purpose, note: &str, now: Timestamp) -> Result<(), Closed> {
        match self.closed(now) {
            Some(closed) => Err(closed),
            None => {
                let until = now.checked_add(LEASE).unwrap_or(now);
                self.state = State::Deciding { decision, note: note.to_owned(), until };
                Ok(())
            }
        }
    }

    /// Ends what [`Self::begin`] began without a decision: it can be decided again.
    pub(crate) fn give_back(&mut self) {
        if matches!(self.state, State::Deciding { .. }) {
            self.state = State::Open;
        }
    }

    /// Ends it, unless it has ended. The steward and the owner get a mail about it, if they should.
    pub(crate) fn end(&mut self, state: State, now: Timestamp) -> bool {
        if !self.is_unended() {
            return false;
        }
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
        true
    }

    /// What is due at `now`: a reminder, or the end. Then the next look is set.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        if self.is_unended() && now >= self.expires_at && self.closed(now) != Some(Closed::Busy) {
            self.end(State::Expired { at: now }, now);
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
        let next = self.is_unended().then(|| {
            let look = now.checked_add(LOOK).unwrap_or(self.expires_at);
            let due = self.reminders.first().copied().unwrap_or(self.expires_at);
            due.min(self.expires_at).min(look).max(now)
        });
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
        if let Some(at) = self.outbox.iter().position(|waiting| waiting == mail) {
            self.outbox.remove(at);
        }
        self.sending_until = None;
    }

    /// Notes that no mail was sent.
    pub(crate) fn not_sent(&mut self) {
        self.sending_until = None;
    }

    /// Whether a code may be mailed; then it counts, whether it arrives or not.
    pub(crate) fn take_code(&mut self, hash: String, now: Timestamp) -> bool {
        if self.codes >= MOST_CODES {
            return false;
        }
        self.codes += 1;
        self.code = Some(MailedCode { hash, at: now, tries: 0 });
        true
    }

    /// Checks a code. A wrong one counts, and a right one can be used once.
    pub(crate) fn check_code(&mut self, is_right: impl Fn(&str) -> bool, now: Timestamp) -> CodeCheck {
        let Some(code) = &mut self.code else { return CodeCheck::None };
        if code.tries >= MOST_TRIES || now.duration_since(code.at) > CODE_LIFETIME {
            return CodeCheck::None;
        }
        if is_right(&code.hash) {
            self.code = None;
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
    fn one_decision_is_carried_out_and_a_dead_worker_decides_nothing() {
        let mut request = sent();
        assert_eq!(request.begin(Purpose::Certify, "", at(1)), Ok(()));
        assert_eq!(request.begin(Purpose::Certify, "", at(1)), Err(Closed::Busy));
        assert_eq!(request.begin(Purpose::Decline, "", at(1)), Err(Closed::Busy));
        assert_eq!(request.begin(Purpose::Decline, "no", at(2)), Ok(()), "the worker has died");
        request.give_back();
        assert_eq!(request.state, State::Open);
        assert_eq!(request.begin(Purpose::Certify, "", at(3)), Ok(()));
        assert!(request.end(State::Certified { at: at(3), note: String::new() }, at(3)));
        assert_eq!(request.begin(Purpose::Decline, "", at(4)), Err(Closed::Ended));
        assert!(!request.end(State::Deleted { at: at(4) }, at(4)), "it stays certified");
        assert_eq!(request.outbox, [Outgoing::ResultToSteward, Outgoing::ResultToOwner]);
        request.give_back();
        assert!(matches!(request.state, State::Certified { .. }));
    }

    #[test]
    fn there_are_two_reminders_and_then_the_end() {
        let mut request = sent();
        assert_eq!(request.wake_at, Some(at(24)), "it is looked at daily");
        let mut reminded = Vec::new();
        let mut now = at(0);
        while request.is_unended() {
            now = request.wake_at.unwrap();
            request.advance(now);
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
        request.advance(at(9 * 24));
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
    fn a_code_can_be_typed_wrongly_five_times_and_is_valid_for_half_an_hour_and_once() {
        let is = |right: &'static str| move |hash: &str| hash == right;
        let mut request = sent();
        assert_eq!(request.check_code(is("h"), at(1)), CodeCheck::None);
        assert!(request.take_code("h".to_owned(), at(1)));
        assert_eq!(request.check_code(is("h"), at(1)), CodeCheck::Right);
        assert_eq!(request.check_code(is("h"), at(1)), CodeCheck::None, "it was used");
        assert!(request.take_code("h".to_owned(), at(1)));
        assert_eq!(request.check_code(is("h"), at(2)), CodeCheck::None, "it is too old");
        assert!(request.take_code("h".to_owned(), at(2)));
        for _ in 0..MOST_TRIES {
            assert_eq!(request.check_code(is("other"), at(2)), CodeCheck::Wrong);
        }
        assert_eq!(request.check_code(is("h"), at(2)), CodeCheck::None, "it was tried too often");
        for _ in 3..MOST_CODES {
            assert!(request.take_code("h".to_owned(), at(2)));
        }
        assert!(!request.take_code("h".to_owned(), at(2)));
    }
}
