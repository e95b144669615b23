//! Encoding of records on disk. Numbers are big-endian, so that keys sort like numbers.

use crate::{
    clock::Moment,
    state::{
        edm::{DateTime, Value},
        entity::{Entity, Key},
        message::{Lease, Sequence},
        store::{ContainerId, StoreError},
    },
};

/// Decodes a record.
struct Reader<'a>(&'a [u8]);

fn broken() -> StoreError {
    StoreError("a record on disk is not what this version writes".into())
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Result<&'a [u8], StoreError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(broken)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        self.bytes(N)?.try_into().map_err(|_| broken())
    }

    fn u64(&mut self) -> Result<u64, StoreError> {
        self.array().map(u64::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, StoreError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Bytes preceded by their number.
    fn counted(&mut self) -> Result<&'a [u8], StoreError> {
        let count = usize::try_from(self.u32()?).map_err(|_| broken())?;
        self.bytes(count)
    }

    fn text(&mut self) -> Result<Box<str>, StoreError> {
        text(self.counted()?)
    }
}

fn text(bytes: &[u8]) -> Result<Box<str>, StoreError> {
    let text = std::str::from_utf8(bytes).map_err(|_| broken())?;
    Ok(text.into())
}

fn push_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    let count = u32::try_from(bytes.len()).expect("a value must be shorter than 4 GiB");
    out.extend_from_slice(&count.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// The prefix of all keys of a container's contents.
pub(super) const fn prefix(container: ContainerId) -> [u8; 8] {
    container.to_be_bytes()
}

/// The container in such a key.
pub(super) fn container_of(key: &[u8]) -> Result<ContainerId, StoreError> {
    Reader(key).u64()
}

pub(super) fn message_key(container: ContainerId, sequence: Sequence) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&container.to_be_bytes());
    key[8..].copy_from_slice(&sequence.to_be_bytes());
    key
}

pub(super) fn sequence_of(key: &[u8]) -> Result<Sequence, StoreError> {
    let mut reader = Reader(key);
    reader.u64()?;
    reader.u64()
}

pub(super) fn lease(lease: &Lease) -> Vec<u8> {
    let mut out = Vec::with_capacity(36);
    for number in [
        lease.inserted.ticks(),
        lease.expires.ticks(),
        lease.visible.ticks(),
        lease.receipt,
    ] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.extend_from_slice(&lease.deliveries.to_be_bytes());
    out
}

pub(super) fn read_lease(bytes: &[u8]) -> Result<Lease, StoreError> {
    let mut reader = Reader(bytes);
    Ok(Lease {
        inserted: Moment::from_ticks(reader.u64()?),
        expires: Moment::from_ticks(reader.u64()?),
        visible: Moment::from_ticks(reader.u64()?),
        receipt: reader.u64()?,
        deliveries: reader.u32()?,
    })
}

pub(super) fn read_text(bytes: &[u8]) -> Result<Box<str>, StoreError> {
    text(bytes)
}

pub(super) fn entity_key(container: ContainerId, key: &Key) -> Vec<u8> {
    let mut out = Vec::with_capacity(12 + key.partition.len() + key.row.len());
    out.extend_from_slice(&container.to_be_bytes());
    push_counted(&mut out, key.partition.as_bytes());
    out.extend_from_slice(key.row.as_bytes());
    out
}

pub(super) fn read_entity_key(bytes: &[u8]) -> Result<Key, StoreError> {
    let mut reader = Reader(bytes);
    reader.u64()?;
    let partition = reader.text()?;
    Ok(Key::new(partition, text(reader.0)?))
}

pub(super) fn entity(entity: &Entity) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(&entity.timestamp.ticks().to_be_bytes());
    for (name, value) in &entity.properties {
        push_counted(&mut out, name.as_bytes());
        match value {
            Value::Binary(bytes) => {
                out.push(0);
                push_counted(&mut out, bytes);
            }
            Value::Boolean(value) => out.extend([1, u8::from(*value)]),
            Value::DateTime(time) => {
                out.push(2);
                out.extend_from_slice(&time.0.to_be_bytes());
            }
            Value::Double(number) => {
                out.push(3);
                out.extend_from_slice(&number.to_bits().to_be_bytes());
            }
            Value::Guid(guid) => {
                out.push(4);
                out.extend_from_slice(guid.as_bytes());
            }
            Value::Int32(number) => {
                out.push(5);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Value::Int64(number) => {
                out.push(6);
                out.extend_from_slice(&number.to_be_bytes());
            }
            Value::String(text) => {
                out.push(7);
                push_counted(&mut out, text.as_bytes());
            }
        }
    }
    out
}

pub(super) fn read_entity(bytes: &[u8]) -> Result<Entity, StoreError> {
    let mut reader = Reader(bytes);
    let timestamp = Moment::from_ticks(reader.u64()?);
    let mut properties = Vec::new();
    while !reader.0.is_empty() {
        let name = reader.text()?;
        let [tag] = reader.array()?;
        let value = match tag {
            0 => Value::Binary(reader.counted()?.into()),
            1 => Value::Boolean(reader.array()? == [1]),
            2 => Value::DateTime(DateTime(i64::from_be_bytes(reader.array()?))),
            3 => Value::Double(f64::from_bits(reader.u64()?)),
            4 => Value::Guid(uuid::Uuid::from_bytes(reader.array()?)),
            5 => Value::Int32(i32::from_be_bytes(reader.array()?)),
            6 => Value::Int64(i64::from_be_bytes(reader.array()?)),
            7 => Value::String(reader.text()?),
            _ => return Err(broken()),
        };
        properties.push((name, value));
    }
    Ok(Entity {
        timestamp,
        properties,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_of_every_type_is_read_back() {
        let property = |name: &str, value| (Box::from(name), value);
        let written = Entity {
            timestamp: Moment::from_ticks(17),
            properties: vec![
                property("Raw", Value::Binary([0, 255].into())),
                property("Yes", Value::Boolean(true)),
                property("No", Value::Boolean(false)),
                property("At", Value::DateTime(DateTime(-1))),
                property("Half", Value::Double(-0.5)),
                property("Id", Value::Guid(uuid::Uuid::from_u128(7))),
                property("Small", Value::Int32(i32::MIN)),
                property("Big", Value::Int64(i64::MIN)),
                property("Text", Value::String("é日本".into())),
                property("", Value::String("".into())),
            ],
        };
        let bytes = entity(&written);
        assert_eq!(read_entity(&bytes).unwrap(), written);
        for end in 1..bytes.len() {
            // A truncated record must give an error or a shorter entity, never a panic.
            let _ = read_entity(&bytes[..end]);
        }
    }

    #[test]
    fn keys_are_read_back() {
        let key = Key::new("it's/é", "");
        assert_eq!(read_entity_key(&entity_key(3, &key)).unwrap(), key);
        let of = message_key(3, 9);
        assert_eq!(
            (container_of(&of).unwrap(), sequence_of(&of).unwrap()),
            (3, 9)
        );
    }
}
