//! Recognises connection strings of services other than storage, which users confuse with storage's.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::Pairs;

/// Each service, as a sentence names it, with names of pairs that only its connection strings have.
///
/// Sources: "Service Bus client library", "Event Hubs emulator", "Azure Cosmos DB .NET SDK", "Understand `IoT` Hub security", "Azure
/// App Configuration", "Connection strings in Application Insights", "Connection strings in Azure `SignalR` Service", "Authenticate
/// to Azure Communication Services", "SqlConnection.ConnectionString".
const SERVICES: [(&str, &[&str]); 6] = [
    ("Cosmos DB", &["AccountEndpoint"]),
    ("IoT Hub", &["HostName", "SharedAccessKeyName"]),
    ("App Configuration", &["Endpoint", "Secret"]),
    ("Application Insights", &["InstrumentationKey"]),
    (
        "SignalR, Web PubSub or Communication Services",
        &["Endpoint", "AccessKey"],
    ),
    ("a database", &["Server", "Database"]),
];

/// The service to which the connection string `text` belongs, if that is not storage.
pub(in crate::azure) fn other_service(text: &str) -> Option<&'static str> {
    let pairs = Pairs(super::bare(text));
    let endpoint = pairs.value("Endpoint").unwrap_or_default();
    // Relay and Notification Hubs have this prefix too.
    if endpoint.to_ascii_lowercase().starts_with("sb:") {
        return Some("Service Bus or Event Hubs");
    }
    if text.contains(".redis.cache.windows.net:") || text.contains(".redis.azure.net:") {
        return Some("Redis");
    }
    let all = |names: &[&str]| names.iter().all(|name| pairs.value(name).is_some());
    let found = SERVICES.into_iter().find(|(_, names)| all(names));
    found.map(|(service, _)| service)
}

/// Describes `text`, which is not a connection string for a queue, to complete a sentence after "it".
pub(super) fn no_connection_string(text: &str) -> &'static str {
    let pairs = Pairs(text);
    let is_base64 = || {
        let decoded = BASE64_STANDARD.decode(text).ok();
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        decoded.is_some_and(|text| text.contains("Account") || text.contains("Endpoint="))
    };
    if ["@Microsoft.", "${", "$(", "{{", "<", "%"]
        .iter()
        .any(|begin| text.starts_with(begin))
    {
        "is a reference or a placeholder that nobody has filled in"
    } else if text.starts_with('{') {
        "is JSON without a text \"connectionString\", as 'az storage account show-connection-string' prints it; give the connection \
         string alone (-o tsv)"
    } else if is_base64() {
        "is base64 of a connection string, as in the data of a Secret; decode it first"
    } else if text.starts_with("http://") || text.starts_with("https://") {
        "is a URL; give what follows its question mark as AZURE_STORAGE_SAS_TOKEN, and what comes before as AZURE_QUEUE_ENDPOINT \
         or AZURE_TABLE_ENDPOINT"
    } else if text.contains("sig=") && pairs.value("SharedAccessSignature").is_none() {
        "has a SAS that is not the value of SharedAccessSignature=; a SAS alone belongs into AZURE_STORAGE_SAS_TOKEN"
    } else {
        "holds no SharedAccessSignature=, and is not Azurite's"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;

    #[test]
    fn the_connection_string_of_another_service_is_named_and_never_repeated() {
        for (text, service) in [
            (
                "Endpoint=sb://mine.servicebus.windows.net/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=aHVudGVyMg==",
                "Service Bus or Event Hubs",
            ),
            (
                "\"Endpoint=sb://mine.servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=aHVudGVyMg==;EntityPath=orders\"",
                "Service Bus or Event Hubs",
            ),
            (
                "endpoint=SB://mine.servicebus.windows.net/;SharedAccessSignature=SharedAccessSignature sr=x&sig=aHVudGVyMg%3D",
                "Service Bus or Event Hubs",
            ),
            (
                "Endpoint=sb://localhost;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=aHVudGVyMg==;UseDevelopmentEmulator=true;",
                "Service Bus or Event Hubs",
            ),
            (
                "AccountEndpoint=https://mine.documents.azure.com:443/;AccountKey=aHVudGVyMg==;",
                "Cosmos DB",
            ),
            (
                "HostName=mine.azure-devices.net;SharedAccessKeyName=owner;SharedAccessKey=aHVudGVyMg==",
                "IoT Hub",
            ),
            (
                "Endpoint=https://mine.azconfig.io;Id=a;Secret=aHVudGVyMg==",
                "App Configuration",
            ),
            (
                "InstrumentationKey=aHVudGVyMg;IngestionEndpoint=https://westeurope-1.in.applicationinsights.azure.com/",
                "Application Insights",
            ),
            (
                "Endpoint=https://mine.service.signalr.net;AccessKey=aHVudGVyMg==;Version=1.0;",
                "SignalR",
            ),
            (
                "endpoint=https://mine.communication.azure.com/;accesskey=aHVudGVyMg==",
                "Communication Services",
            ),
            (
                "Server=tcp:mine.database.windows.net,1433;Database=orders;User ID=a;Password=aHVudGVyMg==",
                "a database",
            ),
            (
                "mine.redis.cache.windows.net:6380,password=aHVudGVyMg==,ssl=True",
                "Redis",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            let (_, named) = error
                .split_once("it is a connection string of ")
                .expect(&error);
            assert!(named.contains(service), "{text}: {error}");
            assert!(!error.contains("aHVudGVyMg"), "{error}");
        }
    }

    #[test]
    fn what_is_no_connection_string_is_told_apart_and_never_repeated() {
        for (text, problem) in [
            (
                "https://a.queue.core.windows.net/?sv=1&sig=hunter2",
                "is a URL",
            ),
            ("sv=1&ss=q&sig=hunter2", "AZURE_STORAGE_SAS_TOKEN"),
            (
                "QueueEndpoint=https://a.queue.core.windows.net/?sv=1&sig=hunter2",
                "is not the value of SharedAccessSignature=",
            ),
            (
                "QueueEndpoint=a.queue.core.windows.net;SharedAccessSignature=sv=1&sig=hunter2",
                "makes no URL",
            ),
            (
                "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=hunter2",
                "makes no URL",
            ),
            (
                "@Microsoft.KeyVault(SecretUri=https://hunter2.vault.azure.net/secrets/c)",
                "nobody has filled in",
            ),
            (
                "{\"value\": \"AccountName=mine;SharedAccessSignature=sv=1&sig=hunter2\"}",
                "is JSON without",
            ),
            (
                "{\"connectionString\": \"AccountName=mine;SharedAccessSignature=sv=1&sig=hunter2",
                "is JSON without",
            ),
            ("${HUNTER2}", "nobody has filled in"),
            ("<hunter2>", "nobody has filled in"),
            (
                "QWNjb3VudE5hbWU9bWluZTtBY2NvdW50S2V5PWh1bnRlcjI=",
                "is base64 of a connection string",
            ),
            (
                "UseDevelopmentStorage=false",
                "holds no SharedAccessSignature=",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
            assert!(!error.to_lowercase().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn storage_is_no_other_service() {
        for text in [
            "UseDevelopmentStorage=true",
            "QueueEndpoint=https://a.queue.core.windows.net/;SharedAccessSignature=sv=1&sig=x",
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=x;EndpointSuffix=core.windows.net",
            "",
        ] {
            assert_eq!(other_service(text), None, "{text}");
        }
    }
}
