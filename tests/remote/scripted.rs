//! A server with a scripted reply for each route.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a server does with a request.
#[derive(Clone)]
pub enum Reply {
    /// Answers with a status line, further headers if there are any, and a body.
    Answer(&'static str, String),
    /// Sends fewer bytes than it promised.
    Half,
    /// Closes the connection without a word.
    Nothing,
    /// Waits until the test lets it go on, and answers then.
    Held(Arc<AtomicBool>, String),
    /// Answers, and listens no more.
    Last(String),
}

/// A server with a reply for each route, and what it was asked.
pub struct Scripted {
    pub address: String,
    pub requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    pub fn start(routes: &[(&'static str, Reply)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (routes, seen) = (routes.to_vec(), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = request(&mut stream);
                let route =
                    routes.iter().find(|(route, _)| request.contains(&format!(" {route} ")));
                let reply = route.map(|(_, reply)| reply.clone());
                seen.lock().unwrap().push(request);
                match reply {
                    Some(Reply::Last(body)) => {
                        drop(listener);
                        return send(&mut stream, "200 OK", &body);
                    }
                    // The others are answered while this one waits.
                    reply => drop(std::thread::spawn(move || answer(&mut stream, reply))),
                }
            }
        });
        Scripted { address, requests }
    }

    /// The bodies that were sent to a route.
    pub fn asked(&self, route: &str) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let those = requests.iter().filter(|request| request.contains(&format!(" {route} ")));
        those.map(|request| request.split_once("\r\n\r\n").unwrap().1.to_owned()).collect()
    }
}

fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).unwrap_or(0);
        text += std::str::from_utf8(&buffer[..count]).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(count > 0, "half a request: {text}");
            continue;
        };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
            return text;
        }
    }
}

fn answer(stream: &mut TcpStream, reply: Option<Reply>) {
    match reply {
        None => send(stream, "404 Not Found", r#"{"detail": "Not Found"}"#),
        Some(Reply::Answer(head, body)) => send(stream, head, &body),
        Some(Reply::Half) => {
            let _ =
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{{\"status\": \"succ");
        }
        Some(Reply::Nothing) => {}
        Some(Reply::Held(go, body)) => {
            while !go.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
            send(stream, "200 OK", &body);
        }
        Some(Reply::Last(_)) => unreachable!("answered by the loop"),
    }
}

fn send(stream: &mut TcpStream, head: &str, body: &str) {
    let length = body.len();
    // The client may have gone.
    let _ = write!(
        stream,
        "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
}
