//! What is wrong with a server's certificate, its key or its CA; and, of a handshake, in words.

use std::fmt;

use herd_proto::Escaped;
use rustls::{CertificateError, InvalidMessage, PeerIncompatible};

use super::Moment;

/// What is wrong with the files of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct TlsError {
    /// In which file.
    pub file: TlsFile,
    /// What.
    pub problem: Problem,
}

/// One of the files of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFile {
    /// The certificate, and those between it and the CA.
    Certificate,
    /// The private key.
    Key,
    /// The CAs.
    Ca,
}

impl TlsFile {
    /// Its key in table `[tls]`.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
            Self::Ca => "ca",
        }
    }

    pub(super) fn fault(self) -> impl Fn(Problem) -> TlsError {
        move |problem| TlsError { file: self, problem }
    }
}

impl fmt::Display for TlsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// What is wrong with one of the files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// No such thing in it, or not in PEM.
    #[error("holds no {0} in PEM")]
    NotPem(&'static str),
    /// The PEM is of something that is no certificate.
    #[error("holds a certificate that cannot be read")]
    NotACertificate,
    /// The certificate is not of this server.
    #[error("is no certificate of this server: its names are {}, not the URI {}", Names(.found), Escaped(.wanted.as_bytes()))]
    OtherName {
        /// The name it should have.
        wanted: String,
        /// The names it has.
        found: Vec<String>,
    },
    /// A certificate's time is over.
    #[error("expired at {0}")]
    Expired(Moment),
    /// A certificate's time has not come, or this machine's clock is wrong.
    #[error("is not valid before {0}")]
    NotYet(Moment),
    /// The key is that of another certificate.
    #[error("is not the key of the certificate")]
    OtherKey,
    /// No CA, or the certificate is not for servers that also dial.
    #[error("is not vouched for by the CA: {0}")]
    NotVouched(String),
    /// Servers can't meet without a CA.
    #[error("is missing: servers prove themselves by certificates of a CA; or set peers = false")]
    NoCa,
    /// It can't be used for another reason: what the library says.
    #[error("cannot be used: {0}")]
    Unusable(String),
}

/// Names, for people.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (index, name) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { ", " };
            write!(f, "{between}{}", Escaped(name.as_bytes()))?;
        }
        Ok(())
    }
}

/// What rustls says, where an operator can make more of other words.
pub(super) fn words(error: &rustls::Error) -> String {
    use rustls::Error;
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => "what came is not TLS".to_owned(),
        Error::NoCertificatesPresented => "no certificate was shown".to_owned(),
        Error::PeerIncompatible(PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon) => {
            "no kind of signature in common".to_owned()
        }
        Error::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "the certificate is of another CA".to_owned()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the certificate has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the certificate is not valid yet".to_owned()
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                "the certificate is not meant for this use (servers need both serverAuth and clientAuth)".to_owned()
            }
            CertificateError::Other(other) => other.to_string(),
            error => format!("the certificate is not accepted: {error}"),
        },
        Error::AlertReceived(alert) => format!("refused by the other end: {alert:?}"),
        error => error.to_string(),
    }
}
