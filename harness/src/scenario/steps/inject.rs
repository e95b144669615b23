//! The words for bad messages.

use std::str::FromStr;

use crate::run::Defect;

impl FromStr for Defect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "is not JSON" => Ok(Self::NotJson),
            "lacks its payload" => Ok(Self::NoPayload),
            "is too large for a table row" => Ok(Self::TooLarge),
            "has another payload's digest" => Ok(Self::WrongDigest),
            _ => Err(format!(
                "{text:?} is no known defect: is not JSON, lacks its payload, is too large for a table row, has \
                 another payload's digest"
            )),
        }
    }
}
