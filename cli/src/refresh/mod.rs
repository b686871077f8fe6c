//! The command `refresh`: refreshes content by name as pipelines do, through the stack's API.

mod options;
mod progress;
mod service;
mod shown;

pub(crate) use options::RefreshOptions;

use crate::out::{self, line, note, problem};
use progress::Progress;
use serde_json::Value;
use service::{Answer, Service, Silence, is_id};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use workflow::BoxError;

/// The refresh failed or was cancelled.
const FAILED: u8 = 3;
/// It has not ended in time, or it is not known how it ended.
const OPEN: u8 = 4;
const INTERRUPTED: u8 = 130;

/// For how long a service that does not answer is asked again for a refresh, or to cancel one.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);
/// For how much longer than the request's own limit its end is looked for, at most.
const LONGEST_GRACE: Duration = Duration::from_secs(120);
/// The pauses between two looks: the first, and the longest.
const GAPS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

/// How the command ends.
enum End {
    /// What the service says about the refresh.
    Refresh(Value),
    /// The service refuses: the status and the problem.
    Refused(u16, Value),
    /// It is not known how the refresh with this id ended.
    Unknown { id: String, why: String },
    /// The service was not reached, and there is no id.
    Unreached(String),
}

/// Refreshes, looks or cancels.
pub(crate) async fn refresh(options: RefreshOptions) -> Result<ExitCode, BoxError> {
    let service = Service::find(options.server.as_deref(), &options.target).await?;
    let mut id = options.id.clone();
    let ended = {
        let work = work(&options, &service, &mut id);
        tokio::select! {
            ended = work => Some(ended),
            // If no handler can be installed, Ctrl-C ends the program at once, and the refresh goes on all the same.
            Ok(()) = tokio::signal::ctrl_c() => None,
        }
    };
    match ended {
        Some(end) => report(end, &options, &service),
        None => {
            match id {
                Some(id) => note(format!("the refresh goes on: {}", how_to_look(&id, &service))),
                None => note("it is not known whether the service has taken the request"),
            }
            Ok(ExitCode::from(INTERRUPTED))
        }
    }
}

async fn work(options: &RefreshOptions, service: &Service, id: &mut Option<String>) -> End {
    let mut progress = Progress::begin();
    let timeout = options.timeout.unsigned_abs();
    let until = Instant::now() + timeout + timeout.min(LONGEST_GRACE);
    let first = match &options.id {
        Some(id) if options.cancel => patiently(&mut progress, async || service.cancel(id).await).await,
        Some(id) => patiently(&mut progress, async || service.look(id).await).await,
        None => {
            let body = options.body();
            let key = Uuid::new_v4().to_string();
            patiently(&mut progress, async || service.post(&body, &key).await).await
        }
    };
    let answer = match first {
        Ok(answer) => answer,
        Err(why) => match id.clone() {
            Some(id) => return End::Unknown { id, why },
            None => return End::Unreached(why),
        },
    };
    if !answer.status.is_success() {
        return End::Refused(answer.status.as_u16(), answer.body);
    }
    let Some(known) = answer.body["id"].as_str().filter(|id| is_id(id)).map(str::to_owned) else {
        let why = format!("{} answers as no stack does; check its address", service.place());
        return End::Unreached(why);
    };
    *id = Some(known.clone());
    if !options.wait || is_over(&answer.body) {
        return End::Refresh(answer.body);
    }
    looked(service, &known, answer, until, &mut progress).await
}

/// Looks until the refresh has ended. A look that fails is no failed refresh: it is repeated until the time is over.
async fn looked(service: &Service, id: &str, first: Answer, until: Instant, progress: &mut Progress) -> End {
    let mut last = first.body;
    let mut retry_after = first.retry_after;
    let mut gap = GAPS.0;
    progress.say(shown::progress(&last));
    loop {
        let pause = retry_after.take().unwrap_or(gap);
        gap = gap.mul_f64(1.5).min(GAPS.1);
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return End::Refresh(last);
        }
        sleep(pause.min(left)).await;
        match service.look(id).await {
            Ok(answer) if answer.status.is_success() => {
                last = answer.body;
                retry_after = answer.retry_after;
                if is_over(&last) {
                    return End::Refresh(last);
                }
                progress.say(shown::progress(&last));
            }
            Ok(answer) => {
                let why = shown::refusal(answer.status.as_u16(), &answer.body);
                return End::Unknown { id: id.to_owned(), why };
            }
            Err(silence) => {
                let is_last = until.saturating_duration_since(Instant::now()).is_zero();
                if is_last {
                    return End::Unknown { id: id.to_owned(), why: silence.why };
                }
                progress.say(format!("{}; the refresh goes on, the next look follows", silence.why));
                retry_after = silence.retry_after;
            }
        }
    }
}

/// Asks until there is an answer, as long as that may help.
async fn patiently(
    progress: &mut Progress,
    ask: impl AsyncFn() -> Result<Answer, Silence>,
) -> Result<Answer, String> {
    let until = Instant::now() + ANSWER_TIMEOUT;
    let mut gap = Duration::from_secs(1);
    let mut was_silent = false;
    loop {
        let silence = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(silence) => silence,
        };
        let pause = silence.retry_after.unwrap_or(gap);
        // An address that leads nowhere at the first try is a mistake. Later, the service may be on its way back.
        if (silence.is_unreachable && !was_silent) || Instant::now() + pause > until {
            return Err(silence.why);
        }
        was_silent = true;
        progress.say(format!("{}; asking again", silence.why));
        sleep(pause).await;
        gap = (gap * 2).min(GAPS.1);
    }
}

fn report(end: End, options: &RefreshOptions, service: &Service) -> Result<ExitCode, BoxError> {
    match end {
        End::Refresh(refresh) => {
            if options.json {
                line!("{}", out::json(&refresh))?;
            } else {
                shown::refresh(&refresh).iter().try_for_each(|text| line!("{text}"))?;
            }
            let id = refresh["id"].as_str().unwrap_or_default();
            Ok(match refresh["status"].as_str().unwrap_or_default() {
                "succeeded" => ExitCode::SUCCESS,
                "cancelled" if options.cancel => ExitCode::SUCCESS,
                "failed" | "cancelled" => ExitCode::from(FAILED),
                "timed_out" => ExitCode::from(OPEN),
                _ if options.wait => {
                    problem("the refresh is still open, and its time is over");
                    note(how_to_look(id, service));
                    ExitCode::from(OPEN)
                }
                _ => {
                    if !options.json {
                        note(how_to_look(id, service));
                    }
                    ExitCode::SUCCESS
                }
            })
        }
        End::Refused(status, refused) => {
            if options.json {
                line!("{}", out::json(&refused))?;
                return Ok(ExitCode::FAILURE);
            }
            shown::candidates(&refused).iter().try_for_each(|text| line!("{text}"))?;
            Err(shown::refusal(status, &refused).into())
        }
        End::Unknown { id, why } => {
            problem(format!("it is not known how the refresh ended (id {id}): {why}"));
            note(how_to_look(&id, service));
            Ok(ExitCode::from(OPEN))
        }
        End::Unreached(why) => Err(why.into()),
    }
}

fn how_to_look(id: &str, service: &Service) -> String {
    let program = crate::program::typed();
    let words = &service.words;
    format!(
        "`{program} refresh --id {id} --wait{words}` shows how it ends, `{program} refresh --id {id} --cancel{words}` cancels it"
    )
}

fn is_over(refresh: &Value) -> bool {
    matches!(refresh["status"].as_str(), Some("succeeded" | "failed" | "cancelled" | "timed_out"))
}
