//! `purge`: removing for good.

use std::io::Write;

use crate::Failure;
use crate::arguments::Arguments;
use crate::inspect::open;

pub(crate) fn purge(
    arguments: &Arguments,
    name: &str,
    dead: bool,
    damaged: bool,
    yes: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
    if !dead && !damaged {
        return Err("say what to remove: --dead (letters), --damaged (segments), or both".into());
    }
    let spool = open(arguments, name)?;
    let word = if yes { "removed" } else { "would remove" };
    if dead {
        let letters = spool.dead_letters()?.letters.len();
        if yes {
            spool.keep_dead_letters(&[])?;
        }
        writeln!(out, "{word} {letters} dead letters")?;
    }
    if damaged {
        for file in spool.damaged_files()? {
            let path = file.path;
            if file.pending_events > 0 {
                writeln!(out, "kept {}: {} events in it wait for delivery", path.display(), file.pending_events)?;
                continue;
            }
            if yes {
                std::fs::remove_file(&path).map_err(|error| format!("cannot remove {}: {error}", path.display()))?;
            }
            writeln!(out, "{word} {}", path.display())?;
        }
    }
    if !yes {
        writeln!(out, "nothing was removed: add --yes to do it")?;
    }
    Ok(())
}
