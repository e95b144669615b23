//! Rewords the HTTP client's errors about requests without an answer for people who do not know that client.

/// Texts of the client before the text that names the request.
const WRAPPED: [&str; 3] = [
    "failed to execute `reqwest` request: ",
    "failed to build `reqwest` request: ",
    "error converting `reqwest` request into a byte stream: ",
];

/// Text of the client before the URL.
const SENDING: &str = "error sending request for url (";

/// Texts of the HTTP client's internal layers, which mean nothing to a user.
const LAYERS: [&str; 8] = [
    "client error (Connect)",
    "client error (SendRequest)",
    "client error (ChannelClosed)",
    "tcp connect error",
    "tcp open error",
    "dns error",
    "connection error",
    "request or response body error",
];

/// Parts of the client's final errors, with their meaning and advice. The first match counts.
const CAUSES: [(&str, &str); 13] = [
    ("Connection refused", "nothing listens at that port"),
    (
        "failed to lookup address",
        "there is no host of that name, or no name server that knows it",
    ),
    (
        "nodename nor servname",
        "there is no host of that name, or no name server that knows it",
    ),
    (
        "No such host",
        "there is no host of that name, or no name server that knows it",
    ),
    (
        "UnknownIssuer",
        "its certificate is by nobody that this machine trusts",
    ),
    ("Expired", "its certificate has expired"),
    ("NotValidForName", "its certificate is for another host"),
    (
        "InvalidContentType",
        "what answers there speaks no TLS; write http:// if that is meant",
    ),
    ("timed out", "no answer came in time"),
    ("reset by peer", "the other side broke the connection off"),
    ("Broken pipe", "the other side broke the connection off"),
    (
        "closed before message completed",
        "the other side closed the connection before its answer",
    ),
    ("unreachable", "no network leads there"),
];

/// Rewords the HTTP client's errors in `text` about a request without an answer: which host, why, and what that means. The
/// client's last cause is kept, so that it can be looked up.
pub fn plainly(text: &str) -> String {
    let mut text = text.to_owned();
    for wrapped in WRAPPED {
        text = text.replace(wrapped, "");
    }
    let Some((before, rest)) = text.split_once(SENDING) else {
        return text.replace("error decoding response body", "the answer broke off");
    };
    let Some((url, after)) = rest.split_once(')') else {
        return text;
    };
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let is_connect = after.contains("client error (Connect)");
    let layers = after.split(": ").map(str::trim);
    let layers = layers.filter(|layer| !layer.is_empty() && !LAYERS.contains(layer));
    let mut said: Vec<&str> = Vec::new();
    for layer in layers {
        let layer = layer.split(" (os error").next().unwrap_or(layer);
        if said.last() != Some(&layer) {
            said.push(layer);
        }
    }
    let said = said.join(": ");
    let what = if is_connect {
        format!("no connection to {host}")
    } else {
        format!("no answer from {host}")
    };
    let mut causes = CAUSES.into_iter();
    match causes.find(|(part, _)| after.contains(part)) {
        Some((_, meaning)) => format!("{before}{what}: {meaning} ({said})"),
        None if said.is_empty() => format!("{before}{what}"),
        None => format!("{before}{what}: {said}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_the_client_says_becomes_host_cause_and_meaning() {
        for (said, told) in [
            (
                "failed to execute `reqwest` request: error sending request for url (http://127.0.0.1:1/a/work?sig=[redacted]&sv=1): client \
                 error (Connect): tcp connect error: Connection refused (os error 111)",
                "no connection to 127.0.0.1:1: nothing listens at that port (Connection refused)",
            ),
            (
                "ask for prices: error sending request for url (https://prices.azure.com/api?x=1): client error (Connect): dns error: \
                 failed to lookup address information: Name or service not known",
                "ask for prices: no connection to prices.azure.com: there is no host of that name, or no name server that knows it (failed \
                 to lookup address information: Name or service not known)",
            ),
            (
                "error sending request for url (https://a/): client error (Connect): invalid peer certificate: UnknownIssuer",
                "no connection to a: its certificate is by nobody that this machine trusts (invalid peer certificate: UnknownIssuer)",
            ),
            (
                "failed to execute `reqwest` request: error sending request for url (http://a:1/): client error (SendRequest): connection \
                 error: Connection reset by peer (os error 104)",
                "no answer from a:1: the other side broke the connection off (Connection reset by peer)",
            ),
            (
                "error sending request for url (http://a:1/)",
                "no answer from a:1",
            ),
            (
                "error sending request for url (http://a:1/): client error (Connect): strange",
                "no connection to a:1: strange",
            ),
            ("the table is full", "the table is full"),
        ] {
            assert_eq!(plainly(said), told);
        }
    }

    /// The client's texts depend on its version: this test fails if they change.
    #[tokio::test]
    async fn a_port_at_which_nothing_listens_is_told_as_that() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10));
        let url = format!("http://{address}/a");
        let error = client.build().unwrap().get(url).send().await.unwrap_err();
        let told = plainly(&format!("{:#}", anyhow_chain(&error)));
        let expected = format!(
            "no connection to {address}: nothing listens at that port (Connection refused)"
        );
        assert_eq!(told, expected);
    }

    fn anyhow_chain(error: &dyn std::error::Error) -> String {
        let sources = std::iter::successors(Some(error), |error| error.source());
        let texts: Vec<_> = sources.map(ToString::to_string).collect();
        texts.join(": ")
    }
}
