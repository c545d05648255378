//! What leads to a sign-in.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::token::Person;
use super::{Advice, Cause, Seen, Sick, all_are_found_and_cured, doctor, seen};
use crate::support::auth_server::{Answer as ProviderAnswer, Client, Plan};
use crate::support::mcp_server::matcher::{path, when};
use crate::support::{Answer, Guarded, McpServer};

/// What `bridge doctor` says of a server before anybody signs in: there is no token, and beside that only this.
#[track_caller]
fn found(plan: Plan, options: &[&str]) -> (Guarded, Seen) {
    let server = Guarded::with(plan.expects_refusals(), McpServer::legacy());
    let told = seen(doctor([server.mcp.url()]).args(options.iter().copied()));
    (server, told)
}

#[test]
fn what_leads_to_a_sign_in_is_told_step_by_step() {
    let (server, told) = found(Plan::default(), &[]);
    assert_eq!((told.failed(), told.code), (vec!["token"], 3), "{told:?}");
    assert!(told.text("issuer", "detail").starts_with(&server.auth.issuer()), "{told:?}");
    assert_eq!(told.text("registration", "detail"), "dynamic registration");
    assert_eq!(told.text("pkce", "detail"), "S256");
    let tried = told.check("discovery")["data"].as_array().unwrap();
    assert!(tried.iter().all(|tried| tried["status"] == 200), "{told:?}");
    assert_eq!(server.asked("/register") + server.asked("/authorize") + server.asked("/token"), 0);
}

/// Where the metadata of the resource and of the authorization server lie.
const OF_RESOURCE: &str = "/.well-known/oauth-protected-resource/mcp";
const OF_ISSUER: &str = "/.well-known/oauth-authorization-server";

/// Whether it is broken still.
fn flag() -> (Arc<AtomicBool>, impl Fn() -> bool + Send + Sync + Clone + 'static) {
    let broken = Arc::new(AtomicBool::new(true));
    let read = Arc::clone(&broken);
    (broken, move || read.load(Ordering::Relaxed))
}

/// Before a server whose document of the resource is this one, until whoever runs it mends that. `URL` in it is the
/// server's, `ISSUER` who signs users in.
fn with_resource(answer: impl FnOnce(&Person) -> Answer) -> Sick {
    let (broken, is_broken) = flag();
    let person = Person::before(Plan::default());
    let document = when("broken metadata", move |it| it.path == OF_RESOURCE && is_broken());
    person.server.mcp.always(document, answer(&person));
    mended(person, broken)
}

/// Before an authorization server whose document is changed so, until whoever runs it mends that.
fn with_document(change: fn(&mut Value)) -> Sick {
    let (broken, is_broken) = flag();
    let change = move |document: &mut Value| {
        if is_broken() {
            change(document);
        }
    };
    mended(Person::before(Plan::default().metadata(change)), broken)
}

/// Cured by an act of whoever runs the server, after which a person signs in.
fn mended(person: Rc<Person>, broken: Arc<AtomicBool>) -> Sick {
    let (sick, kept) = (person.doctor(), Rc::clone(&person));
    Sick::new(sick, kept).cured_by(move || {
        broken.store(false, Ordering::Relaxed);
        person.signs_in(&[]);
        person.doctor()
    })
}

/// Cured by an option of the advice, after which a person signs in with it.
fn with_option(
    person: Rc<Person>,
    option: impl FnOnce(&Advice, &Person) -> Vec<String> + 'static,
) -> Sick {
    let (sick, kept) = (person.doctor(), Rc::clone(&person));
    Sick::new(sick, kept).advised(move |advice| {
        let option = option(advice, &person);
        person.signs_in(&option);
        person.doctor().args(option)
    })
}

fn without(member: &'static str) -> impl Fn(&mut Value) + Send + Sync {
    move |document| {
        document.as_object_mut().unwrap().remove(member);
    }
}

const OF_METADATA: &[Cause] = &[
    Cause {
        name: "no metadata of the server",
        sick: || with_resource(|_| Answer::status(404)),
        check: "discovery",
        says: "nothing tells who signs users in",
        advises: "`--auth-server-metadata-url URL`",
        code: 3,
    },
    Cause {
        name: "metadata of the server that names nobody",
        sick: || {
            with_resource(|it| Answer::json(json!({"resource": it.server.mcp.url()}).to_string()))
        },
        check: "discovery",
        says: "nothing tells who signs users in",
        advises: "`--auth-server-metadata-url URL`",
        code: 3,
    },
    Cause {
        name: "metadata of the server that is about another one",
        sick: || {
            with_resource(|it| {
                let issuer = it.server.auth.issuer();
                let other = "https://other.example/mcp";
                let document = json!({"resource": other, "authorization_servers": [issuer]});
                Answer::json(document.to_string())
            })
        },
        check: "discovery",
        says: "is about another server (it names `https://other.example/mcp`",
        advises: "if that is right, say so: `--resource URI`",
        code: 3,
    },
    Cause {
        name: "a resource of another name that is right",
        sick: || {
            let person = Person::before(Plan::default());
            let other = person.server.mcp.url().replace("127.0.0.1", "localhost");
            let issuer = person.server.auth.issuer();
            let document = json!({"resource": other, "authorization_servers": [issuer]});
            person.server.mcp.always(path(OF_RESOURCE), Answer::json(document.to_string()));
            person.server.auth.serves(&other);
            with_option(person, move |advice, _| advice.option_with("--resource", other).to_vec())
        },
        check: "discovery",
        says: "is about another server (it names `http://localhost",
        advises: "if that is right, say so: `--resource URI`",
        code: 3,
    },
    Cause {
        name: "no metadata of who signs users in",
        sick: || {
            let odd = vec!["/.well-known/odd"];
            let person = Person::before(Plan { metadata_at: odd, ..Plan::default() });
            with_option(person, |advice, it| {
                let document = it.server.auth.at("/.well-known/odd");
                advice.option_with("--auth-server-metadata-url", document).to_vec()
            })
        },
        check: "discovery",
        says: "nothing tells how to sign in at http://127.0.0.1",
        advises: "`--auth-server-metadata-url URL`",
        code: 3,
    },
    Cause {
        name: "who signs users in is broken",
        sick: || {
            let (broken, is_broken) = flag();
            let busy = move |_: &_| is_broken().then(|| ProviderAnswer::page(500, "boom"));
            mended(Person::before(Plan::default().rule(OF_ISSUER, busy)), broken)
        },
        check: "discovery",
        says: "HTTP 500",
        advises: "try again",
        code: 5,
    },
    Cause {
        name: "nobody is at the address of who signs users in",
        sick: || {
            let person = Person::before(Plan::default());
            person.server.auth.leave();
            let (sick, kept) = (person.doctor(), Rc::clone(&person));
            Sick::new(sick, kept).cured_by(move || {
                person.server.auth.come_back();
                person.signs_in(&[]);
                person.doctor()
            })
        },
        check: "discovery",
        says: "can't be reached",
        advises: "then try again",
        code: 5,
    },
    Cause {
        name: "another issuer",
        sick: || {
            let person = Person::before(
                Plan { iss: false, ..Plan::default() }
                    .metadata(|document| document["issuer"] = "https://other.example".into()),
            );
            with_option(person, |advice, _| advice.option("--trust-issuer"))
        },
        check: "issuer",
        says: "names another issuer (it names `https://other.example`)",
        advises: "`--trust-issuer https://other.example`",
        code: 3,
    },
    Cause {
        name: "no way to register",
        sick: || {
            let person = Person::before(Plan::default().metadata(without("registration_endpoint")));
            with_option(person, |advice, it| {
                let client = Client {
                    secret: None,
                    redirect_uris: vec![advice.beginning("http://").to_owned()],
                    scope: Some("read offline_access".to_owned()),
                    method: "none".to_owned(),
                };
                it.server.auth.register("me", client);
                advice.option_with("--client-id", "me").to_vec()
            })
        },
        check: "registration",
        says: "registers no clients by itself",
        advises: "give its id with `--client-id`",
        code: 3,
    },
    Cause {
        name: "no PKCE",
        sick: || with_document(|it| without("code_challenge_methods_supported")(it)),
        check: "pkce",
        says: "can't be trusted with a sign-in",
        advises: "ask who runs it to support PKCE with S256",
        code: 4,
    },
    Cause {
        name: "PKCE without S256",
        sick: || with_document(|it| it["code_challenge_methods_supported"] = json!(["plain"])),
        check: "pkce",
        says: "can't be trusted with a sign-in",
        advises: "ask who runs it to support PKCE with S256",
        code: 4,
    },
];

pub(super) const CAUSES: usize = OF_METADATA.len();

#[test]
fn what_stands_in_the_way_of_a_sign_in_is_found() {
    all_are_found_and_cured(OF_METADATA);
}

#[test]
fn each_place_that_was_asked_for_metadata_is_told_with_its_status() {
    let nowhere = Plan { metadata_at: Vec::new(), ..Plan::default() };
    let (server, told) = found(nowhere, &[]);
    let tried = told.check("discovery")["data"].as_array().unwrap();
    let of =
        |url: String| tried.iter().find(|it| it["url"] == url.as_str()).map(|it| &it["status"]);
    assert_eq!(of(server.mcp.url_of(OF_RESOURCE)), Some(&json!(200)), "{told:?}");
    assert_eq!(of(server.auth.at(OF_ISSUER)), Some(&json!(404)), "{told:?}");
    let openid = server.auth.at("/.well-known/openid-configuration");
    assert_eq!(of(openid), Some(&json!(404)), "{told:?}");
}
