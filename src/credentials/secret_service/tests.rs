//! A session bus and a keychain that keep to a script, at the other end of a pair of sockets.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::bus::{Bus, BusError};
use super::service::Service;
use super::wire::{HEAD, Malformed, Message, Writer, field};
use crate::credentials::error::KeychainError;
use crate::credentials::item::Item;

const PATIENCE: Duration = Duration::from_millis(300);
/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(20);
const ITEM: &str = "/org/freedesktop/secrets/collection/login/7";
const PROMPT: &str = "/org/freedesktop/secrets/prompt/p1";
const COMPLETED: [&str; 2] = ["org.freedesktop.Secret.Prompt", "Completed"];

/// What is to be sent: its kind, the call that it answers, and what else is in its header.
struct Sent<'a> {
    kind: u8,
    answers: u32,
    path: &'a str,
    member: [&'a str; 2],
    error: &'a str,
    sender: &'a str,
    types: &'a str,
    body: Writer,
}

impl Sent<'_> {
    fn answer(call: u32) -> Self {
        let body = Writer::default();
        let (path, member, error) = ("", [""; 2], "");
        Self { kind: 2, answers: call, path, member, error, sender: ":1.5", types: "", body }
    }

    fn bytes(self) -> Vec<u8> {
        let body = self.body.finish();
        let mut message = Writer::default();
        message.byte(b'l').byte(self.kind).byte(1).byte(1);
        message.number(u32::try_from(body.len()).unwrap()).number(77);
        message.array(8, |fields| {
            // What a later specification may add.
            field(fields, 200, "v").signature("a{sv}").number(0);
            let member = self.member;
            for (code, text) in [(1, self.path), (2, member[0]), (3, member[1]), (4, self.error)] {
                if !text.is_empty() {
                    field(fields, code, if code == 1 { "o" } else { "s" }).text(text);
                }
            }
            field(fields, 5, "u").number(self.answers);
            field(fields, 7, "s").text(self.sender);
            field(fields, 8, "g").signature(self.types);
        });
        message.structure();
        let mut bytes = message.finish();
        bytes.extend(body);
        bytes
    }
}

/// The end of the bus.
struct Peer {
    stream: UnixStream,
    /// The serial of the call that was read last.
    call: u32,
}

impl Peer {
    fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(self.read(1));
        }
        String::from_utf8(line).unwrap()
    }

    /// The next call, which is of this method.
    #[track_caller]
    fn takes(&mut self, member: &str) -> Message {
        let head = self.read(HEAD);
        let length = Message::length(head.first_chunk().unwrap()).unwrap();
        let rest = self.read(length - HEAD);
        self.call = u32::from_le_bytes(head[8..12].try_into().unwrap());
        let message = Message::parse(&[head, rest].concat()).unwrap();
        assert_eq!(message.member, member);
        message
    }

    fn answers(&mut self, types: &str, fill: impl FnOnce(&mut Writer)) {
        let mut body = Writer::default();
        fill(&mut body);
        self.write(&Sent { types, body, ..Sent::answer(self.call) }.bytes());
    }

    fn refuses(&mut self, error: &str, text: &str) {
        let mut body = Writer::default();
        body.text(text);
        let answer = Sent { kind: 3, error, types: "s", body, ..Sent::answer(self.call) };
        self.write(&answer.bytes());
    }

    /// The signal that a dialog is over.
    fn completes(&mut self, path: &str, sender: &str, dismissed: u32) {
        let mut body = Writer::default();
        body.number(dismissed).signature("s").text("");
        let member = COMPLETED;
        let signal = Sent { kind: 4, path, member, sender, types: "bv", body, ..Sent::answer(0) };
        self.write(&signal.bytes());
    }

    fn lets_in(&mut self) {
        assert_eq!(self.read(1), [0]);
        assert!(self.line().starts_with("AUTH EXTERNAL 3"));
        self.write(b"OK 0123456789abcdef\r\n");
        assert_eq!(self.line(), "BEGIN\r\n");
        self.takes("Hello");
        self.answers("s", |body| {
            body.text(":1.9");
        });
    }

    fn opens_a_session(&mut self) {
        self.lets_in();
        let call = self.takes("OpenSession");
        assert_eq!(call.values().text(), Ok("plain"));
        self.answers("vo", |body| {
            body.signature("ay").bytes(b"").text("/s/1");
        });
    }

    /// Says where the item is.
    fn finds(&mut self, unlocked: &[&str], locked: &[&str]) {
        self.takes("SearchItems");
        self.answers("aoao", |body| {
            for paths in [unlocked, locked] {
                body.array(4, |array| {
                    paths.iter().for_each(|path| {
                        array.text(path);
                    })
                });
            }
        });
    }

    fn wants_a_dialog(&mut self) {
        self.takes("Unlock");
        self.answers("aoo", |body| {
            body.array(4, |_| ()).text(PROMPT);
        });
        let rule = self.takes("AddMatch");
        assert!(rule.values().text().unwrap().contains("member='Completed'"));
        self.answers("", |_| ());
        assert_eq!(self.takes("Prompt").path, PROMPT);
    }

    fn gives(&mut self, secret: &[u8]) {
        self.takes("GetSecret");
        self.answers("(oayays)", |body| {
            body.structure().text("/s/1").bytes(b"").bytes(secret).text("text/plain");
        });
    }
}

/// A bus that keeps to a script, and the socket that leads to it.
fn bus(script: impl FnOnce(&mut Peer) + Send + 'static) -> (UnixStream, JoinHandle<()>) {
    let (ours, stream) = UnixStream::pair().unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    (ours, thread::spawn(move || script(&mut Peer { stream, call: 0 })))
}

/// What connecting to such a bus comes to.
fn connecting(script: impl FnOnce(&mut Peer) + Send + 'static) -> BusError {
    let (stream, script) = bus(script);
    let error = Bus::over(stream, PATIENCE).and_then(|bus| Service::over(bus, PATIENCE)).err();
    script.join().unwrap();
    error.unwrap()
}

/// What reading the item comes to after this.
fn reading(
    script: impl FnOnce(&mut Peer) + Send + 'static,
) -> Result<Option<String>, KeychainError> {
    let (stream, script) = bus(|peer| {
        peer.opens_a_session();
        script(peer);
    });
    let bus = Bus::over(stream, LONG).unwrap();
    let mut service = Service::over(bus, PATIENCE).unwrap();
    let read = service.read().map(|read| read.map(|secret| secret.expose().clone()));
    drop(service);
    script.join().unwrap();
    read
}

fn failed(read: Result<Option<String>, KeychainError>, part: &str) {
    match read {
        Err(KeychainError::Failed(why)) => assert!(why.contains(part), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_item_is_read_whatever_signals_and_answers_to_others_come_between() {
    let read = reading(|peer| {
        peer.takes("SearchItems");
        peer.completes(PROMPT, ":1.5", 1);
        let mut body = Writer::default();
        body.text("/elsewhere");
        peer.write(&Sent { types: "o", body, ..Sent::answer(peer.call + 1) }.bytes());
        peer.write(&Sent { kind: 1, member: ["a.b", "Ping"], ..Sent::answer(0) }.bytes());
        peer.write(&Sent { kind: 9, ..Sent::answer(peer.call) }.bytes());
        peer.answers("aoao", |body| {
            body.array(4, |array| {
                array.text(ITEM);
            })
            .array(4, |_| ());
        });
        peer.gives(b"the key");
    });
    assert_eq!(read, Ok(Some("the key".to_owned())));
}

#[test]
fn an_answer_in_pieces_is_one() {
    let read = reading(|peer| {
        peer.finds(&[ITEM], &[]);
        peer.takes("GetSecret");
        let mut body = Writer::default();
        body.structure().text("/s/1").bytes(b"").bytes(b"key").text("");
        let answer = Sent { types: "(oayays)", body, ..Sent::answer(peer.call) };
        for byte in answer.bytes() {
            peer.write(&[byte]);
        }
    });
    assert_eq!(read, Ok(Some("key".to_owned())));
}

#[test]
fn an_answer_in_the_other_order_of_bytes_is_read() {
    let read = reading(|peer| {
        peer.takes("SearchItems");
        let call = peer.call.to_be_bytes();
        let mut answer = vec![b'B', 2, 1, 1, 0, 0, 0, 8, 0, 0, 0, 77, 0, 0, 0, 18];
        answer.extend([5, 1, b'u', 0]);
        answer.extend(call);
        answer.extend([8, 1, b'g', 0, 4]);
        answer.extend(b"aoao\0");
        answer.resize(40, 0);
        answer.extend([0; 8]);
        peer.write(&answer);
    });
    assert_eq!(read, Ok(None));
}

#[test]
fn a_bus_that_lets_nobody_in_or_says_nothing_is_told_as_such() {
    let rejected = connecting(|peer| {
        peer.read(1);
        peer.line();
        peer.write(b"REJECTED EXTERNAL\r\n");
    });
    assert_eq!(rejected, BusError::Unauthenticated("REJECTED EXTERNAL".to_owned()));
    assert_eq!(connecting(|_| ()), BusError::Closed);
    let endless = connecting(|peer| peer.write(&[b'O'; 5000]));
    assert_eq!(endless, Malformed("its greeting has no end").into());
    let since = Instant::now();
    let silent = connecting(|peer| while peer.stream.read(&mut [0; 64]).unwrap() > 0 {});
    assert_eq!(silent, BusError::TimedOut(PATIENCE));
    assert!(since.elapsed() < LONG);
}

#[test]
fn what_drips_for_ever_is_given_up_like_silence() {
    let dripping = connecting(|peer| {
        peer.lets_in();
        let signal = Sent { kind: 4, member: COMPLETED, ..Sent::answer(0) }.bytes();
        while peer.stream.write_all(&signal).is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
    });
    assert_eq!(dripping, BusError::TimedOut(PATIENCE));
}

#[test]
fn a_bus_without_a_keychain_says_so() {
    let told = connecting(|peer| {
        peer.lets_in();
        peer.takes("OpenSession");
        peer.refuses("org.freedesktop.DBus.Error.ServiceUnknown", "no such\u{1b}[2J name");
    });
    assert_eq!(told.to_string(), "no such [2J name (ServiceUnknown)");
}

#[test]
fn broken_answers_are_told_and_never_believed() {
    failed(
        reading(|peer| {
            peer.takes("SearchItems");
        }),
        "hung up",
    );
    let cut = |peer: &mut Peer| {
        peer.takes("SearchItems");
        let bytes = Sent { types: "aoao", ..Sent::answer(peer.call) }.bytes();
        peer.write(&bytes[..bytes.len() - 3]);
    };
    failed(reading(cut), "hung up");
    let other_types = |peer: &mut Peer| {
        peer.takes("SearchItems");
        peer.answers("as", |body| {
            body.array(4, |_| ());
        });
    };
    failed(reading(other_types), "other types");
    let too_short = |peer: &mut Peer| {
        peer.takes("SearchItems");
        peer.answers("aoao", |body| {
            body.number(400);
        });
    };
    failed(reading(too_short), "beyond its end");
    let huge = |peer: &mut Peer| {
        peer.takes("SearchItems");
        peer.write(&[b'l', 2, 1, 1, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0]);
    };
    failed(reading(huge), "too long");
    let noise = |peer: &mut Peer| {
        peer.takes("SearchItems");
        peer.write(b"HTTP/1.1 400 Bad Request\r\n");
    };
    failed(reading(noise), "version 1");
}

#[test]
fn a_locked_item_is_read_once_its_dialog_is_answered() {
    let read = reading(|peer| {
        peer.finds(&[], &[ITEM]);
        peer.wants_a_dialog();
        // Those of others, and from somebody who is not the service.
        peer.completes("/org/freedesktop/secrets/prompt/p2", ":1.5", 1);
        peer.completes(PROMPT, ":1.66", 1);
        peer.answers("", |_| ());
        peer.completes(PROMPT, ":1.5", 0);
        peer.gives(b"key");
    });
    assert_eq!(read, Ok(Some("key".to_owned())));
}

#[test]
fn a_dialog_that_is_dismissed_or_left_open_leaves_it_locked() {
    let dismissed = reading(|peer| {
        peer.finds(&[], &[ITEM]);
        peer.wants_a_dialog();
        // The end may come before the answer.
        peer.completes(PROMPT, ":1.5", 1);
    });
    assert_eq!(dismissed, Err(KeychainError::Locked("its dialog was dismissed".to_owned())));
    let left_open = reading(|peer| {
        peer.finds(&[], &[ITEM]);
        peer.wants_a_dialog();
        peer.answers("", |_| ());
        assert_eq!(peer.stream.read(&mut [0; 1]).unwrap(), 0);
    });
    assert_eq!(left_open, Err(KeychainError::TimedOut(PATIENCE)));
    let refused = reading(|peer| {
        peer.finds(&[], &[ITEM]);
        peer.wants_a_dialog();
        peer.refuses("org.freedesktop.DBus.Error.UnknownObject", "no such dialog");
    });
    failed(refused, "no such dialog (UnknownObject)");
}

#[test]
fn a_keychain_that_locks_itself_in_between_is_locked() {
    let read = reading(|peer| {
        peer.finds(&[ITEM], &[]);
        peer.takes("GetSecret");
        peer.refuses("org.freedesktop.Secret.Error.IsLocked", "locked");
    });
    assert_eq!(read, Err(KeychainError::Locked("locked (IsLocked)".to_owned())));
}

#[test]
fn of_several_items_none_is_taken() {
    failed(reading(|peer| peer.finds(&[ITEM, ITEM, ITEM], &[])), "several entries");
    failed(reading(|peer| peer.finds(&[ITEM], &[ITEM])), "several entries");
}
