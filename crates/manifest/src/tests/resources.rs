//! Tests of the advice on requests and limits.

use super::*;

#[test]
fn advice_for_requests_and_limits_names_what_is_missing_and_no_more() {
    let advice = |resources: Value| {
        let mut documents = base();
        let pointer = "/spec/template/spec/containers/0/resources";
        plant(&mut documents, "Deployment", pointer, resources);
        let problems = check(&Manifests::from_documents(&documents).unwrap());
        problems.into_iter().map(|it| it.advice).collect::<Vec<_>>()
    };
    let request = |what: &str| format!("request {what}: nodes are bought by what is requested");
    let limit = "limit memory: a container without a limit may take that of all others on its node";
    let both = json!({"cpu": "250m", "memory": "64Mi"});
    for (resources, told) in [
        (json!({"requests": both}), limit.to_owned()),
        (json!({"limits": both}), request("cpu and memory")),
        (
            json!({"requests": {"memory": "64Mi"}, "limits": both}),
            request("cpu"),
        ),
        (json!({}), format!("{}; {limit}", request("cpu and memory"))),
    ] {
        assert_eq!(advice(resources), [told]);
    }
}
