//! `bridge uninstall`: a server out of the configurations of desktop clients.

use crate::cli::UninstallArgs;
use crate::config::{self, Environment};
use crate::desktop::{Entry, File};
use crate::error::Error;

use super::clients::{BACKUP, Target, broken, change, each, file_error, print, shown, targets};

/// Takes the entries out.
///
/// # Errors
/// A configuration can't be changed, or an entry of that name is none of ours.
pub fn run(args: &UninstallArgs, environment: &Environment) -> Result<(), Error> {
    let targets = targets(&args.target, environment)?;
    let plain = config::desktop::is_plain(environment);
    each(&targets, |target| uninstall(target, args, plain))
}

fn uninstall(target: &Target, args: &UninstallArgs, plain: bool) -> Result<(), Error> {
    let Target { client, path } = target;
    let _lock = super::clients::lock(path);
    let file = File::read(path).map_err(|error| file_error(path, &error))?;
    let there = client.entries(file.text()).map_err(|error| broken(path, &error))?;
    let mut text = file.text().to_owned();
    let mut gone = Vec::new();
    for (name, value) in there {
        let entry = Entry::read(&value, client.shape);
        let is_ours = entry.as_ref().is_some_and(Entry::is_bridge);
        let is_named = args.servers.contains(&name);
        let serves = |entry: Entry| entry.arguments.iter().any(|word| args.servers.contains(word));
        if is_named && !is_ours && !args.force {
            return Err(Error::failed(format!("the entry `{}` is left as it is", shown(&name)))
                .because(format!("that in {} is none of bridge's", path.display()))
                .hint("take it out all the same with `--force`"));
        }
        if is_named || (is_ours && entry.is_some_and(serves)) {
            text = client.without_entry(&text, &name).map_err(|error| broken(path, &error))?;
            gone.push(format!("`{}`", shown(&name)));
        }
    }
    let title = client.title;
    if gone.is_empty() {
        return print(&format!("{title}: there is no such entry in {}\n", path.display()));
    }
    change(&file, &text, args.target.dry_run, plain)?;
    if args.target.dry_run {
        return Ok(());
    }
    print(&format!(
        "{title}: {} is taken out of {}\n  as it was before: {}\n",
        gone.join(", "),
        path.display(),
        file.backup(BACKUP).display()
    ))
}
