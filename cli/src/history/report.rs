//! The command `report`.

use super::{ask, date};
use crate::options::TargetOptions;
use crate::out::{line, plain};
use crate::stack::Stack;
use alerting::notification::{report_sections, report_title};
use clap::Args;
use history::{SiteReport, SiteReports, Start};
use jiff::civil::Date;
use std::process::ExitCode;
use workflow::BoxError;

#[derive(Debug, Args)]
pub(crate) struct ReportOptions {
    /// A day of the week, such as 2026-11-23 [default: of the last week that is over]
    #[arg(long, value_name = "DATE", value_parser = date)]
    week: Option<Date>,
    /// Only the site of this name or LUID
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    /// Print one JSON object per site instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetOptions,
}

pub(crate) async fn report(options: ReportOptions) -> Result<ExitCode, BoxError> {
    let stack = Stack::find(&options.target).await?;
    let SiteReports { mut reports } = ask(&stack, &Start::Report { week: options.week }).await?;
    let known: Vec<String> = reports.iter().map(|of| plain(&of.name)).collect();
    if let Some(site) = &options.site {
        reports.retain(|of| {
            of.name.to_lowercase() == site.to_lowercase() || of.site.as_str().eq_ignore_ascii_case(site)
        });
        if reports.is_empty() {
            return Err(format!("no site is called {site}; there are reports of {}", known.join(", ")).into());
        }
    }
    for (at, of) in reports.iter().enumerate() {
        if options.json {
            line!("{}", serde_json::to_string(of)?)?;
        } else {
            if at > 0 {
                line!()?;
            }
            print(of)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(of: &SiteReport) -> Result<(), BoxError> {
    line!("{}: {}", plain(&report_title(Some(&of.report))), plain(&of.name))?;
    let sections = report_sections(&of.report);
    let is_list = |(_, texts): &&(String, Vec<String>)| texts.len() > 1;
    let width = sections.iter().filter(|section| !is_list(section)).map(|(label, _)| label.chars().count());
    let width = width.max().unwrap_or_default();
    for (label, texts) in &sections {
        match texts.as_slice() {
            [text] => line!("  {label:<width$}  {}", plain(text))?,
            texts => {
                line!("  {label}")?;
                for text in texts {
                    line!("    {}", plain(text))?;
                }
            }
        }
    }
    Ok(())
}
