//! `private_key_jwt`: a client that proves who it is with a signature (RFC 7523 §2.2, §3).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::failure::{Failure, FailureKind};
use super::random;
use crate::clock::Moment;
use crate::secret::Secret;

/// How long an assertion counts, in seconds.
const LIFETIME: u64 = 120;

/// A private key and how to sign with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientKey {
    /// PKCS#8 in PEM, or PKCS#1 for RSA.
    #[serde(with = "crate::secret::exposed")]
    pub pem: Secret<String>,
    /// JWS algorithm; none: the key's usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
}

enum Key {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, &'static dyn signature::RsaEncoding),
}

impl ClientKey {
    /// An assertion of this client for an audience (the issuer, or the token endpoint where the issuer
    /// is not known).
    ///
    /// # Errors
    /// The key can't be used.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: Moment,
    ) -> Result<Secret<String>, Failure> {
        let (algorithm, key) = self.load()?;
        let issued = now.unix_seconds();
        let header = json!({"alg": algorithm, "typ": "JWT"});
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "jti": random::token()?.expose(),
            "iat": issued,
            "exp": issued + LIFETIME,
        });
        let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let signature = key.sign(message.as_bytes()).ok_or_else(|| unusable("it can't sign"))?;
        Ok(Secret::new(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }

    fn load(&self) -> Result<(&'static str, Key), Failure> {
        let (label, der) = decode(self.pem.expose()).ok_or_else(|| {
            unusable("it is no PEM file with a private key (`BEGIN PRIVATE KEY`)")
        })?;
        let rsa = || match label {
            Label::Rsa => RsaKeyPair::from_der(&der).ok(),
            Label::Pkcs8 => RsaKeyPair::from_pkcs8(&der).ok(),
        };
        let rsa = |padding| Some(Key::Rsa(rsa()?, padding));
        let ecdsa = |algorithm| {
            EcdsaKeyPair::from_pkcs8(algorithm, &der, &SystemRandom::new()).ok().map(Key::Ecdsa)
        };
        let (p256, p384) = (
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        );
        let as_algorithm = |name: &str| -> Option<(&'static str, Key)> {
            Some(match name {
                "ES256" => ("ES256", ecdsa(p256)?),
                "ES384" => ("ES384", ecdsa(p384)?),
                "EdDSA" => {
                    ("EdDSA", Key::Ed25519(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok()?))
                }
                "RS256" => ("RS256", rsa(&signature::RSA_PKCS1_SHA256)?),
                "RS384" => ("RS384", rsa(&signature::RSA_PKCS1_SHA384)?),
                "RS512" => ("RS512", rsa(&signature::RSA_PKCS1_SHA512)?),
                "PS256" => ("PS256", rsa(&signature::RSA_PSS_SHA256)?),
                _ => return None,
            })
        };
        let usual = ["ES256", "ES384", "EdDSA", "RS256"];
        match &self.algorithm {
            Some(name) => as_algorithm(name)
                .ok_or_else(|| unusable("it is not for the algorithm that was asked for")),
            None => usual
                .into_iter()
                .find_map(as_algorithm)
                .ok_or_else(|| unusable("it is of a kind that is not known here")),
        }
    }
}

impl Key {
    fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(key) => key.sign(&random, message).ok().map(|it| it.as_ref().to_vec()),
            Self::Ed25519(key) => Some(key.sign(message).as_ref().to_vec()),
            Self::Rsa(key, padding) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(*padding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Label {
    Pkcs8,
    Rsa,
}

fn decode(pem: &str) -> Option<(Label, Vec<u8>)> {
    let within = |label: &str| {
        let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        let body: String = body.split_ascii_whitespace().collect();
        STANDARD.decode(body).ok()
    };
    within("PRIVATE KEY")
        .map(|der| (Label::Pkcs8, der))
        .or_else(|| within("RSA PRIVATE KEY").map(|der| (Label::Rsa, der)))
}

fn unusable(why: &str) -> Failure {
    Failure::new(FailureKind::Settings, "the client's private key can't be used")
        .because(why)
        .hint("give a key in PKCS#8, as `openssl pkcs8 -topk8 -nocrypt` writes it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::KeyPair;

    fn pem(der: &[u8]) -> Secret<String> {
        let body = STANDARD.encode(der);
        Secret::new(format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"))
    }

    #[test]
    fn an_assertion_is_signed_and_says_who_for_whom_and_until_when() {
        let random = SystemRandom::new();
        let fixed = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let der = EcdsaKeyPair::generate_pkcs8(fixed, &random).unwrap();
        let public = EcdsaKeyPair::from_pkcs8(fixed, der.as_ref(), &random).unwrap();
        let key = ClientKey { pem: pem(der.as_ref()), algorithm: None };
        let now = Moment::from_unix_seconds(1000);
        let assertion = key.assertion("me", "https://as.example", now).unwrap();
        let (message, signature) = assertion.expose().rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        signature::UnparsedPublicKey::new(
            &signature::ECDSA_P256_SHA256_FIXED,
            public.public_key().as_ref(),
        )
        .verify(message.as_bytes(), &signature)
        .unwrap();
        let claims = URL_SAFE_NO_PAD.decode(message.split_once('.').unwrap().1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!((&claims["iss"], &claims["sub"]), (&json!("me"), &json!("me")));
        assert_eq!((&claims["aud"], &claims["exp"]), (&json!("https://as.example"), &json!(1120)));
    }

    #[test]
    fn a_key_that_can_not_be_used_is_told_apart() {
        let ed = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let key = |pem, algorithm: Option<&str>| ClientKey {
            pem,
            algorithm: algorithm.map(str::to_owned),
        };
        let now = Moment::from_unix_seconds(1000);
        assert!(key(pem(ed.as_ref()), None).assertion("me", "x", now).is_ok());
        for bad in [
            key(Secret::new("canary".into()), None),
            key(pem(b"canary"), None),
            key(pem(ed.as_ref()), Some("ES256")),
            key(pem(ed.as_ref()), Some("none")),
        ] {
            let failure = bad.assertion("me", "x", now).unwrap_err();
            assert_eq!(failure.kind, FailureKind::Settings);
            assert!(!format!("{failure:?}{bad:?}").contains("canary"));
        }
    }
}
