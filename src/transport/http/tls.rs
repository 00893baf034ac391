//! TLS: the operating system's certificates, and those that were added.
//!
//! Owns the configuration. It must not know what goes over the connection.

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;

use crate::error::{Error, Result};
use crate::sync::Arc;

/// A configuration that trusts what the operating system trusts, and `roots`.
///
/// The cryptography is named here and not taken from the process, so that nothing depends on what else is linked in.
pub(crate) fn config(roots: &[CertificateDer<'static>]) -> Result<ClientConfig> {
    let failed = |source: rustls::Error| {
        Error::connect("TLS cannot be set up on this system").with_source(source)
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(roots.iter().cloned(), provider.clone());
    let verifier = Arc::new(verifier.map_err(failed)?);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}
