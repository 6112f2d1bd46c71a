//! A running emulator.

use super::until;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A process that prints its port on 127.0.0.1 as its first line, and ends when its standard input ends. So it ends
/// when this value is dropped, and also when the tests are killed.
pub struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts the process and waits until it accepts connections.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut server = Self { child, port: 0 };
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            let _ = sender.send(read.map(|_| line));
        });
        let line =
            receiver.recv_timeout(Duration::from_secs(300)).expect("an emulator prints its port within five minutes");
        let line = line.unwrap();
        server.port = line.trim().parse().unwrap_or_else(|_| panic!("{command:?} printed '{line}' instead of a port"));
        until("the emulator accepts connections", || TcpStream::connect(("127.0.0.1", server.port)).ok());
        server
    }

    /// The server's address.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The server's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    /// Ends the process by its standard input, so that it can end its own children. Kills it if that takes too long.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until("the emulator has ended", || self.child.try_wait().unwrap());
        }));
        if ended.is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
