//! An AWS emulator, `ministack`, on loopback for as long as it is needed.

use super::python::TOOLS;
use crate::repository::{Problem, Repository};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// It is ready within a second or two on an idle machine.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How long it may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// Whether the emulator asks for permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Iam {
    /// Every caller may do anything.
    Off,
    /// A call needs a policy that allows it, those of functions included.
    Enforced,
}

/// A running emulator; ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Emulator {
    process: Child,
    port: u16,
    /// Its log and whatever else it writes.
    folder: TempDir,
}

impl Emulator {
    /// Starts one and waits until it answers.
    pub(crate) fn start(repository: &Repository, iam: Iam) -> Result<Self, Problem> {
        let folder = tempfile::tempdir()?;
        let log = File::create(folder.path().join("log"))?;
        let port = free_port()?;
        let mut command = repository.program(TOOLS.tool(repository, "ministack"));
        // The emulator gets nothing else of our environment: no real credentials, no personal settings.
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(["HOME", "TMPDIR"].map(|name| (name, folder.path())));
        command.envs([
            ("BIND_HOST", "127.0.0.1"),
            ("IOT_MTLS_ENABLED", "0"),
            ("SFTP_ENABLED", "0"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ]);
        command.env("GATEWAY_PORT", port.to_string());
        // Functions run with the emulator's environment and what the template adds: nothing else can hide a missing setting.
        command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
        if iam == Iam::Enforced {
            command.env("AUTH", "true");
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let process = command.spawn().map_err(|error| format!("cannot start ministack: {error}"))?;
        let mut emulator = Self { process, port, folder };
        match emulator.wait() {
            Ok(()) => Ok(emulator),
            Err(problem) => Err(emulator.explain(problem)),
        }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Prints the last lines of the emulator's log, and gives the problem back.
    pub(crate) fn explain(&self, problem: Problem) -> Problem {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        eprintln!("the emulator's last lines:");
        lines.iter().skip(lines.len().saturating_sub(20)).for_each(|line| eprintln!("  {line}"));
        problem
    }

    fn wait(&mut self) -> Result<(), Problem> {
        let start = Instant::now();
        while start.elapsed() < READY_WITHIN {
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("ministack ended with {status}").into());
            }
            if is_healthy(self.port) {
                println!("ministack answers at {} after {:.1} s", self.url(), start.elapsed().as_secs_f64());
                return Ok(());
            }
            sleep(Duration::from_millis(100));
        }
        Err(format!("ministack does not answer within {} s", READY_WITHIN.as_secs()).into())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // On SIGTERM it ends its functions' processes first; SIGKILL would leave them running. If this fails, it has ended.
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        let start = Instant::now();
        while asked.is_ok() && start.elapsed() < ENDS_WITHIN && matches!(self.process.try_wait(), Ok(None)) {
            sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port without a listener. If another program takes it before the emulator does, the emulator says so and ends.
fn free_port() -> Result<u16, Problem> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether the health page is there; any failure means "not yet".
fn is_healthy(port: u16) -> bool {
    let second = Duration::from_secs(1);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, second) else { return false };
    let request = "GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let mut status = [0; 12];
    let exchange = stream
        .set_read_timeout(Some(second))
        .and_then(|()| stream.write_all(request.as_bytes()))
        .and_then(|()| stream.read_exact(&mut status));
    exchange.is_ok() && &status == b"HTTP/1.1 200"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn answers(head: &'static str) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 512]).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
        });
        port
    }

    #[test]
    fn only_a_200_is_healthy() {
        assert!(is_healthy(answers("HTTP/1.1 200 OK\r\n\r\n{}")));
        assert!(!is_healthy(answers("HTTP/1.1 503 Service Unavailable\r\n\r\n")));
        assert!(!is_healthy(answers("")));
        assert!(!is_healthy(free_port().unwrap()));
    }
}
