//! How many connections fit into the number of files that this process may open.

/// Files that are not connections: the database with its log and readers, listeners, the runtime.
const RESERVE: usize = 64;

/// How many of `wanted` connections fit, beside what is open already, the reserve, and the admin address's own.
///
/// # Errors
/// The limit of open files, if not one connection fits.
#[cfg(unix)]
pub(crate) fn connections_that_fit(wanted: usize) -> Result<usize, u64> {
    let Some(limit) = rustix::process::getrlimit(rustix::process::Resource::Nofile).current else { return Ok(wanted) };
    // The folder that is read here is one of them, and closed afterwards.
    let open = std::fs::read_dir("/dev/fd").map_or(0, |files| files.count().saturating_sub(1));
    let taken = open + RESERVE + super::ADMIN_CONNECTIONS;
    let fitting = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(taken).min(wanted);
    if fitting == 0 {
        return Err(limit);
    }
    if fitting < wanted {
        tracing::warn!(
            connections = fitting,
            configured = wanted,
            open_files = limit,
            "fewer connections are taken than configured: raise the limit of open files (ulimit -n, LimitNOFILE=), or lower \
             limits.connections"
        );
    }
    Ok(fitting)
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(crate) fn connections_that_fit(wanted: usize) -> Result<usize, u64> {
    Ok(wanted)
}
