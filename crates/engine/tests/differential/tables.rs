//! Random sequences of operations of the Table service.

use serde_json::{Map, Value as Json, json};

use crate::{
    answer::Answer,
    both::{Ask, Both, on_runtime, tables},
    filters::filter,
    queues::{conclude, judge},
    random::{Random, seeds},
};

const OPERATIONS: usize = 60;
const JSON: &str = "application/json";

/// A version of an entity: Azurite's, then the engine's.
type Versions = (String, String);

struct Sequence {
    random: Random,
    both: Both,
    table: String,
    versions: Vec<Versions>,
}

#[test]
fn random_sequences_of_table_operations_are_answered_alike() {
    let both = tables();
    let mut found = Vec::new();
    for seed in seeds(0..12) {
        let both = both.clone();
        on_runtime(async {
            let mut sequence = Sequence {
                random: Random::new(seed),
                both,
                table: format!("t{seed}x"),
                versions: Vec::new(),
            };
            let create = Ask::new("POST", "Tables").header("content-type", JSON);
            let create = create
                .header("accept", JSON)
                .body(json!({"TableName": sequence.table}).to_string());
            sequence.both.azurite.ask(&create).await;
            sequence.both.engine.ask(&create).await;
            for step in 0..OPERATIONS {
                if !sequence.step(&mut found, seed, step).await {
                    break;
                }
            }
        });
    }
    conclude(&found);
}

impl Sequence {
    async fn step(&mut self, found: &mut Vec<String>, seed: u64, step: usize) -> bool {
        let (azurite, engine) = match self.random.below(16) {
            0 => self.of_table(),
            1..=3 => self.insert(),
            4 | 5 => self.get(),
            6..=9 => self.change(),
            10 => self.delete(),
            11..=13 => self.query(),
            _ => self.batch(),
        };
        let answers = (
            self.both.azurite.ask(&azurite).await,
            self.both.engine.ask(&engine).await,
        );
        self.remember(&answers.0, &answers.1);
        judge(
            found,
            &format!("seed {seed}, step {step}"),
            &engine,
            &answers.0,
            &answers.1,
        )
    }

    fn remember(&mut self, azurite: &Answer, engine: &Answer) {
        if let (Some(a), Some(b)) = (azurite.header("etag"), engine.header("etag")) {
            self.versions.push((a.to_owned(), b.to_owned()));
        }
    }

    fn key(&mut self) -> (String, String) {
        let partition = *self.random.pick(&["p", "p", "p", "q", "it's"]);
        let row = *self
            .random
            .pick(&["r1", "r2", "r3", "r4", "a b", "x+y", "é"]);
        (partition.to_owned(), row.to_owned())
    }

    fn properties(&mut self) -> Map<String, Json> {
        let mut members = Map::new();
        let random = &mut self.random;
        for _ in 0..random.below(5) {
            let (name, value, of) = match random.below(9) {
                0 => ("Number", json!(*random.pick(&[0, 1, 7, -3])), None),
                1 => (
                    "Big",
                    json!(*random.pick(&["5", "9007199254740993", "-1"])),
                    Some("Edm.Int64"),
                ),
                2 => ("Half", json!(*random.pick(&[0.5, -2.25, 1e10])), None),
                3 => (
                    "Text",
                    json!(*random.pick(&["a", "b c", "it's", "", "\"<é>\n"])),
                    None,
                ),
                4 => ("Yes", json!(random.one_in(2)), None),
                5 => (
                    "At",
                    json!(*random.pick(&["2026-01-01T00:00:00Z", "2027-01-01T00:00:00.5Z"])),
                    Some("Edm.DateTime"),
                ),
                6 => (
                    "Id",
                    json!("a455c695-df98-5678-aaaa-81d3367e5a34"),
                    Some("Edm.Guid"),
                ),
                7 => ("Raw", json!("AAEC/w=="), Some("Edm.Binary")),
                _ => (
                    "Special",
                    json!(*random.pick(&["NaN", "Infinity", "-Infinity"])),
                    Some("Edm.Double"),
                ),
            };
            members.insert(name.to_owned(), value);
            if let Some(of) = of {
                members.insert(format!("{name}@odata.type"), json!(of));
            }
        }
        members
    }

    fn body(&mut self, keys: Option<&(String, String)>) -> String {
        let mut members = self.properties();
        if let Some((partition, row)) = keys {
            members.insert("PartitionKey".into(), json!(partition));
            members.insert("RowKey".into(), json!(row));
        }
        Json::Object(members).to_string()
    }

    fn accept(&mut self) -> &'static str {
        const FORMATS: [&str; 4] = [
            "application/json",
            "application/json;odata=nometadata",
            "application/json;odata=minimalmetadata",
            "application/json;odata=fullmetadata",
        ];
        FORMATS[self.random.below(FORMATS.len())]
    }

    fn of_table(&mut self) -> (Ask, Ask) {
        let ask = match self.random.below(5) {
            0 => {
                let name = *self.random.pick(&["a", "1abc", "a-b"]);
                let create = Ask::new("POST", "Tables").header("content-type", JSON);
                create.body(json!({"TableName": name}).to_string())
            }
            1 => {
                let create = Ask::new("POST", "Tables").header("content-type", JSON);
                create.body(json!({"TableName": self.table}).to_string())
            }
            2 => Ask::new("DELETE", "Tables('nosuchtable')"),
            3 => Ask::new("GET", "nosuchtable()"),
            _ => {
                let query = format!("$filter=TableName eq '{}'", self.table);
                Ask::new("GET", "Tables").query(query)
            }
        };
        let accept = self.accept();
        alike(ask.header("accept", accept))
    }

    fn insert(&mut self) -> (Ask, Ask) {
        let keys = self.key();
        let body = match self.random.below(10) {
            0 => self.body(None),
            1 => "{not json".to_owned(),
            _ => self.body(Some(&keys)),
        };
        let accept = self.accept();
        let mut ask = Ask::new("POST", &self.table).header("content-type", JSON);
        ask = ask.header("accept", accept).body(body);
        match self.random.below(3) {
            0 => ask = ask.header("prefer", "return-no-content"),
            1 => ask = ask.header("prefer", "return-content"),
            _ => {}
        }
        alike(ask)
    }

    fn address(&mut self) -> String {
        let (partition, row) = self.key();
        let escape = |text: &str| {
            text.replace('\'', "''")
                .replace(' ', "%20")
                .replace('+', "%2B")
                .replace('é', "%C3%A9")
        };
        format!(
            "{}(PartitionKey='{}',RowKey='{}')",
            self.table,
            escape(&partition),
            escape(&row)
        )
    }

    fn get(&mut self) -> (Ask, Ask) {
        let address = self.address();
        let accept = self.accept();
        let select = *self
            .random
            .pick(&["", "", "$select=Number,Text", "$select=PartitionKey"]);
        alike(
            Ask::new("GET", address)
                .query(select)
                .header("accept", accept),
        )
    }

    /// The same request with an `If-Match`, each side's own, or without one.
    fn matched(&mut self, ask: Ask) -> (Ask, Ask) {
        match self.random.below(4) {
            0 => alike(ask),
            1 => alike(ask.header("if-match", "*")),
            2 if self.random.one_in(3) => alike(ask.header("if-match", "malformed")),
            _ => {
                if self.versions.is_empty() {
                    alike(ask.header("if-match", "*"))
                } else {
                    let index = self.random.below(self.versions.len());
                    let (azurite, engine) = self.versions[index].clone();
                    (
                        ask.clone().header("if-match", azurite),
                        ask.header("if-match", engine),
                    )
                }
            }
        }
    }

    fn change(&mut self) -> (Ask, Ask) {
        let address = self.address();
        let body = self.body(None);
        let (method, tunnelled) = *self.random.pick(&[
            ("PUT", None),
            ("PATCH", None),
            ("MERGE", None),
            ("POST", Some("MERGE")),
        ]);
        let mut ask = Ask::new(method, address)
            .header("content-type", JSON)
            .body(body);
        ask = ask.header("accept", JSON);
        if let Some(tunnelled) = tunnelled {
            ask = ask.header("x-http-method", tunnelled);
        }
        self.matched(ask)
    }

    fn delete(&mut self) -> (Ask, Ask) {
        let ask = Ask::new("DELETE", self.address()).header("accept", JSON);
        self.matched(ask)
    }

    fn query(&mut self) -> (Ask, Ask) {
        let mut query = Vec::new();
        if !self.random.one_in(4) {
            query.push(format!("$filter={}", filter(&mut self.random, 2)));
        }
        if self.random.one_in(3) {
            query.push(format!(
                "$top={}",
                self.random.pick(&["1", "2", "5", "1000"])
            ));
        }
        if self.random.one_in(3) {
            query.push("$select=RowKey,Number,Text".to_owned());
        }
        let accept = self.accept();
        let ask = Ask::new("GET", format!("{}()", self.table)).query(query.join("&"));
        alike(ask.header("accept", accept))
    }

    fn batch(&mut self) -> (Ask, Ask) {
        let count = 1 + self.random.below(4);
        let mut parts: [String; 2] = Default::default();
        for _ in 0..count {
            let (_, row) = self.key();
            let keys = ("p".to_owned(), row);
            let escaped = keys
                .1
                .replace(' ', "%20")
                .replace('+', "%2B")
                .replace('é', "%C3%A9");
            let address = format!("{}(PartitionKey='p',RowKey='{escaped}')", self.table);
            let (method, path, body) = match self.random.below(4) {
                0 => ("POST", self.table.clone(), self.body(Some(&keys))),
                1 => ("PUT", address, self.body(Some(&keys))),
                2 => ("PATCH", address, self.body(Some(&keys))),
                _ => ("DELETE", address, String::new()),
            };
            let if_match = if method == "DELETE" {
                "If-Match: *\r\n"
            } else {
                ""
            };
            let urls = [self.both.azurite.url(), self.both.engine.url()];
            for (part, url) in parts.iter_mut().zip(urls) {
                let change = format!(
                    "--changeset_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{method} {url}/{path} HTTP/1.1\r\nContent-Type: application/json\r\nAccept: application/json;odata=minimalmetadata\r\nPrefer: return-no-content\r\nDataServiceVersion: 3.0;\r\n{if_match}\r\n{body}\r\n"
                );
                part.push_str(&change);
            }
        }
        let [azurite, engine] = parts.map(|part| {
            let body = format!(
                "--batch_1\r\nContent-Type: multipart/mixed; boundary=changeset_1\r\n\r\n{part}--changeset_1--\r\n--batch_1--\r\n"
            );
            Ask::new("POST", "$batch")
                .header("content-type", "multipart/mixed; boundary=batch_1")
                .header("accept", JSON)
                .body(body)
        });
        (azurite, engine)
    }
}

fn alike(ask: Ask) -> (Ask, Ask) {
    (ask.clone(), ask)
}
