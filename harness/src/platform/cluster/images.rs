//! Which images the pods of a run are made of.

/// What takes the place of the images that the overlay names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Images {
    /// The consumer; `None`: as the overlay says.
    pub(super) consumer: Option<String>,
    /// The producer; `None`: the one beside the consumer.
    pub(super) producer: Option<String>,
    /// The wire; `None`: the one beside the consumer.
    pub(super) wire: Option<String>,
}

impl Images {
    /// The consumer's image, where the overlay names `image`.
    pub(super) fn consumer(&self, image: &str) -> String {
        self.consumer.clone().unwrap_or_else(|| image.to_owned())
    }

    /// The producer's: `registry/edw/producer:0.1.0` beside `registry/edw/consumer:0.1.0`.
    pub(super) fn producer(&self, image: &str) -> String {
        let producer = self.producer.clone();
        producer.unwrap_or_else(|| beside(image, "producer"))
    }

    /// The wire's, beside it too.
    pub(super) fn wire(&self, image: &str) -> String {
        self.wire.clone().unwrap_or_else(|| beside(image, "wire"))
    }
}

/// The image called `name` in the place and with the tag of `image`.
fn beside(image: &str, name: &str) -> String {
    let (place, of) = image.rsplit_once('/').unwrap_or(("", image));
    let tag = of.find([':', '@']).map_or("", |at| &of[at..]);
    let slash = if place.is_empty() { "" } else { "/" };
    format!("{place}{slash}{name}{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

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
