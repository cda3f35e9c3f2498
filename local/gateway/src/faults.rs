//! What can go wrong on AWS, made to happen here on purpose.
//!
//! Each fate is drawn from the seed, the socket's number and the number of the frame or post on that socket. The same
//! seed gives the third post to the second socket the same fate, whatever else happens at the same time.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Which faults occur, and how often. Shares are from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The same seed draws the same fates.
    pub seed: u64,
    /// The share of `$disconnect`s that never arrive. AWS delivers them on a best-effort basis only.
    pub lose_disconnects: f64,
    /// The longest delay of a `$disconnect`, in milliseconds.
    pub delay_disconnects_ms: u64,
    /// The longest a client's frame waits for its function, in milliseconds. Frames then overtake each other.
    pub delay_frames_ms: u64,
    /// The longest a post that was answered with 200 takes to be sent to its client, in milliseconds. Posts then
    /// overtake each other.
    pub delay_pushes_ms: u64,
    /// The share of posts that are answered with 200 and never arrive.
    pub lose_pushes: f64,
    /// The share of calls to `@connections` answered with 410 although the socket is open.
    pub fail_410: f64,
    /// The share of those calls answered with 429.
    pub fail_429: f64,
    /// The share of those calls answered with 500.
    pub fail_500: f64,
    /// The share of those calls that are never answered.
    pub hang: f64,
    /// Cuts a function off as soon as it has answered and discards its memory, so that every start is a cold start.
    /// Only for functions in this process.
    pub freeze: bool,
}

/// The outcome of a call to `@connections`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostFate {
    /// The call is served as usual.
    Answered,
    /// The call is answered with 410.
    Gone,
    /// The call is answered with 429.
    LimitExceeded,
    /// The call is answered with 500.
    Internal,
    /// The call is never answered.
    Hangs,
}

impl Faults {
    /// Checks that every share is from 0 to 1, as is the sum of those that decide one call.
    ///
    /// # Errors
    /// Names the first share that is not.
    pub fn check(&self) -> Result<(), String> {
        let failing = self.fail_410 + self.fail_429 + self.fail_500 + self.hang;
        let shares = [
            ("lose_disconnects", self.lose_disconnects),
            ("lose_pushes", self.lose_pushes),
            ("fail_410", self.fail_410),
            ("fail_429", self.fail_429),
            ("fail_500", self.fail_500),
            ("hang", self.hang),
            ("fail_410 + fail_429 + fail_500 + hang", failing),
        ];
        match shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            Some((name, share)) => Err(format!("{name} is {share}, and must be from 0 to 1")),
            None => Ok(()),
        }
    }

    /// The delay of a socket's `$disconnect`, or `None` if it is lost.
    pub fn disconnect(&self, socket: u64) -> Option<Duration> {
        let mut fate = self.draw("disconnect", socket, 0);
        (fate.f64() >= self.lose_disconnects).then(|| up_to(&mut fate, self.delay_disconnects_ms))
    }

    /// How long a socket's `number`th frame waits for its function.
    pub fn frame(&self, socket: u64, number: u64) -> Duration {
        up_to(&mut self.draw("frame", socket, number), self.delay_frames_ms)
    }

    /// The delay of the `number`th post to a socket, or `None` if it is lost.
    pub fn push(&self, socket: u64, number: u64) -> Option<Duration> {
        let mut fate = self.draw("push", socket, number);
        (fate.f64() >= self.lose_pushes).then(|| up_to(&mut fate, self.delay_pushes_ms))
    }

    /// The outcome of the `number`th call about a socket.
    pub fn post(&self, socket: u64, number: u64) -> PostFate {
        let mut left = self.draw("post", socket, number).f64();
        for (share, fate) in [
            (self.fail_410, PostFate::Gone),
            (self.fail_429, PostFate::LimitExceeded),
            (self.fail_500, PostFate::Internal),
            (self.hang, PostFate::Hangs),
        ] {
            if left < share {
                return fate;
            }
            left -= share;
        }
        PostFate::Answered
    }

    fn draw(&self, what: &str, socket: u64, number: u64) -> fastrand::Rng {
        let mut hasher = DefaultHasher::new();
        (self.seed, what, socket, number).hash(&mut hasher);
        fastrand::Rng::with_seed(hasher.finish())
    }
}

fn up_to(fate: &mut fastrand::Rng, milliseconds: u64) -> Duration {
    Duration::from_millis(fate.u64(0..=milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_come_out_and_a_seed_repeats_itself() {
        let faults =
            Faults { seed: 7, fail_410: 0.2, fail_429: 0.1, hang: 0.1, lose_disconnects: 0.5, ..Faults::default() };
        let fates: Vec<_> = (0..10_000).map(|number| faults.post(1, number)).collect();
        let share = |fate| fates.iter().filter(|other| **other == fate).count();
        for (fate, expected) in
            [(PostFate::Gone, 2000), (PostFate::LimitExceeded, 1000), (PostFate::Hangs, 1000), (PostFate::Internal, 0)]
        {
            assert!(share(fate).abs_diff(expected) < 200, "{fate:?}: {}", share(fate));
        }
        assert!((0..10_000).all(|number| faults.post(1, number) == fates[number as usize]));
        let other = Faults { seed: 8, ..faults };
        assert!((0..10_000).any(|number| other.post(1, number) != fates[number as usize]));
        let lost = (0..10_000).filter(|socket| faults.disconnect(*socket).is_none()).count();
        assert!(lost.abs_diff(5000) < 300, "{lost}");
    }

    #[test]
    fn no_faults_change_nothing() {
        let none = Faults::default();
        assert_eq!((none.post(1, 1), none.frame(1, 1)), (PostFate::Answered, Duration::ZERO));
        assert_eq!((none.push(1, 1), none.disconnect(1)), (Some(Duration::ZERO), Some(Duration::ZERO)));
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for faults in [
            Faults { lose_pushes: 1.5, ..Faults::default() },
            Faults { hang: -0.1, ..Faults::default() },
            Faults { hang: f64::NAN, ..Faults::default() },
            Faults { fail_410: 0.6, fail_500: 0.6, ..Faults::default() },
        ] {
            assert!(faults.check().is_err(), "{faults:?}");
        }
        assert!(serde_json::from_str::<Faults>(r#"{"seed": 1, "lose_everything": 1}"#).is_err());
    }
}
