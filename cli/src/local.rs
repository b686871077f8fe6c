//! How other commands find the local stack: its address, and the keys of its present run.
//!
//! `up` writes address and keys, which are new in each run, into a file that only this user can read, and deletes the
//! file at the end. A process that is killed leaves its file behind; it is recognised because nothing listens at its
//! address.

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

/// The folder for these files, inside the user's state folder.
const FOLDER: &str = "tableau-webhooks";
const PREFIX: &str = "local-stack-";
const SUFFIX: &str = ".json";
/// The timeout for connecting to a local stack: more than a connection on one machine takes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A local stack that is running. It has no `Debug`, because everything except the addresses is secret.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct LocalStack {
    /// The address of the HTTP API.
    pub(crate) api: SocketAddr,
    /// The address of the AWS services.
    pub(crate) aws: SocketAddr,
    /// The token in webhook URLs when the stack started.
    pub(crate) webhook_token: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: String,
}

impl LocalStack {
    /// The webhook URL of the local stack, with this token or else the one that it had at the start.
    pub(crate) fn webhook_url(&self, token: Option<&str>) -> Result<Url, url::ParseError> {
        let token = token.unwrap_or(&self.webhook_token);
        format!("http://{}/webhook?token={token}", self.api).parse()
    }

    /// The value of `AWS_ENDPOINT_URL`.
    pub(crate) fn aws_url(&self) -> String {
        format!("http://{}", self.aws)
    }

    /// Whether something listens at the stack's address.
    fn is_up(&self) -> bool {
        TcpStream::connect_timeout(&self.aws, CONNECT_TIMEOUT).is_ok()
    }

    /// Lets other commands of this user find the stack, until the returned value is dropped.
    ///
    /// # Errors
    /// If the file cannot be written so that only this user can read it. The error names the folder or file and the
    /// problem.
    pub(crate) fn register(&self) -> io::Result<Registration> {
        let folder = folder().ok_or_else(|| io::Error::other("this user has no home folder"))?;
        make_private(&folder).map_err(|error| at("cannot create", &folder, &error))?;
        check_private(&folder).map_err(io::Error::other)?;
        for (path, other) in entries(&folder) {
            // This stack now uses the address, so another stack with the same address has ended.
            if other.is_none_or(|other| other.aws == self.aws || !other.is_up()) {
                remove(&path);
            }
        }
        // On Unix the file is readable only for this user from its creation on. Each run uses a new file name, so
        // that removing the file never removes that of a later run.
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

/// Adds the path to an I/O error; the standard library's errors lack it. A local path is no secret to its user.
fn at(what: &str, path: &Path, error: &io::Error) -> io::Error {
    // Some I/O errors already end with a path.
    let error = error.to_string();
    let error = error.split(" at path ").next().unwrap_or_default();
    io::Error::other(format!("{what} {}: {error}", path.display()))
}

/// Removes the file when dropped.
#[must_use]
pub(crate) struct Registration {
    path: PathBuf,
}

impl Drop for Registration {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Removes the file. A file that does not exist any more is no problem.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Finds the local stack at this address of its AWS services. Without an address: the only one that is running, or
/// the one at the default ports.
///
/// # Errors
/// What to do.
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

/// The address in a URL on this machine.
fn address(url: &Url) -> Option<SocketAddr> {
    if !is_loopback(url) {
        return None;
    }
    url.socket_addrs(|| None).ok()?.into_iter().find(SocketAddr::is_ipv4)
}

/// The files in a folder with their contents, newest first; `None` for a file that cannot be read.
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

/// The user's folder for data that programs keep between runs.
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

/// Creates the folder and removes other users' access to it.
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
    // On other systems, a user's own folders are not accessible to other users by default.
    #[cfg(not(unix))]
    builder.create(folder)
}

/// Checks that other users have no access to a folder. A folder that others can write to is not trusted with keys.
///
/// # Errors
/// The error names the folder, what is wrong with it, and what to do.
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
    // A user who may write into the parent folder can replace this folder.
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

/// On other systems, a user's own folders are not accessible to other users by default.
#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), String> {
    Ok(())
}

/// Whether the path is a folder that belongs to this user.
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

/// Whether this user wrote a file. A file that another user left there earlier is not trusted.
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
