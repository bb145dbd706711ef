//! Measures closures in turns: A B C, A B C, …, by the thread's processor time, so that other programs on the machine do not
//! count.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How long one closure runs in its turn.
const TURN: Duration = Duration::from_micros(400);

/// The processor time of this thread.
#[must_use]
pub fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

/// One thing that is measured.
pub struct Row<'a> {
    name: String,
    run: Box<dyn FnMut(u32) + 'a>,
}

impl<'a> Row<'a> {
    /// A row with this name that repeats this closure.
    pub fn new<T>(name: impl Into<String>, mut work: impl FnMut() -> T + 'a) -> Self {
        let run = move |times| {
            for _ in 0..times {
                black_box(work());
            }
        };
        Self { name: name.into(), run: Box::new(run) }
    }
}

/// The results of a row: nanoseconds for one run of the closure, one figure for each turn.
pub struct Measured {
    /// What it is.
    pub name: String,
    /// How many times each run of it allocates.
    pub allocations: u64,
    nanos: Vec<f64>,
}

impl Measured {
    /// The median of nanoseconds.
    #[must_use]
    pub fn nanos(&self) -> f64 {
        median(self.nanos.clone())
    }

    /// The median of the ratios to another row, turn by turn.
    #[must_use]
    pub fn ratio(&self, other: &Self) -> f64 {
        median(self.nanos.iter().zip(&other.nanos).map(|(one, other)| one / other).collect())
    }
}

/// The median; not a number for no values.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Measures rows in this number of turns, after one turn that is not counted.
#[must_use]
pub fn measure(turns: usize, rows: Vec<Row<'_>>) -> Vec<Measured> {
    let mut rows: Vec<_> = rows
        .into_iter()
        .map(|mut row| {
            let mut times = 1;
            let times = loop {
                let start = cpu_time();
                (row.run)(times);
                if cpu_time().saturating_sub(start) >= TURN || times >= 1 << 20 {
                    break times;
                }
                times *= 2;
            };
            let allocations = allocation_counter::measure(|| (row.run)(1)).count_total;
            (row, times, allocations, Vec::with_capacity(turns))
        })
        .collect();
    for _ in 0..turns {
        for (row, times, _, nanos) in &mut rows {
            let start = cpu_time();
            (row.run)(*times);
            nanos.push(cpu_time().saturating_sub(start).as_secs_f64() * 1e9 / f64::from(*times));
        }
    }
    rows.into_iter().map(|(row, _, allocations, nanos)| Measured { name: row.name, allocations, nanos }).collect()
}
