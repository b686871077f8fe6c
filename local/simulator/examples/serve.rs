//! Runs the Tableau simulator alone. The first argument is the port; 8091 by default.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use simulator::{SAMPLE_CONTENT_URL, SAMPLE_PAT, TableauSimulator};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8091".to_owned());
    let Ok(port) = port.parse() else {
        eprintln!("'{port}' is no port");
        return ExitCode::FAILURE;
    };
    match start(port).await {
        Ok(tableau) => {
            println!("{}", welcome(&tableau));
            std::future::pending().await
        }
        Err(error) => {
            eprintln!(
                "cannot listen on port {port}: {error}; is the local stack up? another port may follow `--`"
            );
            ExitCode::FAILURE
        }
    }
}

pub(crate) async fn start(port: u16) -> io::Result<TableauSimulator> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    // A refresh that was requested over REST ends by itself after 2 s.
    TableauSimulator::sample().address(address).refreshes_take(Duration::from_secs(2)).start().await
}

pub(crate) fn welcome(tableau: &TableauSimulator) -> String {
    let (url, (name, secret)) = (tableau.url(), SAMPLE_PAT);
    format!(
        "Tableau, simulated, at {url}; Ctrl-C ends it.\n\
         Sign in with the token {name}, its secret {secret}, to the site {SAMPLE_CONTENT_URL}.\n\
         What is inside, and buttons to press: {url}/simulator"
    )
}
