//! The judgement of a world.

use judge::audit::{Audit, Auditor, Expectation, StorageNames};

use super::*;

impl World {
    /// Audits the world.
    pub(crate) fn audit(self) -> Audit {
        let mut auditor = Auditor::new(Expectation {
            description: self.lens.description().clone(),
            own_table: true,
            ..Expectation::new(self.lens.run().clone(), self.payloads, self.messages)
        })
        .expect("a sensible expectation");
        let mut protocol = auditor.protocol().of(StorageNames {
            queues: vec![QUEUE.to_owned()],
            table: Some(TABLE.to_owned()),
        });
        for crossing in &self.crossings {
            protocol.crossing(crossing);
        }
        auditor.hear(protocol.finish());
        if let Some(poison) = self.lens.poison_queue(QUEUE) {
            let path = format!("/{poison}/messages");
            let (_, _, body) =
                self.answer(Service::Queue, &Method::GET, &path, "numofmessages=32", "");
            let text = std::str::from_utf8(&body).expect("a text");
            let list: List = quick_xml::de::from_str(text.trim_start_matches('\u{feff}'))
                .expect("a list of messages");
            for entry in list.queue_message {
                let found = self.lens.set_aside(&entry.message_text);
                auditor.poisoned(found.expect("what the team gives up"));
            }
        }
        let path = format!("/{TABLE}()");
        let (_, _, body) = self.answer(Service::Table, &Method::GET, &path, "", "");
        let rows: Value = serde_json::from_slice(&body).expect("rows");
        for row in rows["value"].as_array().expect("rows") {
            auditor.row(&self.lens.row(row.as_object().expect("a row")));
        }
        auditor.finish()
    }
}
