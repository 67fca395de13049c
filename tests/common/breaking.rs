//! A proxy before a real server that hands each request on and breaks some of the answers, the same ones each time.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::dice::Dice;

/// No more answers are broken one after the other.
const MOST_IN_A_ROW: usize = 3;
/// How an answer is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// It ends somewhere.
    Cut,
    Status(&'static str),
    /// The connection is reset.
    Reset,
    /// It never comes.
    Silence,
}

const FAULTS: [Fault; 12] = [
    Fault::None,
    Fault::None,
    Fault::None,
    Fault::None,
    Fault::Cut,
    Fault::Cut,
    Fault::Status("500 Internal Server Error"),
    Fault::Status("502 Bad Gateway"),
    Fault::Status("503 Service Unavailable"),
    Fault::Status("429 Too Many Requests\r\nRetry-After: 0"),
    Fault::Reset,
    Fault::Silence,
];

struct Plan {
    dice: Dice,
    in_a_row: usize,
    silences: usize,
}

impl Plan {
    fn next(&mut self) -> Fault {
        let mut fault = FAULTS[self.dice.below(FAULTS.len())];
        // Each silence lasts as long as the client waits.
        if fault == Fault::Silence && self.silences == 0 {
            fault = Fault::Reset;
        }
        if self.in_a_row == MOST_IN_A_ROW {
            fault = Fault::None;
        }
        self.silences -= usize::from(fault == Fault::Silence);
        self.in_a_row = if fault == Fault::None { 0 } else { self.in_a_row + 1 };
        fault
    }
}

/// The address of a proxy before a server, and how many answers it broke so far. `edit` changes each request.
pub fn proxy(server: &str, seed: u64, edit: fn(String) -> String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = server.trim_start_matches("http://").to_owned();
    let broken = Arc::new(AtomicUsize::new(0));
    let count = broken.clone();
    let plan = Arc::new(Mutex::new(Plan { dice: Dice(seed), in_a_row: 0, silences: 1 }));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let (server, count, plan) = (server.clone(), count.clone(), plan.clone());
            std::thread::spawn(move || pass(stream, &server, &plan, &count, edit));
        }
    });
    (format!("http://{address}"), broken)
}

/// Hands one request on, and its answer back, whole or broken. A client that is gone is no matter.
fn pass(
    mut client: TcpStream,
    server: &str,
    plan: &Mutex<Plan>,
    count: &AtomicUsize,
    edit: fn(String) -> String,
) {
    let asked = edit(request(&mut client));
    // Each connection carries one request, so that the answer ends where the connection does.
    let asked = asked.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut upstream = TcpStream::connect(server).unwrap();
    upstream.write_all(asked.as_bytes()).unwrap();
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).unwrap();
    let (fault, part) = {
        let mut plan = plan.lock().unwrap();
        (plan.next(), plan.dice.below(answer.len()))
    };
    count.fetch_add(usize::from(fault != Fault::None), Ordering::Relaxed);
    match fault {
        Fault::None => drop(client.write_all(&answer)),
        Fault::Cut => drop(client.write_all(&answer[..part])),
        Fault::Status(status) => {
            drop(write!(client, "HTTP/1.1 {status}\r\nContent-Length: 6\r\n\r\n<html>"));
        }
        Fault::Reset => {
            let _ = client.write_all(&answer[..part.min(100)]);
            let now = Some(std::time::Duration::ZERO);
            rustix::net::sockopt::set_socket_linger(&client, now).unwrap();
        }
        // Until the client has gone.
        Fault::Silence => drop(client.read(&mut [0; 16])),
    }
}

pub fn request(stream: &mut impl Read) -> String {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap_or(0);
        text.extend_from_slice(&buffer[..count]);
        // A hello of TLS has no such end.
        if text.starts_with(&[22]) {
            return String::new();
        }
        let so_far = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else {
            if count == 0 {
                return so_far;
            }
            continue;
        };
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        if count == 0 || body.len() >= length.unwrap_or(0) {
            return so_far;
        }
    }
}
