//! The local stack as other commands find it: where it is, and the keys of its run.
//!
//! `up` writes them into a file of the user's own, since they are new in each run, and removes it at the end. A process that is
//! killed leaves its file behind; such a file is taken for what it is, because nothing listens at its address any more.

use crate::http::is_loopback;
use crate::program;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tempfile::NamedTempFile;
use url::Url;
use workflow::BoxError;

/// The folder with the files, in the one for state.
const FOLDER: &str = "tableau-webhooks";
const PREFIX: &str = "local-stack-";
const SUFFIX: &str = ".json";
/// More than a connection on one machine takes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A local stack that runs. It has no `Debug`: everything in it but the addresses is secret.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct LocalStack {
    /// Where the HTTP API listens.
    pub(crate) api: SocketAddr,
    /// Where the AWS services listen.
    pub(crate) aws: SocketAddr,
    /// The token in the URLs of webhooks.
    pub(crate) webhook_token: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
}

impl LocalStack {
    /// The URL that a webhook would have.
    pub(crate) fn webhook_url(&self) -> Result<Url, url::ParseError> {
        format!("http://{}/webhook?token={}", self.api, self.webhook_token).parse()
    }

    /// The value of `AWS_ENDPOINT_URL`.
    pub(crate) fn aws_url(&self) -> String {
        format!("http://{}", self.aws)
    }

    /// Whether something listens at its address.
    fn is_up(&self) -> bool {
        TcpStream::connect_timeout(&self.aws, CONNECT_TIMEOUT).is_ok()
    }

    /// Lets other commands of this user find the stack, until the answer is dropped.
    ///
    /// # Errors
    /// When the file cannot be written where only this user can read it: names the folder or file, and what is wrong.
    pub(crate) fn register(&self) -> io::Result<Registration> {
        let folder = folder().ok_or_else(|| io::Error::other("this user has no home folder"))?;
        make_private(&folder).map_err(|error| at("cannot create", &folder, &error))?;
        check_private(&folder).map_err(io::Error::other)?;
        for (path, other) in entries(&folder) {
            // This stack has the address now, so that whatever said the same is over.
            if other.is_none_or(|other| other.aws == self.aws || !other.is_up()) {
                remove(&path);
            }
        }
        // On Unix only this user can read the file, from the moment it is there. Its name is its own: what removes it
        // removes no successor.
        let mut file =
            NamedTempFile::new_in(&folder).map_err(|error| at("cannot write to", &folder, &error))?;
        let text = serde_json::to_string(self)?;
        file.write_all(text.as_bytes()).map_err(|error| at("cannot write to", &folder, &error))?;
        let port = self.aws.port();
        let path = folder.join(format!("{PREFIX}{port}-{}{SUFFIX}", std::process::id()));
        file.persist(&path).map_err(|error| at("cannot write", &path, &error.error))?;
        Ok(Registration { path })
    }
}

/// The error with the path that it is about, which those of the standard library leave out. A path of this machine is no
/// secret to its user.
fn at(what: &str, path: &Path, error: &io::Error) -> io::Error {
    // Some have a path of their own at their end.
    let error = error.to_string();
    let error = error.split(" at path ").next().unwrap_or_default();
    io::Error::other(format!("{what} {}: {error}", path.display()))
}

/// Removes the file at its end.
#[must_use]
pub(crate) struct Registration {
    path: PathBuf,
}

impl Drop for Registration {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// A file that is gone already is as good.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

/// The local stack at this address of its AWS services; without one the only one there is, or the one at the usual ports.
///
/// # Errors
/// A sentence that says what to do.
pub(crate) fn find(aws_url: Option<&Url>, usual_port: u16) -> Result<LocalStack, BoxError> {
    let start = format!("`{}` starts one", program::start());
    let folder = folder().filter(|folder| fs::symlink_metadata(folder).is_ok());
    folder.as_deref().map_or(Ok(()), check_private)?;
    let entries = folder.map(|folder| entries(&folder)).unwrap_or_default();
    let mut stacks: Vec<LocalStack> = entries.into_iter().filter_map(|(_, stack)| stack).collect();
    stacks.retain(LocalStack::is_up);
    if let Some(url) = aws_url {
        let others: Vec<String> = stacks.iter().map(LocalStack::aws_url).collect();
        let found = stacks.into_iter().find(|stack| address(url) == Some(stack.aws));
        let origin = url.origin().ascii_serialization();
        return found.ok_or_else(|| match others.as_slice() {
            [] => format!("no local stack of yours is up at {origin}; {start}").into(),
            [only] => format!("no local stack of yours is up at {origin}; one is up at {only}").into(),
            several => {
                format!("no local stack of yours is up at {origin}; these are up: {}", several.join(", "))
                    .into()
            }
        });
    }
    if let Some(usual) = stacks.iter().find(|stack| stack.aws.port() == usual_port) {
        return Ok(usual.clone());
    }
    match stacks.as_slice() {
        [] => Err(format!("no local stack of yours is up; {start}").into()),
        [only] => Ok(only.clone()),
        several => {
            let several: Vec<String> = several.iter().map(LocalStack::aws_url).collect();
            let several = several.join(", ");
            Err(format!("several local stacks are up; choose one with --endpoint-url: {several}").into())
        }
    }
}

/// The address of a URL on this machine.
fn address(url: &Url) -> Option<SocketAddr> {
    if !is_loopback(url) {
        return None;
    }
    url.socket_addrs(|| None).ok()?.into_iter().find(SocketAddr::is_ipv4)
}

/// The files of a folder with what they hold, the newest first; none in place of what cannot be read.
fn entries(folder: &Path) -> Vec<(PathBuf, Option<LocalStack>)> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_ours = |name: &str| name.starts_with(PREFIX) && name.ends_with(SUFFIX);
    let files = files.filter(|file| file.file_name().to_str().is_some_and(is_ours));
    let written = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
    let mut entries: Vec<(SystemTime, PathBuf)> =
        files.map(|file| (written(&file.path()).unwrap_or(SystemTime::UNIX_EPOCH), file.path())).collect();
    entries.sort_by(|one, other| other.cmp(one));
    let read = |path: &Path| crate::files::text(path).ok().filter(|_| is_own(path));
    let stack = |path: &Path| serde_json::from_str(&read(path)?).ok();
    entries.into_iter().map(|(_, path)| (path.clone(), stack(&path))).collect()
}

/// The user's own folder for what programs keep from one run to the next.
///
/// Source: <https://specifications.freedesktop.org/basedir-spec/latest/>
fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let of_windows = || absolute("LOCALAPPDATA").filter(|_| cfg!(windows));
    let of_home =
        || std::env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(".local/state"));
    let state = absolute("XDG_STATE_HOME").or_else(of_windows).or_else(of_home)?;
    Some(state.join(FOLDER))
}

/// Makes the folder, and closes it to others.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
        builder.mode(0o700).create(folder)?;
        check_owner(folder).map_err(io::Error::other)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
    }
    // Elsewhere the user's own folders are closed to others as they are.
    #[cfg(not(unix))]
    builder.create(folder)
}

/// Whether others are kept out of a folder: what they could write there is not believed, and gets no keys.
///
/// # Errors
/// A sentence that names the folder, what is wrong with it, and what to do.
#[cfg(unix)]
fn check_private(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    const STICKY: u32 = 0o1000;
    check_owner(folder)?;
    let mode = |path: &Path| fs::metadata(path).map(|metadata| metadata.mode()).map_err(|e| unseen(path, &e));
    let own = mode(folder)?;
    if own & 0o077 != 0 {
        return Err(format!(
            "{} is open to other users (mode {:04o}), so its files are not used: run `chmod 700 {0}`, then start the local \
             stack again",
            folder.display(),
            own & 0o7777
        ));
    }
    // Who may write into the folder above can put another in its place.
    let Some(above) = folder.parent() else { return Ok(()) };
    let mode = mode(above)?;
    if mode & 0o002 != 0 && mode & STICKY == 0 {
        return Err(format!(
            "every user may write into {} (mode {:04o}), so the files of local stacks in it are not used: run \
             `chmod o-w {0}`, then start the local stack again",
            above.display(),
            mode & 0o7777
        ));
    }
    Ok(())
}

/// Elsewhere the user's own folders are closed to others as they are.
#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), String> {
    Ok(())
}

/// Whether it is a folder, and this user's.
#[cfg(unix)]
fn check_owner(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::symlink_metadata(folder).map_err(|error| unseen(folder, &error))?;
    let user = rustix::process::geteuid().as_raw();
    let wrong = if metadata.is_symlink() {
        "is a symbolic link"
    } else if !metadata.is_dir() {
        "is not a folder"
    } else if metadata.uid() != user {
        "belongs to another user"
    } else {
        return Ok(());
    };
    Err(format!(
        "{} {wrong}, so its files are not used: remove it, or set XDG_STATE_HOME to a folder of your own, then start the \
         local stack again",
        folder.display()
    ))
}

#[cfg(unix)]
fn unseen(path: &Path, error: &io::Error) -> String {
    format!("cannot see who may write into {}: {error}", path.display())
}

/// Whether this user wrote a file: one that others left behind before the folder was closed to them is not believed.
#[cfg(unix)]
fn is_own(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let user = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.uid() == user)
}

#[cfg(not(unix))]
fn is_own(file: &Path) -> bool {
    file.is_file()
}
