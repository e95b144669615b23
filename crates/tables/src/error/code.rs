//! The codes of the Table service.

use azure_core::{Error, error::ErrorKind};
use std::{convert::Infallible, fmt, str::FromStr};

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $code:ident,)*) => {
        /// A code by which the service names an error.
        ///
        /// ```
        /// # fn example(error: azure_core::Error) {
        /// use tables::ErrorCode;
        ///
        /// match ErrorCode::of(&error) {
        ///     Some(ErrorCode::EntityAlreadyExists) => println!("somebody was faster"),
        ///     Some(code) if code.is_transient() => println!("worth another try: {code}"),
        ///     _ => println!("{error}"),
        /// }
        /// # }
        /// ```
        ///
        /// Codes: <https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes> and
        /// <https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes>.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])* $code,)*
            /// Any other code.
            Other(String),
        }

        impl ErrorCode {
            /// The code as the service writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$code => stringify!($code),)*
                    Self::Other(code) => code,
                }
            }
        }

        impl From<&str> for ErrorCode {
            fn from(code: &str) -> Self {
                match code {
                    $(stringify!($code) => Self::$code,)*
                    other => Self::Other(other.to_owned()),
                }
            }
        }
    };
}

codes! {
    /// 403: the account is disabled.
    AccountIsDisabled,
    /// 403: the signature, SAS or token was not accepted.
    AuthenticationFailed,
    /// 403: the principal may not do this at all.
    AuthorizationFailure,
    /// 403: the SAS or the role lacks this permission.
    AuthorizationPermissionMismatch,
    /// 403: the SAS is for other protocols.
    AuthorizationProtocolMismatch,
    /// 403: the SAS is for other resource types.
    AuthorizationResourceTypeMismatch,
    /// 403: the SAS is for other services.
    AuthorizationServiceMismatch,
    /// 403: the SAS is for other addresses.
    AuthorizationSourceIPMismatch,
    /// 400: an operation of a transaction is addressed to another partition.
    CommandsInBatchActOnDifferentPartitions,
    /// 412: the condition of a header was not met.
    ConditionNotMet,
    /// 400: the entity names a property twice.
    DuplicatePropertiesSpecified,
    /// 409: there is an entity with these keys.
    EntityAlreadyExists,
    /// 404: there is no entity with these keys (older wording of [`ErrorCode::ResourceNotFound`]).
    EntityNotFound,
    /// 400: the entity is larger than 1 MiB.
    EntityTooLarge,
    /// 403: the account's permissions do not suffice.
    InsufficientAccountPermissions,
    /// 500: the service met an error of its own.
    InternalError,
    /// 400: the credentials are not in a form the service knows.
    InvalidAuthenticationInfo,
    /// 400: a transaction holds two operations on one entity.
    InvalidDuplicateRow,
    /// 400: the value of a header is not acceptable.
    InvalidHeaderValue,
    /// 400: the request is not acceptable; the message says why.
    InvalidInput,
    /// 400: the value of a query parameter is not acceptable.
    InvalidQueryParameterValue,
    /// 400: the name of a resource is not acceptable.
    InvalidResourceName,
    /// 400: the value of a property does not fit its type.
    InvalidValueType,
    /// 400: a key is longer than 1 KiB.
    KeyValueTooLarge,
    /// 405: the method is not allowed on this resource.
    MethodNotAllowed,
    /// 404: no authentication information was sent, or the resource is not public.
    NoAuthenticationInformation,
    /// 501: the service does not implement the operation.
    NotImplemented,
    /// 500: the service did not answer in time; whether it acted is not known.
    OperationTimedOut,
    /// 400: `PartitionKey` or `RowKey` is missing.
    PropertiesNeedValue,
    /// 400: the name of a property is not acceptable.
    PropertyNameInvalid,
    /// 400: the name of a property is longer than 255 characters.
    PropertyNameTooLong,
    /// 400: the value of a property is larger than 64 KiB.
    PropertyValueTooLarge,
    /// 413: the request is larger than the service takes.
    RequestBodyTooLarge,
    /// 409: the resource exists.
    ResourceAlreadyExists,
    /// 404: there is no such entity or table.
    ResourceNotFound,
    /// 503: throttled, or the service is busy.
    ServerBusy,
    /// 409: there is a table of this name.
    TableAlreadyExists,
    /// 409: the table is being deleted; its name is free again in about 40 s.
    TableBeingDeleted,
    /// 404: there is no table of this name.
    TableNotFound,
    /// 400: the entity has more than 252 properties of its own.
    TooManyProperties,
    /// 412: the entity is not the version that `If-Match` names.
    UpdateConditionNotSatisfied,
}

impl ErrorCode {
    /// The code in an error of this crate; `None` if no service answered, or it gave no code.
    ///
    /// For a failed transaction it is the code of the operation that failed; see
    /// [`TransactionError`](crate::TransactionError) for which one that is.
    pub fn of(error: &Error) -> Option<Self> {
        match error.kind() {
            ErrorKind::HttpResponse {
                error_code: Some(code),
                ..
            } => Some(Self::from(code.as_str())),
            _ => None,
        }
    }

    /// Whether the same request may well succeed a little later.
    ///
    /// After `OperationTimedOut` or `InternalError` it may also have been carried out the first time.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::ServerBusy | Self::OperationTimedOut | Self::InternalError
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ErrorCode {
    type Err = Infallible;

    fn from_str(code: &str) -> Result<Self, Infallible> {
        Ok(Self::from(code))
    }
}
