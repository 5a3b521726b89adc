//! The known answers of herd-proto about whole links: what a server hears, and what it must say.

use herd_node::replica::Settings;
use herd_node::secret::Secret;
use herd_proto::{Nonce, vectors};
use serde_json::Value;

use super::desk::{Desk, millis};

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string"))
}

fn settings(server: &Value) -> Settings {
    let peers = server["peers"].as_array().unwrap().iter().map(|name| string(name).to_owned()).collect();
    let mut settings = Settings::new(string(&server["herd"]), string(&server["name"]), peers);
    settings.boot = u64::from_str_radix(string(&server["boot"]), 16).unwrap();
    settings.secrets = vec![Secret::new(string(&server["secret"]).as_bytes())];
    settings
}

fn nonce(server: &Value) -> Nonce {
    Nonce(u128::from_str_radix(string(&server["nonce"]), 16).unwrap().to_be_bytes())
}

#[test]
fn links() {
    let file: Value = serde_json::from_str(vectors::LINKS).unwrap();
    let all = file["vectors"].as_array().unwrap();
    assert!(all.len() >= 30, "{}", all.len());
    for vector in all {
        hold(&format!("links.json {}", vector["id"]), vector);
    }
}

fn hold(name: &str, vector: &Value) {
    let server = &vector["server"];
    let mut desk = Desk::new(settings(server));
    for record in vector["holds"].as_array().unwrap() {
        desk.post(&format!("AT {}", string(record)));
    }
    let link = if vector["role"] == "dialer" {
        desk.pass(millis(0));
        let peer = desk.dials()[0];
        desk.replica.handle_dialed(desk.now, peer, nonce(server))
    } else {
        desk.replica.handle_accepted(desk.now, nonce(server)).expect("there is room")
    };
    let mut said = desk.hear(link);
    for line in vector["lines"].as_array().unwrap() {
        if let Some(heard) = line["heard"].as_str() {
            assert_eq!(said, "", "{name}: expected nothing before {heard}");
            said = desk.ask(link, &format!("{heard}\n"));
        } else if let Some(code) = line["refused"].as_str() {
            assert!(said.starts_with(&format!("ERR {code} ")), "{name}: expected ERR {code}, got {said}");
            assert!(desk.replica.is_closing(link), "{name}: expected the end of the link");
            said = said.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned());
        } else {
            let (first, rest) = said.split_once('\n').unwrap_or((&said, ""));
            assert_eq!(first, string(&line["said"]), "{name}: expected is on the right");
            said = rest.to_owned();
        }
    }
    assert_eq!(said, "", "{name}: expected no more");
}
