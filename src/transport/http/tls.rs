//! TLS: the operating system's certificates, and those that were added.
//!
//! Owns the configuration. It must not know what goes over the connection.

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::error::{Error, Result};
use crate::sync::Arc;

/// What TLS agrees on with the server.
const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// What TLS has to be able to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs<'a> {
    /// Whether the server is to be reached by TLS, and not only what it may redirect to.
    pub(crate) secure: bool,
    /// What is trusted beside what the operating system trusts.
    pub(crate) roots: &'a [CertificateDer<'static>],
    /// Whether it must be HTTP/2.
    pub(crate) prior_knowledge: bool,
}

/// A configuration for these needs.
///
/// The cryptography is named here and not taken from the process, so that nothing depends on what else is linked in.
pub(crate) fn config(needs: Needs<'_>) -> Result<ClientConfig> {
    let failed = |source: rustls::Error| {
        Error::connect("TLS cannot be set up on this system").with_source(source)
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let builder = match Verifier::new_with_extra_roots(needs.roots.iter().cloned(), provider) {
        Ok(verifier) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier)),
        // Small containers have no certificates at all, and plain HTTP needs none.
        Err(error) if !needs.secure && needs.roots.is_empty() => {
            tracing::debug!(%error, "no certificate will be trusted");
            builder.with_root_certificates(RootCertStore::empty())
        }
        Err(error) => return Err(failed(error)),
    };
    let mut config = builder.with_no_client_auth();
    // The HTTP client takes a configuration as it is given: without this nothing is agreed on, and it stays HTTP/1.1.
    config.alpn_protocols.push(HTTP_2.to_vec());
    if !needs.prior_knowledge {
        config.alpn_protocols.push(HTTP_1.to_vec());
    }
    Ok(config)
}
