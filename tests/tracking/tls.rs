//! Servers with certificates: which are trusted, which are not, and what is told then.

use std::fs;
use std::io::Read;
use std::net::{Shutdown, TcpListener};
use std::path::Path;
use std::sync::Arc;

use mlops_tui::tracking::entities::View;
use mlops_tui::tracking::filter::Expr;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::breaking::request;
use crate::faulty::{ok, send};
use crate::servers::store;

const SERVER: &str = "MLFLOW_TRACKING_SERVER_CERT_PATH";
const CLIENT: &str = "MLFLOW_TRACKING_CLIENT_CERT_PATH";
const INSECURE: &str = "MLFLOW_TRACKING_INSECURE_TLS";

/// A certificate and its key.
struct Own {
    pem: String,
    key: KeyPair,
    chain: Vec<CertificateDer<'static>>,
}

impl Own {
    /// A certificate for a name that nobody else signed.
    fn alone(name: &str, is_authority: bool) -> Self {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        Own { pem: own.pem(), key, chain: vec![own.der().clone()] }
    }

    /// One that an authority signed; and the authority's, as PEM.
    fn signed(name: &str) -> (Self, String) {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let own = params.signed_by(&key, &issuer).unwrap();
        (Own { pem: own.pem(), key, chain: vec![own.der().clone()] }, authority.pem())
    }

    fn private(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// A file with the certificate and its key.
    fn write(&self, path: &Path) {
        fs::write(path, format!("{}{}", self.pem, self.key.serialize_pem())).unwrap();
    }
}

/// A server with a certificate, and perhaps a demand for the client's.
fn serve(own: &Own, client: Option<&Own>) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = match client {
        None => ServerConfig::builder().with_no_client_auth(),
        Some(client) => {
            let mut roots = RootCertStore::empty();
            roots.add(client.chain[0].clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder(roots.into()).build().unwrap();
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    let config = Arc::new(builder.with_single_cert(own.chain.clone(), own.private()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            if !request(&mut stream).is_empty() {
                let reply = ok(r#"{"experiments": [{"experiment_id": "7", "name": "x"}]}"#);
                // The client may have gone.
                let _ = send(&mut stream, &reply);
            }
            // An alert arrives only if all that was sent is read.
            let _ = stream.sock.shutdown(Shutdown::Write);
            let _ = stream.sock.read_to_end(&mut Vec::new());
        }
    });
    format!("https://{address}")
}

fn ask(uri: &str, variables: &[(&str, &str)]) -> Result<usize, String> {
    let variables = [variables, &[("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")]].concat();
    let found = store(uri, &variables).experiments(&Expr::default(), &[], View::All, 0);
    found.map(|found| found.items.len()).map_err(|error| error.to_string())
}

#[test]
fn a_certificate_is_trusted_when_its_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (file, other) = (folder.path().join("server.pem"), folder.path().join("other.pem"));
    let (path, other_path) = (file.to_str().unwrap(), other.to_str().unwrap());
    fs::write(&other, Own::alone("127.0.0.1", true).pem).unwrap();
    let (by_authority, authority) = Own::signed("127.0.0.1");
    // `openssl req -x509` makes its certificates authorities; others don't.
    let alone = [Own::alone("127.0.0.1", false), Own::alone("127.0.0.1", true)];
    let alone = alone.map(|own| (own.pem.clone(), own));
    for (trusted, own) in alone.into_iter().chain([(authority, by_authority)]) {
        fs::write(&file, trusted).unwrap();
        let uri = serve(&own, None);
        let text = ask(&uri, &[]).unwrap_err();
        assert!(text.contains("no secure connection: invalid peer certificate: "), "{text}");
        assert!(
            text.contains(&format!("{SERVER} names the certificate that signed the server's")),
            "{text}"
        );
        assert!(!text.contains("tried"), "it is not asked again: {text}");
        let text = ask(&uri, &[(SERVER, other_path)]).unwrap_err();
        assert!(
            text.contains(&format!("{SERVER} ({other_path}) must hold the certificate")),
            "{text}"
        );
        assert_eq!(ask(&uri, &[(SERVER, path)]), Ok(1));
        assert_eq!(ask(&uri, &[(INSECURE, "true")]), Ok(1));
    }
}

#[test]
fn a_certificate_of_another_host_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.pem");
    let path = file.to_str().unwrap();
    for is_authority in [false, true] {
        let own = Own::alone("mlflow.example", is_authority);
        fs::write(&file, &own.pem).unwrap();
        let uri = serve(&own, None);
        let text = ask(&uri, &[(SERVER, path)]).unwrap_err();
        assert!(text.contains("no secure connection: "), "{text}");
        assert!(text.contains("The URI must name the host as the certificate does"), "{text}");
        assert_eq!(ask(&uri, &[(INSECURE, "true")]), Ok(1));
    }
}

#[test]
fn a_server_that_demands_a_certificate_is_shown_one() {
    let folder = tempfile::tempdir().unwrap();
    let (file, client) = (folder.path().join("server.pem"), folder.path().join("client.pem"));
    let (own, me) = (Own::alone("127.0.0.1", false), Own::alone("ada", false));
    fs::write(&file, &own.pem).unwrap();
    me.write(&client);
    let uri = serve(&own, Some(&me));
    let trusted = (SERVER, file.to_str().unwrap());
    let text = ask(&uri, &[trusted]).unwrap_err();
    assert!(text.contains("no secure connection: "), "{text}");
    assert!(
        text.contains(&format!("It wants a certificate of yours: {CLIENT} names it")),
        "{text}"
    );
    assert_eq!(ask(&uri, &[trusted, (CLIENT, client.to_str().unwrap())]), Ok(1));
}
