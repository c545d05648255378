//! What a certificate says of itself, for a person. Nothing is decided by it: who is trusted was decided where the
//! connection was made. Four members are read of X.509 (RFC 5280 §4.1), which needs no library of its size.

/// Longest name, in characters.
const MAX_NAME: usize = 100;

/// Names of products that stand between their users and every server, as they stand in their certificates.
const INTERCEPTORS: [&str; 17] = [
    "Zscaler",
    "Netskope",
    "Fortinet",
    "FortiGate",
    "Palo Alto",
    "Sophos",
    "Kaspersky",
    "ESET",
    "Bitdefender",
    "Avast",
    "AVG",
    "Cisco Umbrella",
    "Blue Coat",
    "mitmproxy",
    "Charles Proxy",
    "PortSwigger",
    "Fiddler",
];

/// One certificate of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Whom it is for.
    pub(super) subject: String,
    /// Who signed it.
    pub(super) issuer: String,
    /// The last day on which it is good: `2027-01-31`.
    pub(super) until: String,
}

impl Certificate {
    /// Reads DER; `None` if it is no certificate.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let mut signed = Der(Der(der).take(SEQUENCE)?).within(SEQUENCE)?;
        if signed.0.first() == Some(&VERSION) {
            signed.take(VERSION)?;
        }
        signed.take(INTEGER)?;
        signed.take(SEQUENCE)?;
        let issuer = name(signed.within(SEQUENCE)?);
        let mut validity = signed.within(SEQUENCE)?;
        validity.next()?;
        let (kind, end) = validity.next()?;
        let subject = name(signed.within(SEQUENCE)?);
        Some(Self { subject, issuer, until: day(kind, end)? })
    }

    /// The product that made it in place of the server's own, if it is a known one.
    pub(super) fn interceptor(&self) -> Option<&'static str> {
        INTERCEPTORS.into_iter().find(|name| self.issuer.contains(name))
    }

    /// In one line.
    pub(super) fn shown(&self) -> String {
        format!("{}, issued by {}, until {}", self.subject, self.issuer, self.until)
    }
}

const INTEGER: u8 = 0x02;
const OID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;

/// Values of DER, one behind the other (X.690 §8.1).
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value and its kind.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&kind, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((kind, value))
    }

    /// The next value, if it is of this kind.
    fn take(&mut self, kind: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    /// What the next value consists of.
    fn within(&mut self, kind: u8) -> Option<Self> {
        self.take(kind).map(Self)
    }
}

/// A distinguished name by its common name and organization.
fn name(mut parts: Der<'_>) -> String {
    const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
    const ORGANIZATION: [u8; 3] = [0x55, 4, 10];
    let (mut common, mut organization) = (None, None);
    while let Some(mut part) = parts.within(SET) {
        let Some(mut pair) = part.within(SEQUENCE) else { continue };
        let (Some(kind), Some((_, value))) = (pair.take(OID), pair.next()) else { continue };
        let text = || crate::printable::one_line(&String::from_utf8_lossy(value), MAX_NAME);
        if kind == COMMON_NAME {
            common = Some(text());
        } else if kind == ORGANIZATION {
            organization = Some(text());
        }
    }
    match (common, organization) {
        (Some(common), Some(organization)) if common != organization => {
            format!("`{common}` ({organization})")
        }
        (Some(one), _) | (None, Some(one)) => format!("`{one}`"),
        (None, None) => "nobody by name".to_owned(),
    }
}

/// The day of a time (RFC 5280 §4.1.2.5).
fn day(kind: u8, time: &[u8]) -> Option<String> {
    let digits = std::str::from_utf8(time).ok().filter(|text| text.is_ascii())?;
    let (year, rest) = match kind {
        UTC_TIME => {
            let (year, rest) = digits.split_at_checked(2)?;
            let century = if year < "50" { "20" } else { "19" };
            (format!("{century}{year}"), rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = digits.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    Some(format!("{year}-{}-{}", rest.get(..2)?, rest.get(2..4)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    fn certificate(year: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(["h.example".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "h\u{1b}[31m.example");
        params.distinguished_name.push(DnType::OrganizationName, "Zscaler Inc.");
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 1, 31);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_says_whom_it_is_for_who_signed_it_and_how_long_it_is_good() {
        for year in [2049, 2050, 2150] {
            let read = Certificate::read(&certificate(year)).unwrap();
            let name = "`h[31m.example` (Zscaler Inc.)";
            assert_eq!(read.shown(), format!("{name}, issued by {name}, until {year}-01-31"));
            assert_eq!(read.interceptor(), Some("Zscaler"));
        }
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        let whole = certificate(2049);
        for length in 0..whole.len() {
            // Nothing but the signature may be missing.
            let _ = Certificate::read(&whole[..length]);
        }
        for odd in
            [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03\x30\x01\x02", &[0; 99]]
        {
            assert_eq!(Certificate::read(odd), None);
        }
    }
}
