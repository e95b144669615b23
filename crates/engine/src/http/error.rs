//! Errors of the services: status, code and message, as XML or JSON.
//!
//! Sources: "Common REST API error codes", "Queue Storage error codes", "Table Storage error codes" and "Status and error codes",
//! Azure Storage REST reference.

use hyper::StatusCode;

use super::{response::Answer, xml};
use crate::{
    clock::Moment,
    state::{
        directory::DirectoryError, edm::DateTime, queue::LeaseError, store::StoreError,
        write::WriteError,
    },
};

/// An error in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Additional elements of the document.
    pub(crate) details: Vec<(&'static str, String)>,
}

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $status:ident $code:literal: $message:literal;)*) => {
        impl ServiceError {
            $($(#[$doc])* pub(crate) fn $name() -> Self {
                Self::new(StatusCode::$status, $code, $message)
            })*
        }
    };
}

errors! {
    account_not_found = NOT_FOUND "ResourceNotFound": "The specified resource does not exist.";
    authentication_failed = FORBIDDEN "AuthenticationFailed": "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.";
    authorization_failure = FORBIDDEN "AuthorizationFailure": "This request is not authorized to perform this operation.";
    cors_failure = FORBIDDEN "CorsPreflightFailure": "CORS not enabled or no matching rule found for this request.";
    duplicate_properties = BAD_REQUEST "DuplicatePropertiesSpecified": "A property is specified more than one time.";
    entity_already_exists = CONFLICT "EntityAlreadyExists": "The specified entity already exists.";
    entity_too_large = BAD_REQUEST "EntityTooLarge": "The entity is larger than the maximum allowed size (1MB).";
    internal = INTERNAL_SERVER_ERROR "InternalError": "The server encountered an internal error. Please retry the request.";
    invalid_authentication = BAD_REQUEST "InvalidAuthenticationInfo": "Authentication information is not given in the correct format. Check the value of Authorization header.";
    invalid_metadata = BAD_REQUEST "InvalidMetadata": "The metadata specified is invalid. It has characters that are not permitted.";
    invalid_resource_name = BAD_REQUEST "InvalidResourceName": "The specified resource name contains invalid characters.";
    invalid_uri = BAD_REQUEST "InvalidUri": "The requested URI does not represent any resource on the server.";
    invalid_xml = BAD_REQUEST "InvalidXmlDocument": "XML specified is not syntactically valid.";
    atom_not_supported = UNSUPPORTED_MEDIA_TYPE "AtomFormatNotSupported": "Atom format is not supported.";
    message_not_found = NOT_FOUND "MessageNotFound": "The specified message does not exist.";
    metadata_too_large = BAD_REQUEST "MetadataTooLarge": "The size of the specified metadata exceeds the maximum size permitted.";
    method_not_allowed = METHOD_NOT_ALLOWED "UnsupportedHttpVerb": "The resource doesn't support specified Http Verb.";
    table_method_not_allowed = METHOD_NOT_ALLOWED "MethodNotAllowed": "The requested method is not allowed on the specified resource.";
    no_authentication = UNAUTHORIZED "NoAuthenticationInformation": "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.";
    not_implemented = NOT_IMPLEMENTED "NotImplemented": "The requested operation is not implemented on the specified resource.";
    permission_mismatch = FORBIDDEN "AuthorizationPermissionMismatch": "This request is not authorized to perform this operation using this permission.";
    pop_receipt_mismatch = BAD_REQUEST "PopReceiptMismatch": "The specified pop receipt did not match the pop receipt for a dequeued message.";
    properties_need_value = BAD_REQUEST "PropertiesNeedValue": "The values are not specified for all properties in the entity.";
    property_name_invalid = BAD_REQUEST "PropertyNameInvalid": "The property name is invalid.";
    property_name_too_long = BAD_REQUEST "PropertyNameTooLong": "The property name exceeds the maximum allowed length (255).";
    property_value_too_large = BAD_REQUEST "PropertyValueTooLarge": "The property value exceeds the maximum allowed size (64KB). If the property value is a string, it is UTF-16 encoded and the maximum number of characters should be 32K or less.";
    protocol_mismatch = FORBIDDEN "AuthorizationProtocolMismatch": "This request is not authorized to perform this operation using this protocol.";
    queue_already_exists = CONFLICT "QueueAlreadyExists": "The specified queue already exists.";
    queue_not_found = NOT_FOUND "QueueNotFound": "The specified queue does not exist.";
    read_only_secondary = FORBIDDEN "WriteOperationNotSupportedOnSecondary": "Write operations are not allowed.";
    request_body_too_large = PAYLOAD_TOO_LARGE "RequestBodyTooLarge": "The request body is too large and exceeds the maximum permissible limit.";
    resource_not_found = NOT_FOUND "ResourceNotFound": "The specified resource does not exist.";
    resource_type_mismatch = FORBIDDEN "AuthorizationResourceTypeMismatch": "This request is not authorized to perform this operation using this resource type.";
    service_mismatch = FORBIDDEN "AuthorizationServiceMismatch": "This request is not authorized to perform this operation using this service.";
    source_ip_mismatch = FORBIDDEN "AuthorizationSourceIPMismatch": "This request is not authorized to perform this operation using this source IP.";
    table_already_exists = CONFLICT "TableAlreadyExists": "The table specified already exists.";
    table_name_empty = BAD_REQUEST "TableNameEmpty": "The specified table name is empty.";
    table_not_found = NOT_FOUND "TableNotFound": "The table specified does not exist.";
    too_many_properties = BAD_REQUEST "TooManyProperties": "The entity contains more properties than allowed. Each entity can include up to 252 properties to store data. Each entity also has 3 system properties.";
    condition_not_satisfied = PRECONDITION_FAILED "UpdateConditionNotSatisfied": "The update condition specified in the request was not satisfied.";
    x_method_not_using_post = BAD_REQUEST "XMethodNotUsingPost": "The request uses X-HTTP-Method with an HTTP verb other than POST.";
    x_method_incorrect_value = BAD_REQUEST "XMethodIncorrectValue": "The specified X-HTTP-Method is invalid.";
    x_method_incorrect_count = BAD_REQUEST "XMethodIncorrectCount": "More than one X-HTTP-Method is specified.";
}

impl ServiceError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            details: Vec::new(),
        }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// 400 `InvalidInput`, with the reason.
    pub(crate) fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidInput", message)
    }

    /// 400 `OutOfRangeInput`, with what is out of range.
    pub(crate) fn out_of_range(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "OutOfRangeInput", message)
    }

    pub(crate) fn invalid_header(name: &str, value: &str) -> Self {
        let message = "The value for one of the HTTP headers is not in the correct format.";
        Self::new(StatusCode::BAD_REQUEST, "InvalidHeaderValue", message)
            .with("HeaderName", name)
            .with("HeaderValue", value)
    }

    pub(crate) fn missing_cors_header(name: &str) -> Self {
        let message = "A required CORS header is not present.";
        Self::new(StatusCode::BAD_REQUEST, "InvalidHeaderValue", message).with("HeaderName", name)
    }

    pub(crate) fn missing_header(name: &str) -> Self {
        let message = "An HTTP header that's mandatory for this request is not specified.";
        Self::new(StatusCode::BAD_REQUEST, "MissingRequiredHeader", message)
            .with("HeaderName", name)
    }

    pub(crate) fn missing_parameter(name: &str) -> Self {
        let message = "A query parameter that's mandatory for this request is not specified.";
        Self::new(
            StatusCode::BAD_REQUEST,
            "MissingRequiredQueryParameter",
            message,
        )
        .with("QueryParameterName", name)
    }

    pub(crate) fn invalid_parameter(name: &str, value: &str, reason: &str) -> Self {
        let message =
            "Value for one of the query parameters specified in the request URI is invalid.";
        Self::new(
            StatusCode::BAD_REQUEST,
            "InvalidQueryParameterValue",
            message,
        )
        .with("QueryParameterName", name)
        .with("QueryParameterValue", value)
        .with("Reason", reason)
    }

    pub(crate) fn parameter_out_of_range(name: &str, value: &str, least: u64, most: u64) -> Self {
        let message = "One of the query parameters specified in the request URI is outside the permissible range.";
        Self::new(
            StatusCode::BAD_REQUEST,
            "OutOfRangeQueryParameterValue",
            message,
        )
        .with("QueryParameterName", name)
        .with("QueryParameterValue", value)
        .with("MinimumAllowed", least.to_string())
        .with("MaximumAllowed", most.to_string())
    }

    /// Adds the reason why authentication failed, for the developer of the client.
    pub(crate) fn authentication_detail(detail: impl Into<String>) -> Self {
        Self::authentication_failed().with("AuthenticationErrorDetail", detail)
    }

    /// The message with its request id and time, as both documents contain it.
    fn full_message(&self, request_id: &str, now: Moment) -> String {
        let time = DateTime::from(now).text();
        format!("{}\nRequestId:{request_id}\nTime:{time}", self.message)
    }

    /// The error as XML: from the Queue service, and from the Table service if the client did not ask for JSON.
    pub(crate) fn xml(&self, request_id: &str, now: Moment) -> Answer {
        let mut body = String::from(xml::DECLARATION);
        body.push_str("<Error><Code>");
        body.push_str(self.code);
        body.push_str("</Code><Message>");
        xml::escape_into(&mut body, &self.full_message(request_id, now));
        body.push_str("</Message>");
        for (name, value) in &self.details {
            xml::element(&mut body, name, value);
        }
        body.push_str("</Error>");
        self.answer().body("application/xml", body)
    }

    /// The error as JSON, from the Table service. In a transaction the message begins with the index of the operation.
    pub(crate) fn json_body(
        &self,
        request_id: &str,
        now: Moment,
        operation: Option<usize>,
    ) -> String {
        let mut message = self.full_message(request_id, now);
        if let Some(operation) = operation {
            message.insert_str(0, &format!("{operation}:"));
        }
        let message = serde_json::json!({"lang": "en-US", "value": message});
        let mut error = serde_json::json!({"code": self.code, "message": message});
        for (name, value) in &self.details {
            error[*name] = value.as_str().into();
        }
        serde_json::json!({ "odata.error": error }).to_string()
    }

    /// The error's status and headers, without a body.
    pub(crate) fn answer(&self) -> Answer {
        let answer = Answer::new(self.status).header("x-ms-error-code", self.code);
        if self.status == StatusCode::UNAUTHORIZED {
            return answer.header(
                "www-authenticate",
                "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize \
                 resource_id=https://storage.azure.com",
            );
        }
        answer
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store refuses a write");
        Self::internal()
    }
}

impl From<LeaseError> for ServiceError {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::NotFound => Self::message_not_found(),
            LeaseError::ReceiptMismatch => Self::pop_receipt_mismatch(),
            LeaseError::Store(error) => error.into(),
        }
    }
}

impl From<WriteError> for ServiceError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::AlreadyExists => Self::entity_already_exists(),
            WriteError::NotFound => Self::resource_not_found(),
            WriteError::ConditionNotSatisfied => Self::condition_not_satisfied(),
            WriteError::TooManyProperties => Self::too_many_properties(),
            WriteError::TooLarge => Self::entity_too_large(),
            WriteError::Store(error) => error.into(),
        }
    }
}

impl ServiceError {
    /// An error of the directory of queues.
    pub(crate) fn of_queue(error: DirectoryError) -> Self {
        match error {
            DirectoryError::AlreadyExists => Self::queue_already_exists(),
            DirectoryError::NotFound => Self::queue_not_found(),
            DirectoryError::Store(error) => error.into(),
        }
    }

    /// An error of the directory of tables.
    pub(crate) fn of_table(error: DirectoryError) -> Self {
        match error {
            DirectoryError::AlreadyExists => Self::table_already_exists(),
            DirectoryError::NotFound => Self::table_not_found(),
            DirectoryError::Store(error) => error.into(),
        }
    }
}
