//! The queue port on Azure Queue Storage.

use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::http::headers::HeaderName;
use azure_core::http::{ClientOptions, RequestContent, Url, XmlFormat};
use azure_storage_queue::models::{
    QueueClientGetPropertiesResultHeaders as _, QueueClientPeekMessagesOptions,
    QueueClientReceiveMessagesOptions, QueueMessage, ReceivedMessage,
};
use azure_storage_queue::{QueueClient, QueueClientOptions};

use super::QueueName;
use super::error::{On, storage_error};
use super::sign_in::Target;
use crate::ports::{Delivery, ErrorKind, Lease, Peeked, StorageError, WorkQueue};

/// The new receipt of a renewed lease (Update Message, response headers).
const POP_RECEIPT: HeaderName = HeaderName::from_static("x-ms-popreceipt");

/// A queue of Azure Queue Storage. Clones share its client.
#[derive(Clone)]
pub struct AzureQueue {
    inner: Arc<Inner>,
}

struct Inner {
    name: QueueName,
    target: Target,
    client: QueueClient,
}

impl std::fmt::Debug for AzureQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AzureQueue({})", self.inner.name)
    }
}

impl AzureQueue {
    pub(super) fn new(
        name: &QueueName,
        target: Target,
        url: Url,
        token: Option<Arc<dyn TokenCredential>>,
        client_options: ClientOptions,
    ) -> azure_core::Result<Self> {
        let options = QueueClientOptions {
            client_options,
            ..QueueClientOptions::default()
        };
        let client = QueueClient::new(url, token, Some(options))?;
        Ok(Self {
            inner: Arc::new(Inner {
                name: name.clone(),
                target,
                client,
            }),
        })
    }

    fn error(&self, operation: &'static str, on: On, error: &azure_core::Error) -> StorageError {
        storage_error(operation, &self.inner.target, on, error)
    }

    fn incomplete(&self, operation: &'static str, what: &'static str) -> StorageError {
        StorageError::new(
            ErrorKind::Interrupted,
            operation,
            self.inner.target.to_string(),
        )
        .with_source(format!("the answer has no {what}"))
    }

    fn delivery(&self, message: ReceivedMessage) -> Result<Delivery, StorageError> {
        let missing = |what| self.incomplete("receive messages", what);
        let lease = Lease {
            message_id: message.message_id.ok_or_else(|| missing("message id"))?,
            pop_receipt: message.pop_receipt.ok_or_else(|| missing("pop receipt"))?,
        };
        Ok(Delivery {
            // An empty element is an empty body, which the consumer judges.
            body: message.message_text.unwrap_or_default(),
            lease,
            attempt: attempt(message.dequeue_count),
        })
    }
}

fn attempt(dequeue_count: Option<i64>) -> u32 {
    dequeue_count
        .and_then(|count| u32::try_from(count).ok())
        .unwrap_or_default()
}

/// Converts to whole seconds, the unit of the service's visibility timeouts.
fn seconds(visibility: Duration) -> i32 {
    i32::try_from(visibility.as_secs()).unwrap_or(i32::MAX)
}

impl WorkQueue for AzureQueue {
    fn name(&self) -> &str {
        self.inner.name.as_str()
    }

    async fn create(&self) -> Result<(), StorageError> {
        // 201: created; 204: it exists with the same metadata; 409: it exists with other metadata, which must not be changed.
        match self.inner.client.create(None).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = self.error("create", On::Resource, &error);
                if error.code() == Some("QueueAlreadyExists") {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }

    async fn delete_queue(&self) -> Result<(), StorageError> {
        match self.inner.client.delete(None).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = self.error("delete", On::Resource, &error);
                if error.kind() == ErrorKind::NoSuchResource {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }

    async fn send(&self, body: &str) -> Result<(), StorageError> {
        let fail = |error: azure_core::Error| self.error("send message", On::Resource, &error);
        let message = QueueMessage {
            message_text: Some(body.to_owned()),
        };
        let content: RequestContent<QueueMessage, XmlFormat> = message.try_into().map_err(fail)?;
        self.inner
            .client
            .send_message(content, None)
            .await
            .map_err(fail)?;
        Ok(())
    }

    async fn receive(&self, max: u8, visibility: Duration) -> Result<Vec<Delivery>, StorageError> {
        let fail = |error: azure_core::Error| self.error("receive messages", On::Resource, &error);
        let options = QueueClientReceiveMessagesOptions {
            number_of_messages: Some(max.into()),
            visibility_timeout: Some(seconds(visibility)),
            ..Default::default()
        };
        let answer = self
            .inner
            .client
            .receive_messages(Some(options))
            .await
            .map_err(fail)?;
        let messages = answer.into_model().map_err(fail)?.items.unwrap_or_default();
        messages
            .into_iter()
            .map(|message| self.delivery(message))
            .collect()
    }

    async fn renew(&self, lease: &Lease, visibility: Duration) -> Result<Lease, StorageError> {
        let fail = |error: azure_core::Error| self.error("renew lease", On::Lease, &error);
        let client = &self.inner.client;
        let answer = client
            .update_message(
                &lease.message_id,
                &lease.pop_receipt,
                seconds(visibility),
                None,
            )
            .await
            .map_err(fail)?;
        let pop_receipt = answer
            .headers()
            .get_optional_string(&POP_RECEIPT)
            .ok_or_else(|| self.incomplete("renew lease", "pop receipt"))?;
        Ok(Lease {
            message_id: lease.message_id.clone(),
            pop_receipt,
        })
    }

    async fn delete(&self, lease: &Lease) -> Result<(), StorageError> {
        let client = &self.inner.client;
        match client
            .delete_message(&lease.message_id, &lease.pop_receipt, None)
            .await
        {
            Ok(_) => Ok(()),
            Err(error) => Err(self.error("delete message", On::Lease, &error)),
        }
    }

    async fn peek(&self, max: u8) -> Result<Vec<Peeked>, StorageError> {
        let fail = |error: azure_core::Error| self.error("peek messages", On::Resource, &error);
        let options = QueueClientPeekMessagesOptions {
            number_of_messages: Some(max.into()),
            ..Default::default()
        };
        let answer = self
            .inner
            .client
            .peek_messages(Some(options))
            .await
            .map_err(fail)?;
        let messages = answer.into_model().map_err(fail)?.items.unwrap_or_default();
        let peeked = messages.into_iter().map(|message| Peeked {
            message_id: message.message_id.unwrap_or_default(),
            body: message.message_text.unwrap_or_default(),
            attempt: attempt(message.dequeue_count),
        });
        Ok(peeked.collect())
    }

    async fn approximate_count(&self) -> Result<u64, StorageError> {
        let fail = |error: azure_core::Error| self.error("count messages", On::Resource, &error);
        let answer = self.inner.client.get_properties(None).await.map_err(fail)?;
        answer
            .approximate_messages_count()
            .map_err(fail)?
            .and_then(|count| u64::try_from(count).ok())
            .ok_or_else(|| self.incomplete("count messages", "message count"))
    }
}
