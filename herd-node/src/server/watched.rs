//! A server's admin listener, where there is one and the program has it (feature `admin`).

use std::net::SocketAddr;
use std::sync::Arc;

use super::{BindError, listen};
#[cfg(feature = "admin")]
use crate::admin::Admin;
use crate::config::Config;
use crate::disk;
use crate::net::Shared;
use crate::status::Lookout;

/// See the module.
#[derive(Debug)]
pub(super) struct Watched {
    address: Option<SocketAddr>,
    #[cfg(feature = "admin")]
    admin: Option<Admin>,
}

impl Watched {
    /// Listens at `address`.
    pub(super) async fn bind(config: &Config, name: &str, address: Option<SocketAddr>) -> Result<Self, BindError> {
        let Some(address) = address else {
            return Ok(Self {
                address: None,
                #[cfg(feature = "admin")]
                admin: None,
            });
        };
        if !cfg!(feature = "admin") {
            return Err(BindError::NoAdmin { name: name.to_owned() });
        }
        let (listener, address) = listen(name, "admin", address).await?;
        #[cfg(not(feature = "admin"))]
        let _ = (listener, config);
        Ok(Self {
            address: Some(address),
            #[cfg(feature = "admin")]
            admin: Some(Admin::new(listener, address, config.admin_token.clone())),
        })
    }

    /// Where it listens.
    pub(super) const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// What is to be told how far reading the disk log has come.
    pub(super) fn on_progress(&self) -> impl Fn(&disk::Progress) + Send + Sync + use<> {
        #[cfg(feature = "admin")]
        let recovery = self.admin.as_ref().map(Admin::recovery);
        move |progress| {
            #[cfg(feature = "admin")]
            if let Some(recovery) = &recovery {
                recovery.is_at(progress.records, progress.bytes, progress.bytes_total);
            }
            #[cfg(not(feature = "admin"))]
            let _ = progress;
        }
    }

    /// Does `work`, which makes the server, and answers meanwhile that there is none yet.
    pub(super) async fn answer_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        #[cfg(feature = "admin")]
        if let Some(admin) = &mut self.admin {
            return admin.answer_during(work).await;
        }
        work.await
    }

    /// There is a server from now on.
    pub(super) fn open(&self, shared: &Arc<Shared>, lookout: &Arc<Lookout>) {
        #[cfg(feature = "admin")]
        if let Some(admin) = &self.admin {
            admin.open(shared, lookout);
        }
        #[cfg(not(feature = "admin"))]
        let _ = (shared, lookout);
    }

    /// Answers until the links have ended.
    pub(super) async fn serve(self, shared: &Arc<Shared>) {
        #[cfg(feature = "admin")]
        if let Some(admin) = self.admin {
            admin.serve(shared).await;
        }
        #[cfg(not(feature = "admin"))]
        let _ = shared;
    }
}
