//! Random sequences of operations of the Queue service.

use crate::{
    answer::Answer,
    both::{Ask, Both, Side, on_runtime, queues},
    known,
    random::{Random, seeds},
};

const OPERATIONS: usize = 60;

/// A message with one side's ids.
#[derive(Debug, Clone)]
struct Held {
    id: String,
    receipt: String,
}

/// One sequence: the state of both sides so far.
struct Sequence {
    random: Random,
    both: Both,
    prefix: String,
    /// Messages that were put or received, in pairs: Azurite's, then the engine's.
    held: Vec<(Held, Held)>,
    put: usize,
}

#[test]
fn random_sequences_of_queue_operations_are_answered_alike() {
    let both = queues();
    let mut found = Vec::new();
    for seed in seeds(0..12) {
        let both = both.clone();
        on_runtime(async {
            let mut sequence = Sequence {
                random: Random::new(seed),
                both,
                prefix: format!("q{seed}x"),
                held: Vec::new(),
                put: 0,
            };
            for step in 0..OPERATIONS {
                let going_on = sequence.step(&mut found, seed, step).await;
                if !going_on {
                    break;
                }
            }
        });
    }
    conclude(&found);
}

impl Sequence {
    fn queue(&mut self) -> String {
        let names = ["", "a", "a", "a", "b", "-bad", "UP", "x--y"];
        let name = *self.random.pick(&names);
        if name.is_empty() {
            return "ab".to_owned();
        }
        format!("{}{name}", self.prefix)
    }

    /// Runs one operation on both sides; returns whether the sequence may continue.
    async fn step(&mut self, found: &mut Vec<String>, seed: u64, step: usize) -> bool {
        let queue = self.queue();
        let path = format!("{queue}/messages");
        let asks = match self.random.below(14) {
            0 | 1 => self.create(&queue),
            2 if self.random.one_in(3) => alike(Ask::new("DELETE", &queue)),
            3 => alike(Ask::new("GET", &queue).query("comp=metadata")),
            4 => {
                let value = *self.random.pick(&["1", "two words", "x;y"]);
                let ask = Ask::new("PUT", &queue).query("comp=metadata");
                alike(ask.header("x-ms-meta-color", value))
            }
            5..=7 => self.put(&path),
            8 | 9 => {
                let visibility = *self.random.pick(&[
                    "",
                    "&visibilitytimeout=100",
                    "&visibilitytimeout=0",
                    "&visibilitytimeout=604801",
                ]);
                alike(Ask::new("GET", &path).query(format!("numofmessages=32{visibility}")))
            }
            10 => {
                let most = *self.random.pick(&["32", "0", "33", "-1"]);
                alike(Ask::new("GET", &path).query(format!("peekonly=true&numofmessages={most}")))
            }
            11 => self.update(&path),
            12 => self.delete(&path),
            _ => self.other(&queue, &path),
        };
        let azurite = self.both.azurite.ask(&asks.0).await;
        let engine = self.both.engine.ask(&asks.1).await;
        self.remember(&azurite, &engine);
        judge(
            found,
            &format!("seed {seed}, step {step}"),
            &asks.1,
            &azurite,
            &engine,
        )
    }

    fn create(&mut self, queue: &str) -> (Ask, Ask) {
        let mut ask = Ask::new("PUT", queue);
        if self.random.one_in(4) {
            ask = ask.header("x-ms-meta-color", "blue");
        }
        alike(ask)
    }

    fn put(&mut self, path: &str) -> (Ask, Ask) {
        self.put += 1;
        let texts = [
            "plain",
            "&lt;&amp;&gt;",
            "é日本",
            "  spaces  ",
            "line\nbreak",
            "",
        ];
        let text = format!("{} {}", self.put, self.random.pick(&texts));
        let query = *self.random.pick(&[
            "",
            "",
            "",
            "messagettl=-1",
            "messagettl=100&visibilitytimeout=50",
            "messagettl=0",
            "messagettl=-2",
            "messagettl=10&visibilitytimeout=10",
            "visibilitytimeout=604801",
        ]);
        let body = match self.random.below(12) {
            0 => "<QueueMessage></QueueMessage>".to_owned(),
            1 => "<QueueMessage><MessageText>".to_owned(),
            _ => format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>"),
        };
        let ask = Ask::new("POST", path).query(query);
        alike(ask.header("content-type", "application/xml").body(body))
    }

    /// One of the messages, with its own receipt on each side, or with an invalid one.
    fn named(&mut self) -> Option<((String, String), (String, String))> {
        if self.held.is_empty() {
            return None;
        }
        let index = self.random.below(self.held.len());
        let (azurite, engine) = self.held[index].clone();
        let garbage = self.random.one_in(5);
        let pair = |held: Held| {
            let receipt = if garbage {
                "garbage".to_owned()
            } else {
                escaped(&held.receipt)
            };
            (held.id, receipt)
        };
        Some((pair(azurite), pair(engine)))
    }

    fn update(&mut self, path: &str) -> (Ask, Ask) {
        let Some((azurite, engine)) = self.named() else {
            return alike(Ask::new("GET", path));
        };
        let timeout = *self.random.pick(&["0", "100", "604801", "-1"]);
        let text = self.random.one_in(2);
        let ask = |(id, receipt): (String, String)| {
            let query = format!("popreceipt={receipt}&visibilitytimeout={timeout}");
            let ask = Ask::new("PUT", format!("{path}/{id}")).query(query);
            let body = if text {
                "<QueueMessage><MessageText>changed</MessageText></QueueMessage>"
            } else {
                ""
            };
            ask.header("content-type", "application/xml").body(body)
        };
        (ask(azurite), ask(engine))
    }

    fn delete(&mut self, path: &str) -> (Ask, Ask) {
        let Some((azurite, engine)) = self.named() else {
            return alike(Ask::new("GET", path));
        };
        let ask = |(id, receipt): (String, String)| {
            let query = format!("popreceipt={receipt}");
            Ask::new("DELETE", format!("{path}/{id}")).query(query)
        };
        (ask(azurite), ask(engine))
    }

    fn other(&mut self, queue: &str, path: &str) -> (Ask, Ask) {
        const POLICY: &str = "<SignedIdentifiers><SignedIdentifier><Id>one</Id><AccessPolicy><Start>2026-01-01T00:00:00Z</Start><Expiry>2027-01-01T00:00:00Z</Expiry><Permission>raup</Permission></AccessPolicy></SignedIdentifier></SignedIdentifiers>";
        alike(match self.random.below(4) {
            0 => Ask::new("DELETE", path),
            1 => {
                let most = *self.random.pick(&["1", "5000", "0"]);
                let query = format!("comp=list&prefix={}&maxresults={most}", self.prefix);
                Ask::new("GET", "").query(query)
            }
            2 => Ask::new("PUT", queue).query("comp=acl").body(POLICY),
            _ => Ask::new("GET", queue).query("comp=acl"),
        })
    }

    /// Stores ids and receipts from both sides' answers about the same messages.
    fn remember(&mut self, azurite: &Answer, engine: &Answer) {
        let messages = |answer: &Answer| {
            let receipts = answer.elements("PopReceipt");
            let mut held: Vec<(String, Held)> = answer
                .elements("MessageId")
                .into_iter()
                .zip(receipts)
                .enumerate()
                .map(|(index, (id, receipt))| {
                    let text = answer
                        .elements("MessageText")
                        .get(index)
                        .copied()
                        .unwrap_or_default();
                    let held = Held {
                        id: id.to_owned(),
                        receipt: receipt.to_owned(),
                    };
                    (text.to_owned(), held)
                })
                .collect();
            held.sort_by(|a, b| a.0.cmp(&b.0));
            held
        };
        let pairs = messages(azurite).into_iter().zip(messages(engine));
        self.held.extend(pairs.map(|(a, b)| (a.1, b.1)));
    }
}

fn escaped(text: &str) -> String {
    text.replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}

fn alike(ask: Ask) -> (Ask, Ask) {
    (ask.clone(), ask)
}

/// Compares two answers; returns whether the sequence may continue. An unknown difference is recorded, and ends the sequence.
pub(crate) fn judge(
    found: &mut Vec<String>,
    at: &str,
    ask: &Ask,
    azurite: &Answer,
    engine: &Answer,
) -> bool {
    if azurite.seen() == engine.seen() {
        return true;
    }
    if let Some(known) = known::find(ask, azurite, engine) {
        return !known.diverges;
    }
    let differing = azurite
        .seen()
        .into_iter()
        .zip(engine.seen())
        .filter(|(a, b)| a != b);
    let differing: Vec<String> = differing
        .map(|(a, b)| format!("  Azurite {a}\n  engine  {b}"))
        .collect();
    found.push(format!(
        "{at}: {} {}?{} {:?} {}\n{}\n  Azurite says {}\n  engine says  {}",
        ask.method,
        ask.path,
        ask.query,
        ask.headers,
        ask.body,
        differing.join("\n"),
        azurite.body,
        engine.body
    ));
    false
}

/// Fails with all unknown differences that were found.
pub(crate) fn conclude(found: &[String]) {
    assert!(
        found.is_empty(),
        "{} unknown differences:\n{}",
        found.len(),
        found.join("\n\n")
    );
}

#[test]
fn messages_that_nobody_returns_come_in_the_order_of_their_puts_on_both_sides() {
    async fn received(side: &Side) -> Vec<String> {
        side.ask(&Ask::new("PUT", "in-order")).await;
        for number in 0..40 {
            let body = format!("<QueueMessage><MessageText>{number}</MessageText></QueueMessage>");
            side.ask(&Ask::new("POST", "in-order/messages").body(body))
                .await;
        }
        let mut texts = Vec::new();
        for _ in 0..8 {
            let answer = side
                .ask(&Ask::new("GET", "in-order/messages").query("numofmessages=5"))
                .await;
            texts.extend(
                answer
                    .elements("MessageText")
                    .into_iter()
                    .map(str::to_owned),
            );
        }
        texts
    }
    let both = queues();
    on_runtime(async {
        let expected: Vec<String> = (0..40).map(|number: u32| number.to_string()).collect();
        assert_eq!(received(&both.azurite).await, expected);
        assert_eq!(received(&both.engine).await, expected);
    });
}
