//! TLS with certificates named by the user.
//!
//! `openssl req -x509` makes a self-signed certificate that is also a certificate authority. rustls rejects
//! such a certificate as a server's own certificate, though MLflow's client accepts it. Here it is accepted
//! if it is exactly one of the certificates that the user named.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::system::files;

/// The TLS configuration with the user's trusted certificates and, optionally, a client certificate with its key. Each is
/// a file in PEM format, with the name of the setting that it comes from, for messages.
///
/// # Errors
/// When a file is invalid: which one, and why.
pub fn config(
    (name, server): (&str, &Path),
    client: Option<(&str, &Path)>,
) -> Result<ClientConfig, String> {
    let unusable = |error: &dyn std::fmt::Display| {
        format!("{name}: {} can't be used: {error}.", server.display())
    };
    let named: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(name, server)?)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(&error))?;
    if named.is_empty() {
        return Err(format!("{name}: {} has no certificate in PEM format.", server.display()));
    }
    let mut roots = RootCertStore::empty();
    for certificate in &named {
        roots.add(certificate.clone()).map_err(|error| unusable(&error))?;
    }
    let inner =
        WebPkiServerVerifier::builder(roots.into()).build().map_err(|error| unusable(&error))?;
    let builder = ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier { inner, named }));
    let Some((name, path)) = client else { return Ok(builder.with_no_client_auth()) };
    let unusable = |error: &dyn std::fmt::Display| {
        format!("{name}: {} can't be used: {error}.", path.display())
    };
    let text = read(name, path)?;
    let own = CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>();
    let own = own.map_err(|error| unusable(&error))?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| unusable(&error))?;
    builder.with_client_auth_cert(own, key).map_err(|error| unusable(&error))
}

/// The content of a file that a setting names.
///
/// # Errors
/// When the file can't be read: which one, and why.
pub fn read(name: &str, path: &Path) -> Result<Vec<u8>, String> {
    files::read(path, 4 << 20).map_err(|error| format!("{name}: {}: {error}.", path.display()))
}

#[derive(Debug)]
struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.inner.verify_server_cert(server, between, name, ocsp, now) {
            // The verifier has already checked the certificate's validity period.
            Err(Error::InvalidCertificate(CertificateError::Other(error)))
                if error.to_string().contains("CaUsedAsEndEntity")
                    && self.named.contains(server) =>
            {
                let parsed = ParsedCertificate::try_from(server)?;
                rustls::client::verify_server_name(&parsed, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
