use super::*;

const FILE: &str = "# My servers\n\n# at work\n[servers.a] # first\nurl = 'https://h/mcp'\nlist = [\n  \"x\", # one\n  \"y\",\n]\non = true\nheaders = { X-A = \"1\", \"X B\" = '2' }\n# not = \"now\"\n\n# --- home ---\n\n# at home\n[servers.\"b\"]\nurl = \"https://i/mcp\"\nwait = 3.5\n";

fn leaves(text: &str) -> Vec<(String, Value)> {
    let document = Document::parse(text);
    assert_eq!(document.wrong, []);
    document.entries.into_iter().map(|entry| (entry.path.join("/"), entry.value)).collect()
}

fn of(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn every_key_has_its_whole_path_and_its_place() {
    let list = Value::List(vec![of("x"), of("y")]);
    let expected = [
        ("servers/a/url", of("https://h/mcp")),
        ("servers/a/list", list),
        ("servers/a/on", Value::Switch(true)),
        ("servers/a/headers/X-A", of("1")),
        ("servers/a/headers/X B", of("2")),
        ("servers/b/url", of("https://i/mcp")),
        ("servers/b/wait", Value::Number("3.5".into())),
    ];
    assert_eq!(leaves(FILE), expected.map(|(path, value)| (path.to_owned(), value)));
    let document = Document::parse(FILE);
    let entry = &document.entries[2];
    assert_eq!((&FILE[entry.key.clone()], &FILE[entry.span.clone()]), ("on", "true"));
    assert_eq!(document.line(entry.key.start), 10);
    assert_eq!(document.table_at(entry.key.start).path, ["servers", "a"]);
    assert_eq!(
        leaves("a.b.c = 1\n[[x]]\ny = 1\n[[x]]\ny = 2\n").len(),
        3,
        "the tables of an array are apart"
    );
}

#[test]
fn what_is_wrong_in_one_table_hides_no_other() {
    let text = "[servers.a]\nurl = https://h\n[servers.b]\nurl = \"https://i\"\nurl = \"2\"\n[servers.b]\n";
    let document = Document::parse(text);
    let lines: Vec<_> = document.wrong.iter().map(|wrong| document.line(wrong.at)).collect();
    assert!(lines.contains(&2) && lines.contains(&5) && lines.contains(&6), "{:?}", document.wrong);
    assert!(!lines.contains(&4), "{:?}", document.wrong);
    let found = document.entries.iter().find(|entry| entry.path == ["servers", "b", "url"]);
    assert_eq!(found.map(|entry| &entry.value), Some(&of("https://i")));
    let deep = format!("a = {}", "[".repeat(100_000));
    assert!(!Document::parse(&deep).wrong.is_empty());
}

#[test]
fn a_table_leaves_with_its_comments_and_nothing_else() {
    let without = Document::parse(FILE).without(&["servers", "a"]);
    let (_, rest) = FILE.split_once("# --- home").unwrap();
    assert_eq!(without, format!("# My servers\n\n# --- home{rest}"));
    let without = Document::parse(FILE).without(&["servers", "b"]);
    assert_eq!(without, FILE.split_once("\n\n# at home").unwrap().0.to_owned() + "\n");
    let nested = "[servers.a]\nurl = \"x\"\n[servers.a.headers]\nX = \"1\"\n\n[other]\n";
    assert_eq!(Document::parse(nested).without(&["servers", "a"]), "[other]\n");
    let dotted = "[servers]\na = { url = \"x\", headers = { X = \"1\" } } # a\nb.url = \"y\"\n";
    assert_eq!(Document::parse(dotted).without(&["servers", "a"]), "[servers]\nb.url = \"y\"\n");
    assert_eq!(Document::parse(FILE).without(&["servers", "c"]), FILE);
}

#[test]
fn what_was_appended_and_removed_left_nothing() {
    for before in ["", "# only a comment\n", FILE, &FILE.replace('\n', "\r\n")] {
        let after = Document::parse(before).with_appended("[servers.new]\nurl = \"x\"\n");
        assert_eq!(Document::parse(&after).wrong, []);
        assert_eq!(after.contains("\r\n"), before.contains("\r\n"));
        assert_eq!(Document::parse(&after).without(&["servers", "new"]), before, "{after:?}");
    }
    let joined = Document::parse("a = 1").with_appended("[b]\n");
    assert_eq!(joined, "a = 1\n\n[b]\n");
}

#[test]
fn a_value_is_put_where_it_belongs() {
    let set =
        |text: &str, value: &str| Document::parse(text).with_value(&["servers", "a"], "on", value);
    assert_eq!(set(FILE, "false"), FILE.replace("on = true", "on = false"));
    assert_eq!(
        set("[servers.a]\nurl = 1 # x\n\n[b]\n", "2"),
        "[servers.a]\nurl = 1 # x\non = 2\n\n[b]\n"
    );
    assert_eq!(set("[servers.a]", "2"), "[servers.a]\non = 2\n");
    assert_eq!(set("x = 1\r\n", "2"), "x = 1\r\n\r\n[servers.a]\r\non = 2\r\n");
}

#[test]
fn what_is_written_reads_as_it_was_meant() {
    for odd in
        ["", "plain", "a b", "\"q\" \\ 'x'", "line\nbreak\ttab", "\u{1}\u{7f}\u{85}", "é 漢", "#"]
    {
        let line = format!("{} = {}\n", key(odd), text(odd));
        assert_eq!(leaves(&line), [(odd.to_owned(), of(odd))], "{line}");
    }
    assert_eq!((key("X-Api_Key"), key("a.b")), ("X-Api_Key".to_owned(), "\"a.b\"".to_owned()));
}

proptest::proptest! {
    #[test]
    fn no_file_makes_it_fail(text in "[\\[\\]{}=\\.,\"'#a-c \n\r\\\\]{0,80}") {
        let document = Document::parse(&text);
        let _ = (document.without(&["a"]), document.with_value(&["a"], "b", "1"));
        for wrong in &document.wrong {
            let _ = (document.line(wrong.at), document.table_at(wrong.at));
        }
    }
}
