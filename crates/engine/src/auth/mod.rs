//! Authorization of requests: the account's key, shared access signatures, and bearer tokens.
//!
//! Source: "Authorize requests to Azure Storage", Azure Storage REST reference; each module names its page.

mod account_sas;
mod bearer;
mod sas;
mod service_sas;
mod shared_key;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

pub(crate) use account_sas::sign as sign_account_sas;
pub(crate) use service_sas::KeyLimits;

use crate::{
    clock::Moment,
    http::{error::ServiceError, request::Target},
    state::{entity::Key, policy::Policy},
};

/// A service, by its name in addresses and signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Queue Storage.
    Queue,
    /// Table Storage.
    Table,
}

impl Service {
    /// Its name in host names and in canonicalized resources.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Table => "table",
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::Queue => 'q',
            Self::Table => 't',
        }
    }
}

/// The account, and its key.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    key: Vec<u8>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Account {
    /// Makes an account; `None` if the key is not Base64.
    pub(crate) fn new(name: &str, key: &str) -> Option<Self> {
        Some(Self {
            name: name.to_owned(),
            key: BASE64.decode(key).ok().filter(|key| !key.is_empty())?,
        })
    }

    /// The signature of a string, in Base64.
    pub(crate) fn sign(&self, text: &str) -> String {
        BASE64.encode(self.mac(text).finalize().into_bytes())
    }

    /// Whether a signature is that of the string. The comparison takes constant time.
    fn verifies(&self, text: &str, signature: &str) -> bool {
        let signature = BASE64.decode(signature);
        signature.is_ok_and(|signature| self.mac(text).verify_slice(&signature).is_ok())
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC must take a key of any length");
        mac.update(text.as_bytes());
        mac
    }
}

/// The resource type of an operation in an account SAS: the service, a container, or an object in a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResourceType {
    Service,
    Container,
    Object,
}

/// The permissions that an operation requires. Any one of the letters of `account` or of `service` is enough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    pub(crate) resource: ResourceType,
    pub(crate) account: &'static str,
    /// The letters of a service SAS. Empty: no service SAS allows the operation. If `account` is empty too, only the account's
    /// key does.
    pub(crate) service: &'static str,
    pub(crate) writes: bool,
}

/// The permissions of a request.
#[derive(Debug, Clone)]
pub(crate) enum Grant {
    /// All operations: the account's key.
    Everything,
    /// All operations except those on access policies: a bearer token. No built-in data role has the actions that read and set
    /// policies.
    Token,
    AccountSas(sas::Permissions),
    /// One queue or table, possibly limited to some keys of the table.
    ServiceSas(sas::Permissions, KeyLimits),
}

/// Authenticates and authorizes requests.
#[derive(Debug)]
pub(crate) struct Authenticator<'a> {
    pub(crate) account: &'a Account,
    pub(crate) service: Service,
    pub(crate) now: Moment,
}

impl Authenticator<'_> {
    /// Determines a request's permissions. `policies` looks up the stored access policies of a queue or table.
    pub(crate) fn grant(
        &self,
        target: &Target<'_>,
        policies: impl FnOnce(&str) -> Vec<Policy>,
    ) -> Result<Grant, ServiceError> {
        let signed = target.parameter("sig").is_some();
        match target.header("authorization") {
            // A request with both is accepted if either is valid, as in Azurite: the service's documentation does not say.
            Some(header) => match self.of_header(target, header) {
                Err(_) if signed => self.of_signature(target, policies),
                granted => granted,
            },
            None if signed => self.of_signature(target, policies),
            None => Err(ServiceError::no_authentication()),
        }
    }

    fn of_header(&self, target: &Target<'_>, header: &str) -> Result<Grant, ServiceError> {
        let (scheme, value) = header
            .split_once(' ')
            .ok_or_else(ServiceError::invalid_authentication)?;
        match scheme {
            "SharedKey" => shared_key::verify(self, target, value.trim(), false)?,
            "SharedKeyLite" => shared_key::verify(self, target, value.trim(), true)?,
            scheme if scheme.eq_ignore_ascii_case("bearer") => {
                bearer::verify(self, target, value.trim())?;
                return Ok(Grant::Token);
            }
            _ => return Err(ServiceError::invalid_authentication()),
        }
        Ok(Grant::Everything)
    }

    fn of_signature(
        &self,
        target: &Target<'_>,
        policies: impl FnOnce(&str) -> Vec<Policy>,
    ) -> Result<Grant, ServiceError> {
        if target.has_several("sig") {
            return Err(ServiceError::authentication_detail(
                "The signature is given more than once.",
            ));
        }
        if target.parameter("ss").is_some() {
            account_sas::verify(self, target)
        } else {
            service_sas::verify(self, target, policies)
        }
    }
}

impl Grant {
    /// Checks that an operation is allowed.
    pub(crate) fn check(&self, need: Need) -> Result<(), ServiceError> {
        match self {
            Self::Token if need.account.is_empty() => Err(ServiceError::authorization_failure()),
            Self::Everything | Self::Token => Ok(()),
            Self::AccountSas(permissions) => {
                if !permissions.resources.contains(&need.resource) {
                    return Err(ServiceError::resource_type_mismatch());
                }
                permissions.check(need.account)
            }
            Self::ServiceSas(permissions, _) => {
                if need.service.is_empty() {
                    return Err(ServiceError::authorization_failure());
                }
                permissions.check(need.service)
            }
        }
    }

    /// Whether the request may access an entity with this key.
    pub(crate) fn allows_key(&self, key: &Key) -> bool {
        match self {
            Self::ServiceSas(_, limits) => limits.contain(key),
            _ => true,
        }
    }

    /// Checks that all of the letters are granted, for operations that require several.
    pub(crate) fn check_all(&self, letters: &str) -> Result<(), ServiceError> {
        match self {
            Self::Everything | Self::Token => Ok(()),
            Self::AccountSas(permissions) | Self::ServiceSas(permissions, _) => {
                let all = letters.chars().all(|letter| permissions.has(letter));
                all.then_some(())
                    .ok_or_else(ServiceError::permission_mismatch)
            }
        }
    }
}
