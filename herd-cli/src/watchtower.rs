//! Servers at their admin addresses, as this program asks them.

use std::time::Duration;

use herd_cli::{Address, AdminServer};

/// The environment variable with the token that admin listeners may want.
pub(crate) const TOKEN_VARIABLE: &str = "HERD_ADMIN_TOKEN";

/// The server that answers at `address`, and is shown the environment's token if there is one.
pub(crate) fn admin_server(address: &Address, timeout: Duration) -> AdminServer {
    let server = AdminServer::new(address.clone(), timeout);
    match std::env::var(TOKEN_VARIABLE) {
        Ok(token) if !token.is_empty() => server.with_token(token),
        _ => server,
    }
}
