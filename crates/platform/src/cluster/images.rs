//! Images of a run's pods.

use anyhow::{Context as _, anyhow};
use manifest::text_of;
use workflow::exit::WrongInput;

use super::ClusterArgs;
use super::overlay::Described;
use crate::Workload;

/// Images that replace those of the overlay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Images {
    /// The consumer's image; `None`: the overlay's.
    pub(super) consumer: Option<String>,
    /// The producer's image; `None`: `producer` beside the consumer's.
    pub(super) producer: Option<String>,
    /// The wire's image; `None`: `wire` beside the consumer's.
    pub(super) wire: Option<String>,
}

impl Images {
    /// The consumer's image, if the overlay names `image`.
    pub(super) fn consumer(&self, image: &str) -> String {
        self.consumer.clone().unwrap_or_else(|| image.to_owned())
    }

    /// The producer's image: `registry/edw/producer:0.1.0` beside `registry/edw/consumer:0.1.0`.
    pub(super) fn producer(&self, image: &str) -> String {
        let producer = self.producer.clone();
        producer.unwrap_or_else(|| beside(image, "producer"))
    }

    /// The wire's image, beside the consumer's too.
    pub(super) fn wire(&self, image: &str) -> String {
        self.wire.clone().unwrap_or_else(|| beside(image, "wire"))
    }
}

/// The image `name` with the registry, path and tag of `image`.
fn beside(image: &str, name: &str) -> String {
    let (place, of) = image.rsplit_once('/').unwrap_or(("", image));
    let tag = of.find([':', '@']).map_or("", |at| &of[at..]);
    let slash = if place.is_empty() { "" } else { "/" };
    format!("{place}{slash}{name}{tag}")
}

/// The described workload, if there is one; an error if its worker has no image.
pub(super) fn described(
    args: &ClusterArgs,
    workload: &Workload,
) -> anyhow::Result<Option<Described>> {
    let Some(file) = &workload.file else {
        return Ok(None);
    };
    let description = workload.description.clone();
    let has_image = description.worker.image.is_some()
        || args.consumer_image.is_some()
        || args.overlay != ClusterArgs::default().overlay;
    if !has_image {
        let error = anyhow!("{} names no worker.image", file.display());
        return Err(error.context(WrongInput(
            "make pods of the worker; name its image in worker.image or with --consumer-image, or manifests of its own with --overlay",
        )));
    }
    // The local file may have another encoding; text in a `ConfigMap` is UTF-8.
    let text = text_of(file).context(WrongInput("read the description of the workload"))?;
    Ok(Some(Described { description, text }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PowerShell's `>` writes UTF-16, as in `harness init > edw.yaml`.
    #[test]
    fn a_description_in_utf_16_goes_into_the_cluster_as_text() {
        let text = "version: 1\nname: größe\nmessage: {body: \"{id}\"}\nrow: {columns: {a: \"{id}\"}}\nworker:\n  image: a\n  variables: {S: \"{connection-string}\"}\n";
        let written = std::iter::once(0xfeff).chain(text.encode_utf16());
        let bytes: Vec<u8> = written.flat_map(u16::to_le_bytes).collect();
        let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let workload = Workload {
            description: producer::described(&file.path().to_string_lossy()).unwrap(),
            file: Some(file.path().to_owned()),
            ..Workload::built_in("harness".as_ref())
        };
        let described = described(&ClusterArgs::default(), &workload).unwrap();
        assert_eq!(described.unwrap().text, text);
    }

    #[test]
    fn the_producer_lies_beside_the_consumer() {
        let images = Images::default();
        for (consumer, producer) in [
            ("edw/consumer:0.1.0", "edw/producer:0.1.0"),
            (
                "acr.azurecr.io:443/edw/consumer:1",
                "acr.azurecr.io:443/edw/producer:1",
            ),
            ("consumer", "producer"),
        ] {
            assert_eq!(images.producer(consumer), producer);
        }
    }
}
