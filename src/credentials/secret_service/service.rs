//! The item in the user's Secret Service (freedesktop.org, Secret Service API 0.2).

use std::time::Duration;

use super::bus::{BUS, BUS_PATH, Bus, BusError, Deadline};
use super::wire::{Kind, Message, Method, Reader, Writer};
use crate::credentials::error::KeychainError;
use crate::credentials::item::{Item, LABEL, SERVICE, USER};
use crate::os;
use crate::secret::Secret;

/// How long an answer may take that nobody has to be asked for: as long as D-Bus has it, since the service may
/// have to be started first. Whoever waits for the thread goes sooner.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long a dialog of the service is left open.
const DIALOG: Duration = Duration::from_secs(300);

/// The service's name on the bus, and where it is there.
const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";
/// In place of an object that there is not.
const NONE: &str = "/";

const fn method(
    interface: &'static str,
    member: &'static str,
    takes: &'static str,
    returns: &'static str,
) -> Method {
    Method { interface, member, takes, returns }
}

const SECRETS: &str = "org.freedesktop.Secret.Service";
const OPEN_SESSION: Method = method(SECRETS, "OpenSession", "sv", "vo");
const SEARCH_ITEMS: Method = method(SECRETS, "SearchItems", "a{ss}", "aoao");
const UNLOCK: Method = method(SECRETS, "Unlock", "ao", "aoo");
const READ_ALIAS: Method = method(SECRETS, "ReadAlias", "s", "o");
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const CREATE_ITEM: Method = method(COLLECTION, "CreateItem", "a{sv}(oayays)b", "oo");
const ITEM: &str = "org.freedesktop.Secret.Item";
const GET_SECRET: Method = method(ITEM, "GetSecret", "o", "(oayays)");
const SET_SECRET: Method = method(ITEM, "SetSecret", "(oayays)", "");
const DELETE: Method = method(ITEM, "Delete", "", "o");
const PROMPTS: &str = "org.freedesktop.Secret.Prompt";
const PROMPT: Method = method(PROMPTS, "Prompt", "s", "");
const ADD_MATCH: Method = method(BUS, "AddMatch", "s", "");

/// A session with the service.
pub(super) struct Service {
    bus: Bus,
    /// The service's own name, which no other gets that takes its place.
    owner: String,
    session: String,
    dialog: Duration,
}

/// Opens a session with the service of the user's session.
pub(in crate::credentials) fn open() -> Result<Box<dyn Item>, KeychainError> {
    let Some(address) = os::session_bus() else {
        const NO_BUS: &str = "this session has no bus (DBUS_SESSION_BUS_ADDRESS is not set)";
        return Err(KeychainError::Absent(NO_BUS.to_owned()));
    };
    let service = Bus::connect(&address, PATIENCE)
        .and_then(|bus| Service::over(bus, DIALOG))
        .map_err(absent)?;
    Ok(Box::new(service))
}

impl Service {
    /// Opens a session over a bus.
    pub(super) fn over(mut bus: Bus, dialog: Duration) -> Result<Self, BusError> {
        let mut input = Writer::default();
        input.text("plain").signature("s").text("");
        let answer = bus.call(NAME, PATH, &OPEN_SESSION, input)?;
        let mut values = answer.values();
        values.skip_variant()?;
        let session = values.text()?.to_owned();
        Ok(Self { bus, owner: answer.sender, session, dialog })
    }

    fn call(&mut self, path: &str, method: &Method, input: Writer) -> Result<Message, BusError> {
        self.bus.call(&self.owner, path, method, input)
    }

    /// The item, unlocked.
    fn find(&mut self) -> Result<Option<String>, KeychainError> {
        let mut input = Writer::default();
        attributes(&mut input);
        let answer = self.call(PATH, &SEARCH_ITEMS, input).map_err(failed)?;
        let mut values = answer.values();
        let unlocked = paths(&mut values).map_err(failed)?;
        let locked = paths(&mut values).map_err(failed)?;
        match (&unlocked[..], &locked[..]) {
            ([], []) => Ok(None),
            ([item], []) => Ok(Some((*item).to_owned())),
            ([], [item]) => {
                self.unlock(item)?;
                Ok(Some((*item).to_owned()))
            }
            _ => Err(KeychainError::Failed(format!(
                "it has several entries for {SERVICE} ({USER}), and only one can be the key"
            ))),
        }
    }

    fn unlock(&mut self, object: &str) -> Result<(), KeychainError> {
        let mut input = Writer::default();
        input.array(4, |objects| {
            objects.text(object);
        });
        let answer = self.call(PATH, &UNLOCK, input).map_err(failed)?;
        let mut values = answer.values();
        paths(&mut values).map_err(failed)?;
        let prompt = values.text().map_err(|error| failed(error.into()))?;
        self.prompt(prompt)
    }

    /// Where new items belong, unlocked.
    fn default_collection(&mut self) -> Result<String, KeychainError> {
        let mut input = Writer::default();
        input.text("default");
        let answer = self.call(PATH, &READ_ALIAS, input).map_err(failed)?;
        match answer.values().text().map_err(|error| failed(error.into()))? {
            NONE => Err(KeychainError::Locked("it has no default keyring".to_owned())),
            collection => {
                self.unlock(collection)?;
                Ok(collection.to_owned())
            }
        }
    }

    /// Has the service ask the user, where it has to, and waits until it has.
    fn prompt(&mut self, prompt: &str) -> Result<(), KeychainError> {
        if prompt == NONE {
            return Ok(());
        }
        let dismissed = self.dismissed(prompt).map_err(failed)?;
        if dismissed {
            return Err(KeychainError::Locked("its dialog was dismissed".to_owned()));
        }
        Ok(())
    }

    fn dismissed(&mut self, prompt: &str) -> Result<bool, BusError> {
        let mut rule = Writer::default();
        rule.text(&format!("type='signal',interface='{PROMPTS}',member='Completed'"));
        self.bus.call(BUS, BUS_PATH, &ADD_MATCH, rule)?;
        let mut window = Writer::default();
        window.text("");
        let asked = self.bus.send(&self.owner, prompt, &PROMPT, window)?;
        let deadline = Deadline::after(self.dialog);
        loop {
            let message = self.bus.receive(deadline)?;
            if self.is_end_of(prompt, &message) {
                return Ok(message.values().number()? != 0);
            }
            message.answer_to(asked).transpose()?;
        }
    }

    fn is_end_of(&self, prompt: &str, message: &Message) -> bool {
        message.kind == Kind::Signal
            && message.sender == self.owner
            && (&*message.path, &*message.interface, &*message.member)
                == (prompt, PROMPTS, "Completed")
            && message.types.starts_with('b')
    }

    fn secret(&self, input: &mut Writer, text: &str) {
        // As what earlier versions stored, and any program that reads bytes can read.
        let kind = "application/octet-stream";
        input.structure().text(&self.session).bytes(&[]).bytes(text.as_bytes()).text(kind);
    }

    fn create(&mut self, text: &str) -> Result<(), KeychainError> {
        let collection = self.default_collection()?;
        let mut input = Writer::default();
        input.array(8, |properties| {
            // GNOME Keyring gives an item no schema whose label stands first.
            properties.structure().text("org.freedesktop.Secret.Item.Attributes");
            attributes(properties.signature("a{ss}"));
            properties.structure().text("org.freedesktop.Secret.Item.Label");
            properties.signature("s").text(LABEL);
        });
        self.secret(&mut input, text);
        input.number(1);
        let answer = self.call(&collection, &CREATE_ITEM, input).map_err(failed)?;
        let mut values = answer.values();
        let prompt = values.text().and_then(|_item| values.text());
        self.prompt(prompt.map_err(|error| failed(error.into()))?)
    }
}

impl Item for Service {
    fn read(&mut self) -> Result<Option<Secret<String>>, KeychainError> {
        let Some(item) = self.find()? else { return Ok(None) };
        let mut input = Writer::default();
        input.text(&self.session);
        let answer = self.call(&item, &GET_SECRET, input).map_err(failed)?;
        let secret = secret_in(&mut answer.values()).map_err(failed)?;
        Ok(Some(Secret::new(secret)))
    }

    fn write(&mut self, text: &str) -> Result<(), KeychainError> {
        let Some(item) = self.find()? else { return self.create(text) };
        let mut input = Writer::default();
        self.secret(&mut input, text);
        self.call(&item, &SET_SECRET, input).map(drop).map_err(failed)
    }

    fn delete(&mut self) -> Result<(), KeychainError> {
        let Some(item) = self.find()? else { return Ok(()) };
        let answer = self.call(&item, &DELETE, Writer::default()).map_err(failed)?;
        self.prompt(answer.values().text().map_err(|error| failed(error.into()))?)
    }
}

/// What the item is found by.
fn attributes(input: &mut Writer) {
    input.array(8, |attributes| {
        attributes.structure().text("service").text(SERVICE);
        attributes.structure().text("username").text(USER);
    });
}

/// The first two of an array of object paths: there is one item, or too many.
fn paths<'a>(values: &mut Reader<'a>) -> Result<Vec<&'a str>, BusError> {
    let mut array = values.array(4)?;
    let mut paths = Vec::new();
    while !array.is_at_end() && paths.len() < 2 {
        paths.push(array.text()?);
    }
    Ok(paths)
}

/// What is no text is no key either, which the caller finds out.
fn secret_in(values: &mut Reader<'_>) -> Result<String, BusError> {
    values.structure()?;
    let _session = values.text()?;
    let _parameters = values.bytes()?;
    Ok(String::from_utf8_lossy(values.bytes()?).into_owned())
}

/// What it means that there is no session.
fn absent(error: BusError) -> KeychainError {
    match error {
        BusError::TimedOut(patience) => KeychainError::TimedOut(patience),
        error => KeychainError::Absent(error.to_string()),
    }
}

/// What it means that something failed in a session.
fn failed(error: BusError) -> KeychainError {
    match &error {
        BusError::TimedOut(patience) => KeychainError::TimedOut(*patience),
        BusError::Refused { name, .. } if name == "org.freedesktop.Secret.Error.IsLocked" => {
            KeychainError::Locked(error.to_string())
        }
        _ => KeychainError::Failed(error.to_string()),
    }
}
