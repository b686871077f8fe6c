//! The command `history download`.

use super::files;
use crate::aws::Account;
use crate::options::TargetOptions;
use crate::out::{counted, note};
use crate::stack::Stack;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use history::{FOLDER, Files, of_key};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use workflow::BoxError;

#[derive(Debug, Args)]
pub(crate) struct DownloadOptions {
    /// The folder for the files. It is made if it does not exist; files of the same days in it are replaced
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Bucket with the files [default: that of the stack]. For one that an earlier deploy or a deleted stack has left
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    bucket: Option<String>,
    #[command(flatten)]
    target: TargetOptions,
}

pub(super) async fn download(options: DownloadOptions) -> Result<ExitCode, BoxError> {
    let files = match &options.bucket {
        // Its stack may be gone.
        Some(bucket) => Files::new(&Account::find(&options.target).await?.config, bucket),
        None => files(&Stack::find(&options.target).await?)?,
    };
    let keys = files.list(FOLDER).await?;
    // A key that the export does not write could lead out of the folder.
    let keys: Vec<&String> = keys.iter().filter(|key| of_key(key).is_some()).collect();
    if keys.is_empty() {
        return Err(format!(
            "the bucket {} has no files yet: run `tableau-webhooks history export`",
            files.bucket()
        )
        .into());
    }
    for key in &keys {
        let Some(bytes) = files.get(key).await? else { continue };
        let path = options.to.join(key.trim_start_matches(FOLDER));
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, bytes));
        written.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    note(format!("{} in {}", counted(keys.len(), "file"), options.to.display()));
    Ok(ExitCode::SUCCESS)
}
