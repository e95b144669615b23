//! A store in a directory: the log-structured store fjall, which hands each change to the kernel before it returns.
//!
//! So acknowledged changes survive the end of the process, even by kill -9. They may not survive the end of the machine: the
//! kernel writes its buffers to disk at its own time, and only at a clean end does this store wait for it.
//!
//! Four keyspaces: records of containers, leases of messages (which change), their texts (which rarely do), and entities.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use parking_lot::Mutex;

use super::codec;
use crate::state::{
    entity::{Entity, Key},
    message::{Message, Sequence},
    store::{Change, ContainerId, Contents, QueueRecord, Store, StoreError, TableRecord},
};

/// Records that a purge removes in one step.
const PURGED_AT_ONCE: usize = 1_000;

const QUEUE: u8 = b'q';
const TABLE: u8 = b't';
const PROPERTIES: u8 = b'p';

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        Self(match error {
            fjall::Error::Locked => "another engine uses it".to_owned(),
            fjall::Error::Io(error) => error.to_string(),
            fjall::Error::Storage(error) => format!("{error:?}"),
            error => error.to_string(),
        })
    }
}

/// A store in a directory.
pub(crate) struct Disk {
    database: Database,
    spaces: Spaces,
    /// Threads that remove the contents of deleted containers.
    purges: Mutex<Vec<JoinHandle<()>>>,
    ending: Arc<AtomicBool>,
}

impl Drop for Disk {
    /// Ends the purges: a running purge keeps the directory open, and another engine could not use it. The next start resumes
    /// them.
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        for purge in self.purges.get_mut().drain(..) {
            // A purge that panicked has left data behind, like one that was ended.
            let _ = purge.join();
        }
    }
}

#[derive(Clone)]
struct Spaces {
    containers: Keyspace,
    leases: Keyspace,
    texts: Keyspace,
    entities: Keyspace,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").finish_non_exhaustive()
    }
}

impl Disk {
    /// Opens the store in a directory, which is created if it is missing, and reads all of it.
    pub(crate) fn open(directory: &Path) -> Result<(Self, Contents), StoreError> {
        std::fs::create_dir_all(directory).map_err(|error| StoreError(error.to_string()))?;
        let database = Database::builder(directory).open()?;
        let space = |name| database.keyspace(name, KeyspaceCreateOptions::default);
        let spaces = Spaces {
            containers: space("containers")?,
            leases: space("leases")?,
            texts: space("texts")?,
            entities: space("entities")?,
        };
        let (contents, orphans) = spaces.read()?;
        let disk = Self {
            database,
            spaces,
            purges: Mutex::default(),
            ending: Arc::default(),
        };
        for orphan in orphans {
            disk.purge(orphan);
        }
        Ok((disk, contents))
    }

    /// Removes the contents of a deleted container, on a separate thread. Contents left at the end of the process are found at
    /// the next start.
    #[expect(clippy::disallowed_methods, reason = "joined when this is dropped")]
    fn purge(&self, container: ContainerId) {
        let (database, spaces) = (self.database.clone(), self.spaces.clone());
        let ending = Arc::clone(&self.ending);
        let purge = move || {
            // A lease and its text are removed together, because a kill between the two would leave half a message.
            let messages = purge(
                &database,
                &[&spaces.leases, &spaces.texts],
                container,
                &ending,
            );
            let purged =
                messages.and_then(|()| purge(&database, &[&spaces.entities], container, &ending));
            if let Err(error) = purged {
                let error = StoreError::from(error);
                tracing::warn!(%error, "removed data stays on disk until the next start");
            }
        };
        let spawned = thread::Builder::new()
            .name("engine-purge".into())
            .spawn(purge);
        match spawned {
            Ok(purge) => {
                let mut purges = self.purges.lock();
                purges.retain(|purge| !purge.is_finished());
                purges.push(purge);
            }
            Err(error) => {
                tracing::warn!(%error, "removed data stays on disk until the next start");
            }
        }
    }
}

/// Removes a container's records from keyspaces with the same keys.
fn purge(
    database: &Database,
    spaces: &[&Keyspace],
    container: ContainerId,
    ending: &AtomicBool,
) -> Result<(), fjall::Error> {
    while !ending.load(Ordering::Relaxed) {
        let keys = spaces[0].prefix(codec::prefix(container));
        let keys = keys.take(PURGED_AT_ONCE);
        let keys: Vec<_> = keys.map(fjall::Guard::key).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Ok(());
        }
        let mut batch = database.batch();
        for key in keys {
            for space in spaces {
                batch.remove(space, key.clone());
            }
        }
        batch.commit()?;
    }
    Ok(())
}

fn json<T: serde::Serialize>(record: &T) -> Vec<u8> {
    serde_json::to_vec(record).expect("a record must have a JSON form")
}

fn container_key(kind: u8, container: ContainerId) -> Vec<u8> {
    [&[kind][..], &codec::prefix(container)].concat()
}

impl Store for Disk {
    fn write(&self, changes: &[Change<'_>]) -> Result<(), StoreError> {
        let spaces = &self.spaces;
        let mut batch = self.database.batch();
        let mut removed = Vec::new();
        for change in changes {
            match *change {
                Change::Properties(service, xml) => {
                    let key = [&[PROPERTIES][..], service.as_bytes()].concat();
                    batch.insert(&spaces.containers, key, xml.as_bytes());
                }
                Change::Queue(id, record) => {
                    batch.insert(&spaces.containers, container_key(QUEUE, id), json(record));
                }
                Change::Table(id, record) => {
                    batch.insert(&spaces.containers, container_key(TABLE, id), json(record));
                }
                Change::RemoveQueue(id) => {
                    batch.remove(&spaces.containers, container_key(QUEUE, id));
                    removed.push(id);
                }
                Change::RemoveTable(id) => {
                    batch.remove(&spaces.containers, container_key(TABLE, id));
                    removed.push(id);
                }
                Change::Message(id, sequence, message) => {
                    let key = codec::message_key(id, sequence);
                    batch.insert(&spaces.leases, key, codec::lease(&message.lease));
                    batch.insert(&spaces.texts, key, message.text.as_bytes());
                }
                Change::Lease(id, sequence, lease) => {
                    let key = codec::message_key(id, sequence);
                    batch.insert(&spaces.leases, key, codec::lease(lease));
                }
                Change::RemoveMessage(id, sequence) => {
                    let key = codec::message_key(id, sequence);
                    batch.remove(&spaces.leases, key);
                    batch.remove(&spaces.texts, key);
                }
                Change::Entity(id, key, entity) => {
                    let key = codec::entity_key(id, key);
                    batch.insert(&spaces.entities, key, codec::entity(entity));
                }
                Change::RemoveEntity(id, key) => {
                    batch.remove(&spaces.entities, codec::entity_key(id, key));
                }
            }
        }
        batch.commit()?;
        for container in removed {
            self.purge(container);
        }
        Ok(())
    }
}

type Grouped<K, V> = BTreeMap<ContainerId, Vec<(K, V)>>;

impl Spaces {
    /// Reads all contents, and the deleted containers whose contents still exist.
    fn read(&self) -> Result<(Contents, Vec<ContainerId>), StoreError> {
        let mut messages = self.messages()?;
        let mut entities = self.entities()?;
        let mut contents = Contents::default();
        let mut known = BTreeSet::new();
        for record in self.containers.iter() {
            let (key, value) = record.into_inner()?;
            let (kind, rest) = key
                .split_first()
                .ok_or_else(|| StoreError("an empty key".into()))?;
            match *kind {
                PROPERTIES => {
                    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                    contents.properties.push((text(rest), text(&value)));
                }
                QUEUE => {
                    let id = codec::container_of(rest)?;
                    let record: QueueRecord = from_json(&value)?;
                    let held = messages.remove(&id).unwrap_or_default();
                    contents.queues.push((id, record, held));
                    known.insert(id);
                }
                _ => {
                    let id = codec::container_of(rest)?;
                    let record: TableRecord = from_json(&value)?;
                    let held = entities.remove(&id).unwrap_or_default();
                    contents.tables.push((id, record, held));
                    known.insert(id);
                }
            }
        }
        let orphans: BTreeSet<_> = messages.keys().chain(entities.keys()).copied().collect();
        let largest = known.last().max(orphans.last());
        contents.next_container = largest.map_or(1, |id| id + 1);
        Ok((contents, orphans.into_iter().collect()))
    }

    /// Messages by queue: leases and texts, which have the same keys in the same order.
    fn messages(&self) -> Result<Grouped<Sequence, Message>, StoreError> {
        let mut grouped: Grouped<Sequence, Message> = BTreeMap::new();
        for (lease, text) in self.leases.iter().zip(self.texts.iter()) {
            let (key, lease) = lease.into_inner()?;
            let (of, text) = text.into_inner()?;
            if key != of {
                return Err(StoreError(
                    "a message on disk has no text, or a text no message".into(),
                ));
            }
            let message = Message {
                text: codec::read_text(&text)?,
                lease: codec::read_lease(&lease)?,
            };
            let of_queue = grouped.entry(codec::container_of(&key)?).or_default();
            of_queue.push((codec::sequence_of(&key)?, message));
        }
        Ok(grouped)
    }

    fn entities(&self) -> Result<Grouped<Key, Entity>, StoreError> {
        let mut grouped: Grouped<Key, Entity> = BTreeMap::new();
        for record in self.entities.iter() {
            let (key, value) = record.into_inner()?;
            let of_table = grouped.entry(codec::container_of(&key)?).or_default();
            of_table.push((codec::read_entity_key(&key)?, codec::read_entity(&value)?));
        }
        Ok(grouped)
    }
}

fn from_json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| StoreError(format!("a record on disk: {error}")))
}
