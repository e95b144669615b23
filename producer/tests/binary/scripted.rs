//! A queue service with scripted answers: a minimal HTTP server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The reaction to one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// Accept the message.
    Take,
    /// Refuse it: status, and the service's error code.
    Refuse(u16, &'static str),
    /// Read it and close the connection.
    CutOff,
    /// Read it and never answer.
    Hang,
}

/// The server. Its threads end with the test process.
pub(crate) struct Scripted {
    pub(crate) endpoint: String,
    bodies: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Answers request `n` (from 0, over all connections) with `script(n, body)`.
    pub(crate) fn start(script: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/devstoreaccount1", listener.local_addr().unwrap());
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let (script, kept) = (Arc::new(script), bodies.clone());
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (script, kept) = (script.clone(), kept.clone());
                thread::spawn(move || serve(&connection, &*script, &kept));
            }
        });
        Self { endpoint, bodies }
    }

    /// The bodies of all requests, in order.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}

fn serve(
    connection: &TcpStream,
    script: &dyn Fn(usize, &str) -> Answer,
    bodies: &Mutex<Vec<String>>,
) {
    let mut reader = BufReader::new(connection);
    while let Some(body) = request(&mut reader) {
        let n = {
            let mut bodies = bodies.lock().unwrap();
            bodies.push(body.clone());
            bodies.len() - 1
        };
        let answered = match script(n, &body) {
            Answer::Take => answer(connection, 201, ""),
            Answer::Refuse(status, code) => answer(connection, status, code),
            Answer::CutOff => return,
            Answer::Hang => {
                // Until the client closes the connection.
                drop(reader.read(&mut [0]));
                return;
            }
        };
        if answered.is_err() {
            return;
        }
    }
}

/// The body of the next request; `None` when there is none.
fn request(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}

fn answer(mut connection: &TcpStream, status: u16, code: &str) -> std::io::Result<()> {
    let body = if code.is_empty() {
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><QueueMessagesList></QueueMessagesList>"
            .to_owned()
    } else {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>As scripted.</Message></Error>"
        )
    };
    let code = if code.is_empty() {
        String::new()
    } else {
        format!("x-ms-error-code: {code}\r\n")
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: application/xml\r\n{code}content-length: {length}\r\n\r\n"
    );
    connection.write_all(format!("{head}{body}").as_bytes())
}
