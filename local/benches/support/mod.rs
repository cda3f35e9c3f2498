//! What several benchmarks share: the messenger in this process, people with sockets, and `pgbench` beside it.

#![expect(dead_code, reason = "no benchmark uses all of it")]

pub mod idle;
pub mod messenger;
pub mod pgbench;
pub mod room;
pub mod sockets;

/// The text of every message, `pgbench`'s too.
pub const TEXT: &str = "Shall we meet at eight in front of the theatre, or is that too late for you?";

/// The median of at least one figure.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The figure below which this share of at least one figure is.
pub fn percentile(figures: &mut [f64], share: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[((figures.len() - 1) as f64 * share) as usize]
}
