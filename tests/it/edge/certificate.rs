//! Certificates that are made for one test.
//!
//! Owns their shapes: who signs, for whom, until when. It must not know connections.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What a server shows, and what a client must trust for it.
pub(super) struct Certificate {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) pem: String,
}

fn params(names: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(hosts).expect("these are names");
    let name = if names.is_empty() {
        "an authority"
    } else {
        "a server"
    };
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn alone(params: &CertificateParams) -> Certificate {
    let key = KeyPair::generate().expect("a key");
    let made = params.self_signed(&key).expect("a certificate");
    Certificate {
        chain: vec![made.der().clone()],
        key: key.into(),
        pem: made.pem(),
    }
}

/// One that vouches for itself.
pub(super) fn self_signed(names: &[&str]) -> Certificate {
    alone(&params(names))
}

/// One that vouched for itself until some years ago.
pub(super) fn expired(names: &[&str]) -> Certificate {
    let mut params = params(names);
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(2020, 1, 1);
    alone(&params)
}

/// One that may vouch for others, shown by a server all the same: what `openssl req -x509` makes if it is told nothing.
pub(super) fn authority_itself(names: &[&str]) -> Certificate {
    let mut params = params(names);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    alone(&params)
}

/// One of an authority; the client trusts the authority only.
pub(super) fn of_an_authority(names: &[&str]) -> Certificate {
    let mut authority = params(&[]);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let made = params(names).signed_by(&key, &authority);
    Certificate {
        chain: vec![made.expect("a certificate").der().clone()],
        key: key.into(),
        pem: authority.pem(),
    }
}
