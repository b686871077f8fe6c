//! A person at a terminal who is asked a question.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::process::Command;

/// A program at a terminal that has asked a question.
pub(crate) struct Asked {
    child: std::process::Child,
    master: File,
    shown: Vec<u8>,
}

impl Asked {
    /// Starts the program, and reads up to its question.
    pub(crate) fn start(mut command: Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
        command.stdin(terminal.try_clone().unwrap()).stdout(terminal.try_clone().unwrap()).stderr(terminal);
        let child = command.spawn().unwrap();
        // It holds the other side of the terminal.
        drop(command);
        let mut asked = Self { child, master: File::from(master), shown: Vec::new() };
        while !asked.shown().contains("[y/N]") && asked.read() {}
        asked
    }

    fn read(&mut self) -> bool {
        let mut buffer = [0; 4096];
        // The end is an error here: nothing has the other side open any more.
        let Ok(read @ 1..) = self.master.read(&mut buffer) else { return false };
        self.shown.extend_from_slice(&buffer[..read]);
        true
    }

    fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown).replace("\r\n", "\n")
    }

    /// Types an answer, and gives all that was shown, and the exit code.
    pub(crate) fn answer(mut self, answer: &str) -> (String, Option<i32>) {
        self.master.write_all(format!("{answer}\n").as_bytes()).unwrap();
        while self.read() {}
        let code = self.child.wait().unwrap().code();
        (self.shown(), code)
    }
}
