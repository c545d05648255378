//! Five hosted products on this machine: their stories, and each by itself to try.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::hosted::{PRODUCTS, Product};
use crate::support::hosted::tale::Step;
use crate::support::hosted::{Tale, Way};

/// What became of a story told in one way.
struct Told {
    passed: usize,
    failed: Option<String>,
    took: Duration,
}

/// Tells every story in every way and prints a table. Whether all steps passed.
pub fn tell_all() -> bool {
    let mut table = String::new();
    let mut good = true;
    for product in &PRODUCTS {
        let told = Way::ALL.map(|way| {
            println!("\n── {}, {}", product.name, way.name());
            tell(product, way)
        });
        good &= told.iter().all(|told| told.failed.is_none());
        let cells = told.iter().map(|told| match &told.failed {
            None => format!("{:>2} passed {:>4.1} s", told.passed, told.took.as_secs_f64()),
            Some(_) => format!("{:>2}, then failed", told.passed),
        });
        let cells: Vec<_> = cells.map(|cell| format!("{cell:<18}")).collect();
        let row = format!("{:<10} {}", product.name, cells.join(" "));
        let _ = writeln!(table, "{}", row.trim_end());
    }
    let ways = Way::ALL.map(|way| format!("{:<18}", way.name()));
    println!("\nSteps of each story:\n\n{:<10} {}\n{table}", "", ways.join(" ").trim_end());
    good
}

/// One story; a step that fails ends it.
fn tell(product: &'static Product, way: Way) -> Told {
    let state = Arc::<Mutex<(usize, String)>>::default();
    let heard = Arc::clone(&state);
    let hears = Box::new(move |step: &Step| {
        let mut state = heard.lock().expect("nothing fails in here");
        match step {
            Step::Begun(sentence) => {
                sentence.clone_into(&mut state.1);
                print!("   {sentence} … ");
                let _ = std::io::stdout().flush();
            }
            Step::Passed => {
                state.0 += 1;
                println!("as told");
            }
        }
    });
    let started = Instant::now();
    // A thread of its own: a failed step is its panic.
    let story = std::thread::spawn(move || {
        let mut tale = Tale::new(product.name, way, hears);
        (product.story)(&mut tale);
        tale.ends();
    });
    let failed = story.join().is_err();
    let state = state.lock().expect("nothing fails in there");
    if failed {
        println!("FAILED");
    }
    Told { passed: state.0, failed: failed.then(|| state.1.clone()), took: started.elapsed() }
}

/// Starts one product and says what to type, until somebody ends the program.
pub fn open(name: &str, bridge: &Path) -> crate::Result<()> {
    let product = PRODUCTS.iter().find(|product| product.name == name).ok_or_else(|| {
        let names = PRODUCTS.map(|product| product.name).join(", ");
        format!("there is no product {name}; there are {names}, and all")
    })?;
    let mut open = (product.open)();
    // What they type may stand in their shell's history.
    open.user.writes_down_a_secret();
    let settings = open.user.shell_settings(bridge)?;
    println!();
    say(&format!("{}: {}. It runs until you press Enter here.", product.name, product.about));
    println!();
    say("In another terminal, whose shell has a home of its own then, trusts the server's \
         certificate, and has `bridge`:");
    println!("\n    . {}", settings.display());
    if open.lines.iter().any(|line| line.opens_a_page) {
        println!();
        say("Your browser does not know the certificate of the pages that open, and warns: go on \
             all the same. Where there is no browser, this does what it would, in a third terminal:");
        println!("\n    curl -kfsSL -o /dev/null 'ADDRESS OF THE PAGE'");
    }
    for (number, line) in open.lines.iter().enumerate() {
        if number == 0 || !line.note.is_empty() {
            println!();
        }
        if !line.note.is_empty() {
            say(line.note);
        }
        println!("    {}", line.printed().replace('\n', "\n    "));
    }
    println!("\nPress Enter to end it.");
    std::io::stdin().read_line(&mut String::new())?;
    // What somebody tried out of order is no fault; its files go with the demo's folder.
    std::mem::forget(open);
    Ok(())
}

/// In a terminal of 80 columns.
fn say(text: &str) {
    let mut column = 0;
    for word in text.split_whitespace() {
        let room = column + 1 + word.chars().count() <= 80;
        print!(
            "{}{word}",
            if column == 0 {
                ""
            } else if room {
                " "
            } else {
                "\n"
            }
        );
        column = if column > 0 && room { column + 1 } else { 0 } + word.chars().count();
    }
    println!();
}
